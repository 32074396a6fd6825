"""Inspection of a file before it is claimed, by a worker: what its header says, and whether it is whole."""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.errors import (
    DamagedPhotoError,
    MatteboxError,
    NotEnoughMemoryError,
    TruncatedPhotoError,
)
from mattebox.daemon.guard import ENVIRONMENT, has_errno
from mattebox.daemon.journal.markers import in_progress

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.photo import PhotoFacts
    from mattebox.core.settings import ReadLimits

# A file that nobody may read is that file's matter; a share that is away is not.
_REFUSED: Final = ENVIRONMENT - {errno.EACCES, errno.EPERM}
# What half a file may be taken for; decoders tell the two apart by chance.
_NOT_YET: Final = (TruncatedPhotoError, DamagedPhotoError)


@dataclass(frozen=True, slots=True)
class InspectionTask:
    """One file for a worker to inspect. marker: there while it does."""

    path: Path
    limits: ReadLimits
    marker: Path


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the inspection of a file found: its header, or the problem; whether bytes may still be coming."""

    header: PhotoFacts | None
    problem: str = ""
    truncated: bool = False


def inspect_file(task: InspectionTask) -> Inspection:
    """Read a file's header, and decode it where only that tells whether it is whole.

    Half a file is not ready, and no photo is no photo. Raises NotEnoughMemoryError, and PhotoError where
    the disk or the share refuses, which says nothing about the photo.
    """
    with in_progress(task.marker):
        return _inspect(task.path, task.limits)


def _inspect(path: Path, limits: ReadLimits) -> Inspection:
    """What decoders say of a file, and whether its bytes have come at all; they are lenient about that."""
    from mattebox.core.photo.arrived import has_arrived  # noqa: PLC0415 - loads arrays

    try:
        arrived = has_arrived(path)
    except OSError:
        arrived = True  # what opens it next says why it cannot
    found = _decoded(path, limits)
    return found if arrived else replace(found, truncated=True)


def _decoded(path: Path, limits: ReadLimits) -> Inspection:
    from mattebox.core.photo import probe, read_photo  # noqa: PLC0415 - loads arrays
    from mattebox.core.photo.whole import is_whole  # noqa: PLC0415

    try:
        header = probe(path, limits)
        # Values of odd types (rationals) travel between processes as their text.
        header = replace(header, exif={name: _plain(value) for name, value in header.exif.items()})
    except NotEnoughMemoryError:
        raise
    except MatteboxError as error:
        if has_errno(error, _REFUSED):
            raise
        return Inspection(None, str(error), isinstance(error, _NOT_YET))
    try:
        if not is_whole(path, header.format):
            read_photo(path, limits)
    except NotEnoughMemoryError:
        raise
    except MatteboxError as error:
        if has_errno(error, _REFUSED):
            raise
        return Inspection(header, str(error), isinstance(error, _NOT_YET))
    return Inspection(header)


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | float | bytes):
        return value
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return str(value)
