"""Only what ends in the middle of a photo's work costs that photo an attempt."""

from __future__ import annotations

import json
import os
import signal
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tests.daemon.hot_folders import HotFolders, copy_job
from tests.daemon.work.deadly_tasks import fatal_inspection, fatal_job

from mattebox.daemon.config.load import load_config
from mattebox.daemon.events import Events
from mattebox.daemon.intake.inspection import inspect_file
from mattebox.daemon.journal.markers import Markers, in_progress
from mattebox.daemon.run import RunningPool, run
from mattebox.daemon.work.tasks import do_job
from mattebox.daemon.work.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.daemon.inbox import Inbox
    from mattebox.daemon.work.tasks import JobTask


@dataclass(frozen=True)
class Killed:
    """Work for the hot folders: the whole daemon is killed at a photo, before or after its work has begun."""

    begun: bool

    def __call__(self, work: JobTask) -> Any:
        """Never come back."""
        with in_progress(work.marker) if self.begun else nullcontext():
            os.kill(os.getpid(), signal.SIGKILL)


def killed(hot_folders: HotFolders) -> bool:
    """Whether a run in a child of this process was killed."""
    child = os.fork()
    if child == 0:
        try:
            hot_folders.once()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_a_photo_that_only_stood_in_line_loses_no_attempt(tmp_path: Path) -> None:
    """Ten kills before its work begins, and it is delivered all the same; no marker is left."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"good"})
    hot_folders.functions[do_job] = Killed(begun=False)
    assert all(killed(hot_folders) for _ in range(10))
    hot_folders.functions[do_job] = copy_job
    assert hot_folders.once().delivered == 1
    assert hot_folders.files("done") == {"a.jpg": b"good"}
    assert not (tmp_path / "state" / "begun").exists() or not list((tmp_path / "state" / "begun").iterdir())


def test_a_photo_whose_work_had_begun_loses_an_attempt_each_time(tmp_path: Path) -> None:
    """After three kills in its work it lies in failed/ with what happened; no marker is left."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"good"})
    hot_folders.functions[do_job] = Killed(begun=True)
    assert [killed(hot_folders) for _ in range(4)] == [True, True, True, False]
    reason = json.loads(hot_folders.files("failed")["a.jpg.reason.json"])
    assert reason["attempts"] == 3
    assert "3 times" in reason["what"]
    assert not list((tmp_path / "state").glob("begun/*"))


class Fatal(Workers):
    """A real worker process whose work is fatal to the daemon on some bytes."""

    def submit(self, token: Any, function: Callable[[Any], Any], argument: Any, timeout: float) -> None:
        """The same way, with other work at its end."""
        super().submit(
            token, {do_job: fatal_job, inspect_file: fatal_inspection}[function], argument, timeout
        )


@pytest.mark.slow
def test_photos_behind_one_that_ends_the_daemon_are_delivered(tmp_path: Path) -> None:
    """What is fatal at inspection or at work fails after three attempts, what queued behind does not."""
    hot_folders = HotFolders(tmp_path)
    good = {f"b-{number}.jpg": b"good %d" % number for number in range(3)}
    hot_folders.drop({"a.jpg": b"fatal work", "c.jpg": b"fatal look", **good})

    def start_pool(inbox: Inbox) -> RunningPool:
        return RunningPool(Fatal(inbox, workers=1, threads=1, device="cpu"), 4)

    def work() -> None:
        run(load_config(hot_folders.config), Events(), once=True, start_pool=start_pool)

    kills = 0
    while True:
        child = os.fork()
        if child == 0:
            try:
                work()
            finally:
                os._exit(0)
        if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            break
        kills += 1
    assert kills == 6
    assert hot_folders.files("done") == good
    failed = hot_folders.files("failed")
    assert set(failed) == {"a.jpg", "a.jpg.reason.json", "c.jpg", "c.jpg.reason.json"}
    assert json.loads(failed["a.jpg.reason.json"])["attempts"] == 3
    assert "3 times" in json.loads(failed["c.jpg.reason.json"])["what"]
    assert not list(tmp_path.rglob(".mattebox*"))
    assert not list((tmp_path / "state").glob("begun/*"))
    assert not list((tmp_path / "state").glob("looking/*"))


def test_a_photo_that_was_done_when_the_daemon_fell_loses_no_attempt(tmp_path: Path) -> None:
    """Its answer was never heard, but it did not end the daemon: it is done again, as often as it takes."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"good"})

    def unheard(work: JobTask) -> Any:
        copy_job(work)
        os.kill(os.getpid(), signal.SIGKILL)

    hot_folders.functions[do_job] = unheard
    assert all(killed(hot_folders) for _ in range(5))
    hot_folders.functions[do_job] = copy_job
    assert hot_folders.once().delivered == 1
    assert hot_folders.files("done") == {"a.jpg": b"good"}
    assert not list(tmp_path.rglob(".mattebox*"))


def test_a_mark_is_there_while_the_work_is(tmp_path: Path) -> None:
    """It goes when the work ends, well or not; what a kill left is cleared, or swept with its folder."""
    markers = Markers(tmp_path / "begun")
    markers.sweep(())
    with in_progress(markers.of("a")):
        assert markers.is_set("a")
    with pytest.raises(ValueError, match="broken"), in_progress(markers.of("b")):
        raise ValueError("broken")
    assert [markers.is_set(name) for name in "ab"] == [False, False]
    for name in "abc":
        markers.of(name).touch()
    markers.clear("b")
    markers.clear("b")
    assert [markers.is_set(name) for name in "abc"] == [True, False, True]
    markers.sweep({"c"})
    assert [markers.is_set(name) for name in "abc"] == [False, False, True]
    markers.sweep(())
    assert not (tmp_path / "begun").exists()
