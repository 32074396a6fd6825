"""run_job: read, cut, finish, write to staged names. Plain data in, plain data out.

The same function serves the command line, the daemon's workers and a cluster.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, TypeGuard

from mattebox.core.errors import (
    MatteboxError,
    NotEnoughMemoryError,
    SettingsError,
    UnexpectedError,
    WriteError,
)
from mattebox.core.job_report import JobReport, WrittenOutput
from mattebox.core.process import configure_process
from mattebox.core.settings import CutSettings, FinishSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from mattebox.core.cutout import Cutout
    from mattebox.core.engine import Engine
    from mattebox.core.photo import Photo
    from mattebox.core.settings import Output, PsdOutput
    from mattebox.core.settings.label import LabelSettings


@dataclass(frozen=True, slots=True)
class StagedOutput:
    """One file to write: in which format, and under which temporary name beside its final place."""

    output: Output
    staged: Path


@dataclass(frozen=True, slots=True)
class Job:
    """One photo's work. Every staged file is complete, synced to disk and hashed when the job ends.

    matte: a file with the matte to use, a person's, instead of a network's. label: what the outputs' XMP
    says of how sure the cutout is.
    """

    source: Path
    outputs: tuple[StagedOutput, ...]
    cut: CutSettings = field(default_factory=CutSettings)
    finish: FinishSettings = field(default_factory=FinishSettings)
    matte: Path | None = None
    label: LabelSettings | None = None

    def discard(self) -> None:
        """Remove whatever the job has staged."""
        for item in self.outputs:
            # A folder that refuses to remove has refused to write before: that error is the one to tell.
            with suppress(OSError):
                item.staged.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, eq=False)
class OpenJob:
    """A job whose photo is decoded, and the seconds that took.

    layer: the layer of a PSD that an output masks in place, where it is not the picture that others show.
    """

    job: Job
    photo: Photo
    seconds: float
    layer: Photo | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SegmentedJob:
    """A job whose photo is segmented; `cut` computes its cutout and needs no engine for that.

    cut_layer: the same of a PSD's layer, for the outputs that mask it in place.
    """

    job: Job
    cut: Callable[[], Cutout]
    read_seconds: float
    cut_layer: Callable[[], Cutout] | None = None


_ENGINE: Engine | None = None


def process_engine() -> Engine:
    """This process's engine, made on first use and kept: workers stay warm from job to job."""
    global _ENGINE  # noqa: PLW0603 - one engine a process is the point
    if _ENGINE is None:
        from mattebox.core.engine import Engine  # noqa: PLC0415 - loads onnxruntime

        _ENGINE = Engine()
    return _ENGINE


def prepare_process(threads: int, device: str) -> None:
    """Give this process an engine of its own with so many threads on that device: workers begin so."""
    global _ENGINE  # noqa: PLW0603 - one engine a process is the point
    configure_process()
    import cv2  # noqa: PLC0415 - arrays are loaded when work starts

    from mattebox.core.engine import Engine  # noqa: PLC0415 - loads onnxruntime
    from mattebox.core.parallel import limit_lanes  # noqa: PLC0415

    cv2.setNumThreads(threads)
    limit_lanes(threads)
    _ENGINE = Engine(threads=threads, device=device)


def run_job(
    job: Job, engine: Engine | None = None, seen: Callable[[Cutout], None] | None = None
) -> JobReport:
    """Do one job. Staged files are all complete when it returns, and all gone when it raises.

    seen: called with the cutout once it is written; it raises nothing.
    Raises MatteboxError children, each with its `step`: PhotoError, WeightsError, InferenceError,
    SettingsError, WriteError, NotEnoughMemoryError, UnexpectedError.
    """
    return write_cutout(segment_photo(read_source(job), engine or process_engine()), seen)


def prepare_writing(job: Job) -> None:
    """Load what `write_cutout` will need for a job; what goes wrong goes wrong there again."""
    with suppress(Exception):
        for name in ("finish", "write.labels", *(f"write.{item.output.format}" for item in job.outputs)):
            import_module(f"mattebox.core.{name}")
        if job.cut.quality != "fast" and job.cut.refine != "none":
            from mattebox.core.matte.learned import shipped_refiner  # noqa: PLC0415 - not with quality fast

            shipped_refiner()


def read_source(job: Job, on_decode: Callable[[], None] = lambda: None) -> OpenJob:
    """The first step: the job with its decoded photo; `on_decode` is `read_photo`'s."""
    with _step(job, "read"):
        start = time.perf_counter()
        photo, layer = _pictures(job, on_decode)
        return OpenJob(job, photo, time.perf_counter() - start, layer)


def _pictures(job: Job, on_decode: Callable[[], None]) -> tuple[Photo, Photo | None]:
    """The photo, and the layer of a PSD that outputs put their mask onto where others show the picture."""
    from mattebox.core.photo import format_of, read_photo  # noqa: PLC0415 - arrays are loaded when work starts

    wanted = {item.output.layer for item in job.outputs if _masks_a_layer(item.output)}
    if not wanted or format_of(job.source, job.cut.limits) != "psd":
        return read_photo(job.source, job.cut.limits, on_decode=on_decode), None
    if len(wanted) > 1:
        raise SettingsError(
            f"{job.source.name}: one job masks one layer of a PSD; use a rule of its own for each layer."
        )
    from mattebox.core.write.psd.layer_photo import layer_photo, shows_the_same  # noqa: PLC0415 - psd-tools

    on_decode()
    layer = layer_photo(job.source, wanted.pop(), job.cut.limits)
    if all(_masks_a_layer(item.output) for item in job.outputs):
        return layer, None
    photo = read_photo(job.source, job.cut.limits)
    return (photo, None) if shows_the_same(photo, layer) else (photo, layer)


def _masks_a_layer(output: Output) -> TypeGuard[PsdOutput]:
    return output.format == "psd" and output.in_place


def segment_photo(opened: OpenJob, engine: Engine) -> SegmentedJob:
    """The second step: what the networks say; the only one that needs the engine."""
    job, layer = opened.job, opened.layer
    with _step(job, "cut"):
        cut = _segmented_photo(job, opened.photo, engine)
        return SegmentedJob(
            job, cut, opened.seconds, None if layer is None else _segmented_photo(job, layer, engine)
        )


def _segmented_photo(job: Job, photo: Photo, engine: Engine) -> Callable[[], Cutout]:
    if job.matte is not None:
        from mattebox.core.matte.supplied_matte import cut_with_matte  # noqa: PLC0415 - for approved reviews

        return partial(cut_with_matte, photo, job.matte, job.cut)
    from mattebox.core.matting import cut_segmented  # noqa: PLC0415 - arrays are loaded when work starts

    settings = job.cut
    if all(item.output.format == "mask" for item in job.outputs):
        # A mask holds no colours.
        settings = settings.model_copy(update={"decontaminate": False})
    return partial(cut_segmented, engine.segment(photo, settings))


def write_cutout(segmented: SegmentedJob, seen: Callable[[Cutout], None] | None = None) -> JobReport:
    """The last step: compute the matte, finish the cutout, write and seal every staged file.

    seen: called with the photo's cutout once that is written.
    """
    job = segmented.job
    masks_layer = [segmented.cut_layer is not None and _masks_a_layer(item.output) for item in job.outputs]
    report = _written(
        segmented,
        segmented.cut,
        [item for item, own in zip(job.outputs, masks_layer, strict=True) if not own],
        seen,
    )
    if segmented.cut_layer is None:
        return report
    try:
        of_layer = _written(
            segmented,
            segmented.cut_layer,
            [item for item, own in zip(job.outputs, masks_layer, strict=True) if own],
        )
    except BaseException:
        job.discard()
        raise
    return _together(job, report, of_layer)


def _written(
    segmented: SegmentedJob,
    cut: Callable[[], Cutout],
    items: Sequence[StagedOutput],
    seen: Callable[[Cutout], None] | None = None,
) -> JobReport:
    """One cutout, finished and written to its outputs."""
    from mattebox.core.finish import finish  # noqa: PLC0415 - arrays are loaded when work starts
    from mattebox.core.write import write_output  # noqa: PLC0415
    from mattebox.core.write.labels import with_label  # noqa: PLC0415

    job = segmented.job
    with _step(job, "cut"):
        cutout = cut()
        report = cutout.report
    start = time.perf_counter()
    with _step(job, "finish"):
        composition = finish(cutout, job.finish, job.cut.limits)
        composition, about_files = with_label(
            composition, job.label, report.confidence, report.warnings, approved=job.matte is not None
        )
    finished = time.perf_counter()
    written = []
    with _step(job, "write"):
        try:
            for item in items:
                about_files += write_output(composition, item.output, item.staged)
                written.append(_sealed(item, *composition.size))
        except BaseException:
            job.discard()
            raise
    if seen is not None:
        seen(cutout)
    # Who points wants to hear where it led to nothing, and which network was not there.
    pointed = report.notes if job.cut.prompts.any else ()
    return JobReport(
        input=os.fspath(job.source),
        outputs=tuple(written),
        model=report.model,
        confidence=report.confidence,
        warnings=report.warnings,
        subject_box=report.subject_box,
        seconds={
            "read": round(segmented.read_seconds, 4),
            **report.seconds,
            "finish": round(finished - start, 4),
            "write": round(time.perf_counter() - finished, 4),
        },
        notes=cutout.photo.warnings + report.notes + composition.notes + about_files,
        device=report.device,
        looks=report.looks,
        judge=report.judge,
        undecided=report.undecided,
        learnt_from=report.learnt_from,
        photo_notes=tuple(dict.fromkeys(cutout.photo.warnings + about_files + pointed)),
    )


def _together(job: Job, picture: JobReport, layer: JobReport) -> JobReport:
    """The picture's report, as sure as the less sure of both cutouts; outputs in the job's order."""
    written = {item.path: item for item in (*picture.outputs, *layer.outputs)}
    seconds = dict(picture.seconds)
    for step, spent in layer.seconds.items():
        if step != "read":  # both pictures were read at once
            seconds[step] = round(seconds.get(step, 0.0) + spent, 4)
    return replace(
        picture,
        outputs=tuple(written[os.fspath(item.staged)] for item in job.outputs),
        confidence=min(picture.confidence, layer.confidence),
        warnings=tuple(dict.fromkeys((*picture.warnings, *layer.warnings))),
        notes=tuple(dict.fromkeys((*picture.notes, *layer.notes))),
        photo_notes=tuple(dict.fromkeys((*picture.photo_notes, *layer.photo_notes))),
        seconds=seconds,
    )


@contextmanager
def _step(job: Job, name: str) -> Iterator[None]:
    """Name the step in every error, and turn what nobody foresaw into a sentence of its own."""
    try:
        yield
    except MatteboxError as error:
        error.step = error.step or name
        raise
    except MemoryError as error:
        short: MatteboxError = NotEnoughMemoryError(
            f"{job.source}: this machine's memory does not suffice for the photo ({name}); "
            "close other programs or make the photo smaller."
        )
        short.step = name
        raise short from error
    except Exception as error:
        unforeseen = UnexpectedError(
            f"{job.source}: Mattebox met an error that it does not know while it was at the step "
            f"'{name}' ({type(error).__name__}); run it again with --debug and report that."
        )
        unforeseen.step = name
        raise unforeseen from error


def _sealed(item: StagedOutput, width: int, height: int) -> WrittenOutput:
    """Sync a staged file to disk and hash what a reader gets back."""
    from mattebox.core.parallel import both  # noqa: PLC0415 - arrays are loaded when work starts

    try:
        with item.staged.open("rb") as file:
            _, digest = both(partial(os.fsync, file.fileno()), lambda: hashlib.file_digest(file, "sha256"))
            size = file.tell()
    except OSError as error:
        raise WriteError(f"{item.staged}: the output could not be read back ({error.strerror}).") from error
    return WrittenOutput(os.fspath(item.staged), item.output.format, digest.hexdigest(), size, width, height)
