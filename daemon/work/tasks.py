"""What workers do: a job."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from mattebox.daemon.journal.markers import in_progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.core.cutout import Cutout
    from mattebox.core.job import Job
    from mattebox.core.job_report import JobReport

_PREVIEW_SIDE: Final = 1024


@dataclass(frozen=True, slots=True)
class JobTask:
    """One job for a worker. marker: there while it is done. preview: shrink the second output.

    learns: the folder where its rule's set is learnt.
    """

    job: Job
    marker: Path | None
    preview: bool = False
    learns: Path | None = None


def do_job(task: JobTask) -> JobReport:
    """Do a job; its staged files are complete, synced and hashed. Raises MatteboxError, OSError."""
    from mattebox.core.job import run_job  # noqa: PLC0415 - loads arrays

    with in_progress(task.marker):
        report = run_job(task.job, seen=_learner(task))
        return _with_preview(report) if task.preview else report


def _learner(task: JobTask) -> Callable[[Cutout], None] | None:
    """Who looks at the set in a cutout, if anybody: a review only shows again what was not sure."""
    if task.learns is None or task.preview:
        return None
    from mattebox.daemon.work.learning import learn  # noqa: PLC0415 - loads arrays

    return partial(learn, task.learns, task.job.source)


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
