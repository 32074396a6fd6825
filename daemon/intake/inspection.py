"""A look into a file before it is claimed, by a worker: what its header says, and whether it is whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mattebox.core.errors import MatteboxError, NotEnoughMemoryError
from mattebox.daemon.journal.markers import marked

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.photo import PhotoFacts
    from mattebox.core.settings import ReadLimits


@dataclass(frozen=True, slots=True)
class Glance:
    """One file for a worker to look into. mark: there while it does."""

    path: Path
    limits: ReadLimits
    mark: Path


@dataclass(frozen=True, slots=True)
class Look:
    """What a look into a file told: its header, or the problem; whether it may still be growing."""

    header: PhotoFacts | None
    problem: str = ""
    truncated: bool = False


def look(glance: Glance) -> Look:
    """Read a file's header, and decode it where only that tells whether it is whole.

    Half a file is not ready, and no photo is no photo. Raises NotEnoughMemoryError.
    """
    with marked(glance.mark):
        return _look(glance.path, glance.limits)


def _look(path: Path, limits: ReadLimits) -> Look:
    from mattebox.core.photo import probe, read_photo  # noqa: PLC0415 - loads arrays
    from mattebox.core.photo.whole import is_whole  # noqa: PLC0415

    try:
        header = probe(path, limits)
        # Values of odd types (rationals) travel between processes as their text.
        header = replace(header, exif={name: _plain(value) for name, value in header.exif.items()})
    except NotEnoughMemoryError:
        raise
    except MatteboxError as error:
        return Look(None, str(error), type(error).__name__ == "TruncatedPhotoError")
    try:
        if not is_whole(path, header.format):
            read_photo(path, limits)
    except NotEnoughMemoryError:
        raise
    except MatteboxError as error:
        return Look(header, str(error), type(error).__name__ == "TruncatedPhotoError")
    return Look(header)


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | float | bytes):
        return value
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return str(value)
