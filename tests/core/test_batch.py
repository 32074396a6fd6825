"""Many jobs through one engine: in order, overlapped, and each failure its own."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mattebox.core.batch import run_jobs
from mattebox.core.engine import Engine
from mattebox.core.errors import (
    MatteboxError,
    NotEnoughMemoryError,
    PhotoError,
    UnexpectedError,
    WeightsError,
    WriteError,
)
from mattebox.core.job import Job, StagedOutput, run_job
from mattebox.core.job_report import JobReport
from mattebox.core.lanes import lanes_for
from mattebox.core.matting import SegmentedPhoto
from mattebox.core.network.device import available_cores
from mattebox.core.parallel import lanes, limit_lanes
from mattebox.core.photo import Photo
from mattebox.core.segment.segmentation import Segmentation
from mattebox.core.settings import CutSettings, PngOutput

if TYPE_CHECKING:
    from collections.abc import Iterator


class HalfEngine:
    """Stands in for an engine where only the order of work is tested: the left half is the subject."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.seen: list[str] = []
        self.threads: set[str] = set()

    def segment(self, photo: Photo, settings: CutSettings) -> SegmentedPhoto:
        """See the left half, or fail for a photo of width 13."""
        self.threads.add(threading.current_thread().name)
        self.seen.append(str(photo.source))
        if self.failure is not None and photo.width == 13:
            raise self.failure
        half = np.zeros(photo.pixels.shape[:2], np.float32)
        half[:, : photo.width // 2] = 1.0
        segmentation = Segmentation(half, (), 1.0)
        return SegmentedPhoto(
            photo, settings, photo.pixels, photo.pixels, segmentation, half, 1, "half", "cpu", (), {}
        )


def jobs(folder: Path, widths: list[int]) -> list[Job]:
    """One job a width; a width of 0 is a file that is no photo."""
    made = []
    for index, width in enumerate(widths):
        source = folder / f"{index}.png"
        if width:
            Image.new("RGB", (width, 9), (200, 10, 10)).save(source)
        else:
            source.write_text("no photo")
        made.append(Job(source, (StagedOutput(PngOutput(), folder / f"{index}.out"),)))
    return made


@pytest.mark.parametrize("lane_count", [1, 2, 3])
def test_outcomes_come_in_order_and_failures_stop_nothing(tmp_path: Path, lane_count: int) -> None:
    """A broken photo yields its error at its place; its neighbours are done."""
    wanted = jobs(tmp_path, [10, 0, 12, 0, 0, 14])
    done = list(run_jobs(wanted, HalfEngine(), lane_count))
    assert [job for job, _ in done] == wanted
    assert [isinstance(outcome, JobReport) for _, outcome in done] == [True, False, True, False, False, True]
    assert all(
        isinstance(o, PhotoError) and o.step == "read" for _, o in done if not isinstance(o, JobReport)
    )
    assert sorted(path.name for path in tmp_path.glob("*.out")) == ["0.out", "2.out", "5.out"]


@pytest.mark.parametrize("lane_count", [1, 2])
def test_no_jobs_are_no_outcomes(lane_count: int) -> None:
    """An empty batch ends at once."""
    assert list(run_jobs([], HalfEngine(), lane_count)) == []


def test_one_photo_at_a_time_is_looked_at_by_the_calling_thread(tmp_path: Path) -> None:
    """Reading and writing run beside it."""
    engine = HalfEngine()
    list(run_jobs(jobs(tmp_path, [10, 11, 12]), engine))
    assert engine.threads == {threading.current_thread().name}


def test_photos_abreast_are_cut_at_the_same_time(tmp_path: Path) -> None:
    """Two lanes meet at a barrier in the engine, which no photo would pass alone."""
    meeting = threading.Barrier(2, timeout=60)

    class Meeting(HalfEngine):
        def segment(self, photo: Photo, settings: CutSettings) -> SegmentedPhoto:
            meeting.wait()
            return super().segment(photo, settings)

    done = list(run_jobs(jobs(tmp_path, [10, 11, 12, 14]), Meeting(), 2))
    assert all(isinstance(outcome, JobReport) for _, outcome in done)


def test_lanes_share_the_cores_and_give_them_back(tmp_path: Path) -> None:
    """While photos are cut lane_count each takes its share of the cores, and afterwards all is as before."""
    usual, threads = lanes(), cv2.getNumThreads()
    limit_lanes(6)
    try:
        outcomes = run_jobs(jobs(tmp_path, [10, 11, 12]), HalfEngine(), 3)
        next(outcomes)
        assert (lanes(), cv2.getNumThreads()) == (2, 2)
        outcomes.close()
        assert (lanes(), cv2.getNumThreads()) == (6, threads)
    finally:
        limit_lanes(usual)


@given(st.integers(0, 10_000))
def test_no_lane_is_opened_for_few_photos(photos: int) -> None:
    """Lanes are at least one, at most four and at most the cores, and have four photos or more each."""
    count = lanes_for(photos)
    assert 1 <= count <= min(4, available_cores())
    assert count == 1 or photos >= 4 * count


@pytest.mark.network
def test_abreast_or_one_by_one_the_bytes_are_the_same(
    tmp_path: Path, shipped_photos: dict[str, Path]
) -> None:
    """A real network on one core and on all cores, in lanes and alone: equal files."""
    cut = CutSettings(model="u2netp", quality="fast")
    digests = []
    for lane_count in (1, 2):
        wanted = [
            Job(source, (StagedOutput(PngOutput(), tmp_path / f"{lane_count}-{name}.out"),), cut)
            for name, source in shipped_photos.items()
        ]
        done = list(run_jobs(wanted, Engine(threads=3 - lane_count), lane_count))
        digests.append([outcome.outputs[0].sha256 for _, outcome in done if isinstance(outcome, JobReport)])
    assert digests[0] == digests[1]
    assert len(digests[0]) == len(shipped_photos)


@pytest.mark.parametrize("lane_count", [1, 2])
def test_an_engine_is_made_once_while_the_first_photo_is_read(tmp_path: Path, lane_count: int) -> None:
    """Where the engine must be made first, reading has begun by then, and one engine serves all."""
    drawn: list[Job] = []
    made: list[int] = []

    def drawing() -> Iterator[Job]:
        for job in jobs(tmp_path, [10, 11, 12]):
            drawn.append(job)
            yield job

    def make() -> HalfEngine:
        made.append(len(drawn))
        return HalfEngine()

    assert len(list(run_jobs(drawing(), make, lane_count))) == 3
    assert len(made) == 1
    assert made[0] >= 1


@pytest.mark.parametrize("lane_count", [1, 2])
def test_no_engine_waits_for_a_photo_that_cannot_be_read(tmp_path: Path, lane_count: int) -> None:
    """An engine is made while the first photo is decoded; where that is no photo, it is made all the same."""
    done = [outcome for _, outcome in run_jobs(jobs(tmp_path, [0, 11]), HalfEngine, lane_count)]
    assert isinstance(done[0], PhotoError)
    assert isinstance(done[1], JobReport)


@pytest.mark.parametrize("lane_count", [1, 2])
def test_an_engine_that_cannot_be_made_ends_the_run(tmp_path: Path, lane_count: int) -> None:
    """What making the engine raises reaches the caller, and nothing is staged."""

    def make() -> HalfEngine:
        raise WeightsError("no weights")

    with pytest.raises(WeightsError):
        list(run_jobs(jobs(tmp_path, [10, 11]), make, lane_count))
    assert list(tmp_path.glob("*.out")) == []


@pytest.mark.parametrize(("lane_count", "most"), [(1, 4), (2, 5)])
def test_jobs_are_drawn_only_a_few_ahead(tmp_path: Path, lane_count: int, most: int) -> None:
    """A batch of any length holds few photos: later jobs are not even asked for yet."""
    drawn = []

    def drawing() -> object:
        for job in jobs(tmp_path, [10] * 8):
            drawn.append(job)
            yield job

    outcomes = run_jobs(drawing(), HalfEngine(), lane_count)
    next(outcomes)
    assert len(drawn) <= most
    outcomes.close()


@pytest.mark.parametrize("lane_count", [1, 2])
def test_a_consumer_that_stops_leaves_no_staged_file(tmp_path: Path, lane_count: int) -> None:
    """Closing the batch early removes what was staged and not taken."""
    outcomes = run_jobs(jobs(tmp_path, [10, 11, 12, 14]), HalfEngine(), lane_count)
    job, _ = next(outcomes)
    job.discard()
    outcomes.close()
    assert list(tmp_path.glob("*.out")) == []


@pytest.mark.parametrize(
    ("failure", "kind"),
    [(MemoryError(), NotEnoughMemoryError), (ZeroDivisionError("odd"), UnexpectedError)],
)
def test_unforeseen_failures_are_sentences_too(
    tmp_path: Path, failure: Exception, kind: type[MatteboxError]
) -> None:
    """What nobody foresaw names the photo and the step, keeps its cause, and stops nothing."""
    wanted = jobs(tmp_path, [10, 13, 12])
    done = dict(zip("abc", (outcome for _, outcome in run_jobs(wanted, HalfEngine(failure))), strict=True))
    assert isinstance(done["a"], JobReport)
    assert isinstance(done["c"], JobReport)
    error = done["b"]
    assert isinstance(error, kind)
    assert error.step == "cut"
    assert error.__cause__ is failure
    assert str(wanted[1].source) in str(error)


def test_a_folder_that_refuses_is_told_as_such(tmp_path: Path) -> None:
    """Where nothing can be written nothing can be removed either, and the first is what the user hears."""
    (job,) = jobs(tmp_path, [10])
    blocked = replace(job, outputs=(StagedOutput(PngOutput(), job.source / "below.part"),))
    with pytest.raises(WriteError, match="could not be written") as caught:
        run_job(blocked, HalfEngine())
    assert caught.value.step == "write"


def test_one_job_alone_gives_the_same_bytes_as_in_a_batch(tmp_path: Path) -> None:
    """run_job and run_jobs share their steps: equal files, equal hashes."""
    (job,) = jobs(tmp_path, [33])
    alone = run_job(job, HalfEngine())
    ((_, batch),) = run_jobs([job], HalfEngine())
    assert isinstance(batch, JobReport)
    assert alone.outputs == batch.outputs
