"""Many jobs, one engine: while networks look at one photo, the next is read and the last one finished."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from mattebox.core.errors import MatteboxError
from mattebox.core.job import SegmentedJob, prepare_writing, segment_photo, write_cutout
from mattebox.core.lanes import begin_reading, run_in_lanes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mattebox.core.engine import Engine
    from mattebox.core.job import Job, OpenJob
    from mattebox.core.job_report import JobReport

# Photos that are being written or wait for it.
_WAITING: Final = 2


def run_jobs(
    jobs: Iterable[Job], engine: Engine | Callable[[], Engine], lane_count: int = 1
) -> Iterator[tuple[Job, JobReport | MatteboxError]]:
    """Do all jobs and yield each with its report or its error, in order.

    At most four photos are in memory: one being read, one being looked at, one being cut out and
    written, and one that waits for that, so that a photo with much edge keeps no network waiting. `jobs`
    is drawn from as work proceeds. A consumer that stops early leaves no staged file behind. An `engine`
    that must be made first is made while the first photo is read; what that raises ends the run. With a
    `lane_count` above one, so many are cut side by side instead, which is quicker where photos are many: no
    step waits for another, and a network on one core loses nothing between cores.
    """
    if lane_count > 1:
        for job, outcome in run_in_lanes(jobs, engine, lane_count):
            yield job, _outcome(outcome)
        return
    with ThreadPoolExecutor(1, "read") as reader, ThreadPoolExecutor(1, "write") as writer:
        pending: deque[tuple[Job, Future[JobReport]]] = deque()
        try:
            for job, opened in _read_ahead(jobs, reader, alone=callable(engine)):
                if callable(engine):
                    engine = engine()
                    # Nothing is written yet.
                    writer.submit(prepare_writing, job)
                segmented = _segmented(opened, engine)
                # Waited for here and not later, so that no more photos wait to be written.
                if len(pending) == _WAITING:
                    done, written = pending.popleft()
                    yield done, _outcome(written)
                pending.append((job, _write(segmented, writer)))
                del segmented
            while pending:
                done, written = pending.popleft()
                yield done, _outcome(written)
        finally:
            for job, written in pending:
                _outcome(written)
                job.discard()


def _read_ahead(
    jobs: Iterable[Job], reader: ThreadPoolExecutor, *, alone: bool
) -> Iterator[tuple[Job, Future[OpenJob]]]:
    """Each job with its reading, begun one job before it is asked for.

    alone: as `begin_reading`'s, for the first.
    """
    ahead: deque[tuple[Job, Future[OpenJob]]] = deque()
    for job in jobs:
        ahead.append((job, begin_reading(job, reader, alone=alone)))
        alone = False
        if len(ahead) > 1:
            yield ahead.popleft()
    while ahead:
        yield ahead.popleft()


def _segmented(opened: Future[OpenJob], engine: Engine) -> SegmentedJob | MatteboxError:
    try:
        return segment_photo(opened.result(), engine)
    except MatteboxError as error:
        return error


def _write(segmented: SegmentedJob | MatteboxError, writer: ThreadPoolExecutor) -> Future[JobReport]:
    if isinstance(segmented, SegmentedJob):
        return writer.submit(write_cutout, segmented)
    failed: Future[JobReport] = Future()
    failed.set_exception(segmented)
    return failed


def _outcome(written: Future[JobReport]) -> JobReport | MatteboxError:
    try:
        return written.result()
    except MatteboxError as error:
        return error
