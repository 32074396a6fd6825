"""run_job: read, cut, finish, write to staged names. Plain data in, plain data out.

The same function serves the command line, the daemon's workers and a cluster.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mattebox.core.errors import WriteError
from mattebox.core.settings import CutSettings, FinishSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mattebox.core.engine import Engine
    from mattebox.core.settings import Output


@dataclass(frozen=True, slots=True)
class StagedOutput:
    """One file to write: in which format, and under which temporary name beside its final place."""

    output: Output
    staged: Path


@dataclass(frozen=True, slots=True)
class Job:
    """One photo's work. Every staged file is complete, synced to disk and hashed when the job ends."""

    source: Path
    outputs: tuple[StagedOutput, ...]
    cut: CutSettings = field(default_factory=CutSettings)
    finish: FinishSettings = field(default_factory=FinishSettings)


@dataclass(frozen=True, slots=True)
class WrittenOutput:
    """One written file: sha256 of its bytes, its size in bytes and its picture's size in pixels."""

    path: str
    format: str
    sha256: str
    bytes: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class JobReport:
    """What became of a job; `seconds` by step, `subject_box` in pixels of the photo."""

    input: str
    outputs: tuple[WrittenOutput, ...]
    model: str
    confidence: float
    warnings: tuple[str, ...]
    subject_box: tuple[int, int, int, int] | None
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-ready data."""
        return asdict(self)

    def with_paths(self, paths: Mapping[str, Path]) -> JobReport:
        """The report with staged paths replaced by the published ones."""
        outputs = tuple(replace(item, path=os.fspath(paths[item.path])) for item in self.outputs)
        return replace(self, outputs=outputs)


_ENGINE: Engine | None = None


def process_engine() -> Engine:
    """This process's engine, made on first use and kept: workers stay warm from job to job."""
    global _ENGINE  # noqa: PLW0603 - one engine a process is the point
    if _ENGINE is None:
        from mattebox.core.engine import Engine  # noqa: PLC0415 - loads onnxruntime

        _ENGINE = Engine()
    return _ENGINE


def run_job(job: Job, engine: Engine | None = None) -> JobReport:
    """Do one job. Staged files are all complete when it returns, and all gone when it raises.

    Raises MatteboxError children: PhotoError, WeightsError, InferenceError, WriteError, SettingsError.
    """
    from mattebox.core.finish import finish  # noqa: PLC0415 - arrays are loaded when work starts
    from mattebox.core.photo import read_photo  # noqa: PLC0415
    from mattebox.core.write import write_output  # noqa: PLC0415

    start = time.perf_counter()
    photo = read_photo(job.source, job.cut.limits)
    read_seconds = time.perf_counter() - start
    cutout = (engine or process_engine()).cut(photo, job.cut)
    start = time.perf_counter()
    composition = finish(cutout, job.finish)
    finish_seconds = time.perf_counter() - start
    start = time.perf_counter()
    written = []
    try:
        for item in job.outputs:
            write_output(composition, item.output, item.staged)
            written.append(_sealed(item, *composition.size))
    except BaseException:
        for item in job.outputs:
            item.staged.unlink(missing_ok=True)
        raise
    report = cutout.report
    seconds = {
        "read": round(read_seconds, 4),
        **report.seconds,
        "finish": round(finish_seconds, 4),
        "write": round(time.perf_counter() - start, 4),
    }
    return JobReport(
        input=os.fspath(job.source),
        outputs=tuple(written),
        model=report.model,
        confidence=report.confidence,
        warnings=report.warnings,
        subject_box=report.subject_box,
        seconds=seconds,
        notes=photo.warnings,
    )


def _sealed(item: StagedOutput, width: int, height: int) -> WrittenOutput:
    """Sync a staged file to disk and hash what a reader gets back."""
    try:
        with item.staged.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        raise WriteError(f"{item.staged}: the output could not be read back ({error.strerror}).") from error
    return WrittenOutput(os.fspath(item.staged), item.output.format, digest, size, width, height)
