"""What workers do: look into a file, and do a job."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.errors import MatteboxError, NotEnoughMemoryError
from mattebox.daemon.marks import marked

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.job import Job, JobReport
    from mattebox.core.photo import PhotoFacts
    from mattebox.core.settings import ReadLimits

_PREVIEW_SIDE: Final = 1024


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


@dataclass(frozen=True, slots=True)
class Work:
    """One job for a worker. mark: there while it is done. preview: shrink the second output."""

    job: Job
    mark: Path
    preview: bool = False


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


def do(work: Work) -> JobReport:
    """Do a job; its staged files are complete, synced and hashed. Raises MatteboxError, OSError."""
    from mattebox.core.job import run_job  # noqa: PLC0415 - loads arrays

    with marked(work.mark):
        report = run_job(work.job)
        return _with_preview(report) if work.preview else report


def content_hash(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _with_preview(report: JobReport) -> JobReport:
    """Shrink the second output, the PNG of a review, onto a light ground."""
    from PIL import Image  # noqa: PLC0415 - in the worker alone

    png = report.outputs[1]
    with Image.open(png.path, formats=["PNG"]) as picture:
        small = picture.convert("RGBA")
    small.thumbnail((_PREVIEW_SIDE, _PREVIEW_SIDE))
    ground = Image.new("RGBA", small.size, (200, 200, 200, 255))
    ground.alpha_composite(small)
    with open(png.path, "wb") as file:  # noqa: PTH123 - a path of text
        ground.convert("RGB").save(file, "PNG")
        file.flush()
        os.fsync(file.fileno())
    with open(png.path, "rb") as file:  # noqa: PTH123 - a path of text
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    width, height = small.size
    preview = replace(png, sha256=digest, bytes=size, width=width, height=height)
    return replace(report, outputs=(report.outputs[0], preview, *report.outputs[2:]))


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | float | bytes):
        return value
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return str(value)
