"""The photos that settings name beside the one that is cut: of the empty set, and of its light."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from mattebox.core.errors import PhotoError, SettingsError
from mattebox.core.photo import read_photo

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.photo import Photo
    from mattebox.core.settings import CutSettings
    from mattebox.core.settings.limits import ReadLimits


def photo_of_set(path: Path, what: str, photo: Photo, settings: CutSettings) -> Photo:
    """The photo at `path`, of the size of the one that is cut; the last one is kept in memory.

    what: what it shows, for sentences. Raises PhotoError where it cannot be read, SettingsError where it has
    another size than `photo`.
    """
    try:
        facts = path.stat()
    except OSError as error:
        raise PhotoError(f"{path}: {what} cannot be read ({error.strerror}).") from error
    found = _read(path, facts.st_mtime_ns, facts.st_size, settings.limits)
    if (found.height, found.width) != (photo.height, photo.width):
        raise SettingsError(
            f"{path}: {what} has {found.width} x {found.height} pixels and the photo {photo.width} x "
            f"{photo.height}; both are taken by one camera in one place."
        )
    return found


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int, _size: int, limits: ReadLimits) -> Photo:
    return read_photo(path, limits)
