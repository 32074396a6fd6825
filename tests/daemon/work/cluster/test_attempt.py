"""One attempt on a worker: its marker says whether it began, and a late one throws its work away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.daemon.hot_folders import copy_job

from mattebox.core.errors import PhotoError
from mattebox.core.job import Job, StagedOutput
from mattebox.core.job_report import JobReport
from mattebox.core.settings import parse_output
from mattebox.daemon.errors import NOT_BEGUN, Failure
from mattebox.daemon.journal.markers import attempt_marker
from mattebox.daemon.work.cluster.attempt import NO_STORAGE, attempt, give_up, how_it_ended
from mattebox.daemon.work.cluster.wire import packed_task, unpacked_answer
from mattebox.daemon.work.tasks import JobTask


def job(folder: Path) -> JobTask:
    """One photo, one output."""
    (folder / "a.jpg").write_bytes(b"good")
    staged = folder / ".mattebox-id-1-0.part"
    return JobTask(Job(folder / "a.jpg", (StagedOutput(parse_output({"format": "png"}), staged),)), None)


def tried(task: JobTask, function: Any = copy_job) -> JobReport | Failure:
    """The answer as the daemon has it."""
    return unpacked_answer(attempt(function, packed_task(task), 30))


def test_the_marker_stands_while_the_work_lasts(tmp_path: Path) -> None:
    """Before and after there is none."""
    task = job(tmp_path)
    marker = attempt_marker(task.job.outputs[0].staged)
    seen = []

    def looking(inner: JobTask) -> JobReport:
        seen.append(marker.exists())
        return copy_job(inner)

    assert isinstance(tried(task, looking), JobReport)
    assert (seen, marker.exists()) == ([True], False)
    assert how_it_ended(marker, 5).kind == NOT_BEGUN


def test_what_a_dead_worker_leaves_says_how_it_ended(tmp_path: Path) -> None:
    """An empty marker is a crash, one that faulthandler wrote into is a time limit."""
    marker = tmp_path / "m.begun"
    marker.write_bytes(b"")
    assert (how_it_ended(marker, 5).kind, how_it_ended(marker, 5).hold) == ("crash", False)
    marker.write_bytes(b"Timeout (0:00:05)!\nThread 0x1 (most recent call first):\n")
    assert how_it_ended(marker, 5).kind == "timeout"
    assert "5 seconds" in how_it_ended(marker, 5).what


def test_an_attempt_that_was_given_up_throws_its_work_away(tmp_path: Path) -> None:
    """The daemon takes the marker away; what the late twin writes afterwards does not stay."""
    task = job(tmp_path)

    def late(inner: JobTask) -> JobReport:
        report = copy_job(inner)
        attempt_marker(task.job.outputs[0].staged).unlink()
        return report

    answer = tried(task, late)
    assert isinstance(answer, Failure)
    assert answer.kind == NOT_BEGUN
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_an_attempt_never_begins_twice(tmp_path: Path) -> None:
    """A scheduler that runs a killed job again by its own rules changes nothing."""
    task = job(tmp_path)
    attempt_marker(task.job.outputs[0].staged).write_bytes(b"")
    answer = tried(task)
    assert isinstance(answer, Failure)
    assert answer.kind == "crash"
    assert not task.job.outputs[0].staged.exists()


def test_a_process_that_ends_on_purpose_leaves_no_blame(tmp_path: Path) -> None:
    """Its marker is gone before it is."""
    task = job(tmp_path)
    kinds = []

    def stopped(inner: JobTask) -> JobReport:
        give_up()
        kinds.append(how_it_ended(attempt_marker(task.job.outputs[0].staged), 5).kind)
        return copy_job(inner)

    tried(task, stopped)
    assert kinds == [NOT_BEGUN]


def test_a_worker_without_the_storage_blames_no_photo(tmp_path: Path) -> None:
    """No folder of outputs, no original, or a share that went away in the middle of the work."""
    task = job(tmp_path)

    def vanishing(inner: JobTask) -> JobReport:
        inner.job.source.unlink()
        raise PhotoError(f"{inner.job.source}: it cannot be read.")

    answers = [tried(task, vanishing), tried(job(tmp_path), failing)]
    nowhere = StagedOutput(parse_output({"format": "png"}), tmp_path / "no" / "x.part")
    answers.append(tried(JobTask(Job(tmp_path / "a.jpg", (nowhere,)), None)))
    kinds = [answer.kind for answer in answers if isinstance(answer, Failure)]
    assert kinds == [NO_STORAGE, "PhotoError", NO_STORAGE]


def failing(inner: JobTask) -> JobReport:
    """A photo's own fault."""
    raise PhotoError(f"{inner.job.source}: it cannot be read.")
