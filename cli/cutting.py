"""The run of `mattebox cut`: refuse early, work in a batch, publish what is complete."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mattebox.cli.staging import Staging
from mattebox.cli.stopping import stopping_at_once
from mattebox.core.errors import MatteboxError, OutputExistsError, PhotoError, WriteError
from mattebox.core.names import fit
from mattebox.core.network.device import available_cores
from mattebox.core.process import configure_process, loading
from mattebox.core.publish import publish
from mattebox.models.catalogue import find_salient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mattebox.cli.console import Console
    from mattebox.cli.plan import PlannedPhoto
    from mattebox.core.engine import Engine
    from mattebox.core.job import Job
    from mattebox.core.job_report import JobReport
    from mattebox.core.settings import CutSettings, FinishSettings, Output


@dataclass(frozen=True, slots=True)
class CutRun:
    """Everything that one call of the command decides; `outputs` by format name."""

    planned: Sequence[PlannedPhoto]
    cut: CutSettings
    finish: FinishSettings
    outputs: Mapping[str, Output]
    device: str = "auto"
    overwrite: bool = False
    report: bool = False


def run_all(
    run: CutRun, console: Console, discard: Callable[[], None] = lambda: None
) -> Iterator[JobReport | MatteboxError]:
    """Do every planned photo; yields a published report or an error for each, in no promised order.

    discard: is called too where a signal ends the run.
    Raises MatteboxError where no photo could be done at all, such as missing weights.
    """
    find_salient(run.cut.model)
    fit, refused = _sorted_out(run)
    yield from refused
    if not fit:
        return
    configure_process()
    publishing = threading.Lock()

    def end() -> None:
        staging.end()
        discard()

    with Staging() as staging, stopping_at_once(end, publishing):
        staging.sweep({target.parent for item in fit for _, target in item.targets})
        yield from _done(run, fit, console, staging, publishing)


def _done(
    run: CutRun, fit: Sequence[PlannedPhoto], console: Console, staging: Staging, publishing: threading.Lock
) -> Iterator[JobReport | MatteboxError]:
    from mattebox.core.batch import run_jobs  # noqa: PLC0415
    from mattebox.core.lanes import lanes_for  # noqa: PLC0415 - loads arrays

    count = lanes_for(len(fit))
    done = run_jobs(_jobs(fit, run, staging), lambda: _ready_engine(run, console, count, len(fit)), count)
    for item, (job, outcome) in zip(fit, done, strict=True):
        if isinstance(outcome, MatteboxError):
            yield _naming_targets(outcome, job, item)
            continue
        try:
            with publishing:
                report = _publish(job, item, outcome, run, staging)
        except MatteboxError as error:
            yield error
        else:
            yield report
        finally:
            job.discard()


def _sorted_out(run: CutRun) -> tuple[list[PlannedPhoto], list[MatteboxError]]:
    """What can be tried, and what publishing would refuse after the work, refused before it."""
    inputs = {_identity(item.source) for item in run.planned} - {None}
    fit: list[PlannedPhoto] = []
    refused: list[MatteboxError] = []
    for item in run.planned:
        try:
            _check(item, inputs, overwrite=run.overwrite)
            fit.append(item)
        except MatteboxError as error:
            refused.append(error)
    return fit, refused


def _check(item: PlannedPhoto, inputs: set[tuple[int, int] | None], *, overwrite: bool) -> None:
    """Refuse before any work what publishing would refuse after it."""
    if not os.path.lexists(item.source):
        raise PhotoError(f"{item.source}: there is no such file.")
    for _, target in item.targets:
        if _identity(target) in inputs:
            raise OutputExistsError(
                f"{target}: the output would replace a photo of yours; name another with -o."
            )
        if not overwrite and os.path.lexists(target):
            raise OutputExistsError(f"{target}: a file of that name exists; use --overwrite or another name.")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"{target.parent}: the folder cannot be made ({error.strerror}).") from error


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _ready_engine(run: CutRun, console: Console, count: int, photos: int) -> Engine:
    """An engine for so many photos, `count` at once, with its weights at hand; misses are told once."""
    with loading():
        from mattebox.core.network.networks import Networks  # noqa: PLC0415 - loads onnxruntime
        from mattebox.core.network.quick import make_quick  # noqa: PLC0415
        from mattebox.models.store import Store  # noqa: PLC0415

    threads = max(1, available_cores() // count)
    store = Store(progress=console.fetching)
    network = find_salient(run.cut.model)
    store.ensure(network, accept_licence=run.cut.accept_licence)
    make_quick(store, network, run.cut.precision, run.device)
    networks = Networks(store, threads=threads, device=run.device)
    # A network that is being opened leaves Python alone, which loads what else is needed.
    with ThreadPoolExecutor(1, "open") as pool:
        opening = pool.submit(networks.segmenter, run.cut)
        with loading():
            from mattebox.core.engine import Engine  # noqa: PLC0415 - loads arrays
        segmenter = opening.result()
    engine = Engine(networks=networks, once=photos == 1)
    if segmenter.note:
        console.fetching.note(segmenter.note)
    return engine


def _jobs(fit: Sequence[PlannedPhoto], run: CutRun, staging: Staging) -> Iterator[Job]:
    """One job a photo, with new staged names."""
    from mattebox.core.job import Job, StagedOutput  # noqa: PLC0415 - loads arrays

    for item in fit:
        staged = tuple(StagedOutput(run.outputs[name], staging.name(target)) for name, target in item.targets)
        yield Job(item.source, staged, run.cut, run.finish)


def _publish(job: Job, item: PlannedPhoto, done: JobReport, run: CutRun, staging: Staging) -> JobReport:
    """Give every staged file its final name, and write the reports that were asked for."""
    published = {
        os.fspath(output.staged): publish(output.staged, target, overwrite=run.overwrite)
        for output, (_, target) in zip(job.outputs, item.targets, strict=True)
    }
    report = done.with_paths(published)
    if run.report:
        _write_reports(report, staging, overwrite=run.overwrite)
    return report


def _naming_targets(error: MatteboxError, job: Job, item: PlannedPhoto) -> MatteboxError:
    """The error with the names that the user knows in place of the staged ones."""
    text = str(error)
    for output, (_, target) in zip(job.outputs, item.targets, strict=True):
        text = text.replace(os.fspath(output.staged), os.fspath(target))
    error.args = (text,)
    return error


def _write_reports(done: JobReport, staging: Staging, *, overwrite: bool) -> None:
    text = json.dumps(done.as_dict(), indent=2) + "\n"
    for output in done.outputs:
        target = Path(output.path)
        target = target.with_name(fit(target.name, ".report.json"))
        staged = staging.name(target)
        try:
            staged.write_text(text, encoding="utf-8")
            publish(staged, target, overwrite=overwrite)
        except OSError as error:
            raise WriteError(f"{target}: the report cannot be written ({error.strerror}).") from error
        finally:
            with suppress(OSError):
                staged.unlink(missing_ok=True)
