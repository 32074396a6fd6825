"""The photo of an empty set that settings name, read once a process."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from mattebox.core.errors import PhotoError, SettingsError
from mattebox.core.photo import read_photo

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.photo import Photo
    from mattebox.core.settings import CutSettings


def empty_set(settings: CutSettings, photo: Photo) -> Photo | None:
    """The photo of the set without the subject, where settings name one.

    Raises PhotoError where it cannot be read, SettingsError where it has another size than `photo`.
    """
    path = settings.backdrop
    if isinstance(path, str):
        return None
    try:
        facts = path.stat()
    except OSError as error:
        raise PhotoError(f"{path}: the photo of the empty set cannot be read ({error.strerror}).") from error
    empty = _read(path, facts.st_mtime_ns, facts.st_size, settings)
    if (empty.height, empty.width) != (photo.height, photo.width):
        raise SettingsError(
            f"{path}: the photo of the empty set has {empty.width} x {empty.height} pixels and the photo "
            f"{photo.width} x {photo.height}; both are taken by one camera in one place."
        )
    return empty


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int, _size: int, settings: CutSettings) -> Photo:
    return read_photo(path, settings.limits)
