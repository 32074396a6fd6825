"""Many photos in lanes: each takes one photo through all its steps, on its share of the cores."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Final

from mattebox.core.job import read_source, segment_photo, write_cutout
from mattebox.core.network.device import available_cores
from mattebox.core.parallel import lanes, limit_lanes
from mattebox.core.process import configure_lanes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mattebox.core.engine import Engine
    from mattebox.core.job import Job, OpenJob
    from mattebox.core.job_report import JobReport

# With fewer photos a lane, the cores that have nothing to do at the end cost more than is gained.
_LEAST_EACH: Final = 4
# Each lane holds a photo, the next one, and what a network computes.
_MOST: Final = 4


def lanes_for(photos: int) -> int:
    """How many photos of so many are worth cutting at once on the cores that are ours; at least 1."""
    return max(1, min(available_cores(), photos // _LEAST_EACH, _MOST))


def run_in_lanes(
    jobs: Iterable[Job], engine: Engine | Callable[[], Engine], count: int
) -> Iterator[tuple[Job, Future[JobReport]]]:
    """Do all jobs, `count` at once, and yield each with its outcome to come, in order.

    At most `count` photos are being cut and as many are read or wait. An `engine` that must be made first
    is made while the first photo is read; what that raises ends the run. A consumer that stops early
    leaves no staged file behind.
    """
    pending: deque[tuple[Job, Future[JobReport]]] = deque()
    with (
        _shared_by(count),
        ThreadPoolExecutor(1, "read") as reader,
        ThreadPoolExecutor(count, "lane") as pool,
    ):
        try:
            for job in jobs:
                opened = begin_reading(job, reader, alone=callable(engine))
                if callable(engine):
                    engine = engine()
                if len(pending) == 2 * count:
                    yield pending.popleft()
                pending.append((job, pool.submit(_cut, opened, engine)))
                del opened
            while pending:
                yield pending.popleft()
        finally:
            for job, done in pending:
                done.exception()
                job.discard()


def begin_reading(job: Job, reader: ThreadPoolExecutor, *, alone: bool) -> Future[OpenJob]:
    """The reading of a job's photo to come; with `alone` return when its decoder works, or it has failed.

    Who loads modules meanwhile would hold it up, for Python loads one at a time; a decoder leaves it alone.
    """
    decoding = Event()
    opened = reader.submit(read_source, job, decoding.set)
    opened.add_done_callback(lambda _: decoding.set())
    if alone:
        decoding.wait()
    return opened


def _cut(opened: Future[OpenJob], engine: Engine) -> JobReport:
    return write_cutout(segment_photo(opened.result(), engine))


@contextmanager
def _shared_by(count: int) -> Iterator[None]:
    """Let each of `count` lanes take its share of the cores, as long as the block runs."""
    import cv2  # noqa: PLC0415 - a single photo's reading does not wait for it

    configure_lanes(count)
    usual, threads = lanes(), cv2.getNumThreads()
    limit_lanes(usual // count)
    cv2.setNumThreads(max(1, usual // count))
    try:
        yield
    finally:
        limit_lanes(usual)
        cv2.setNumThreads(threads)
