"""A worker that dies, hangs or fails costs its own task and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from tests.daemon.hot_folders import until
from tests.daemon.work.failing_tasks import act

from mattebox.daemon.config.units import LEAST_MEMORY
from mattebox.daemon.work.sizing import choose_sizing
from mattebox.daemon.work.workers import TaskResult, Workers

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.slow
def test_bad_tasks_end_alone_and_good_ones_go_on() -> None:
    """Each bad end is told as plain data; all good tasks around them are done."""
    results: SimpleQueue[Any] = SimpleQueue()
    pool = Workers(results, workers=2, threads=1, device="cpu")
    words = ["die", "good", "crash", "hang", "memory", "photo", "full", *["good"] * 6]
    try:
        for number, word in enumerate(words):
            # Starting a worker counts, so the time allowed is generous for all but the one that hangs.
            pool.submit((number, word), act, word, 3 if word == "hang" else 120)
        found: dict[Any, TaskResult] = {}
        while len(found) < len(words):
            done = results.get(timeout=120)
            found[done.token] = done
    finally:
        pool.stop()
    by_word = {token[1]: done for token, done in found.items()}
    assert sum(done.value == "good" for done in found.values()) == 7
    assert by_word["good"].failure is None
    failures = {word: done.failure for word, done in by_word.items() if done.failure is not None}
    assert {word: (item.kind, item.retry, item.hold) for word, item in failures.items()} == {
        "die": ("crash", True, False),
        "crash": ("crash", True, False),
        "hang": ("timeout", True, False),
        "memory": ("NotEnoughMemoryError", True, False),
        "photo": ("PhotoError", False, False),
        "full": ("OSError", True, True),
    }
    assert "SIGKILL" in failures["die"].what


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit is the kernel's")
def test_a_worker_cannot_take_more_than_its_memory() -> None:
    """NumPy's and native allocations beyond the limit end their own task; the worker goes on with others."""
    results: SimpleQueue[Any] = SimpleQueue()
    pool = Workers(results, workers=1, threads=1, device="cpu", memory=1_000_000_000)
    try:
        words = ["good", "allocate", "good", "native", "good"]
        for number, word in enumerate(words):
            pool.submit((number, word), act, word, 120)
        found = [results.get(timeout=120) for _ in words]
    finally:
        pool.stop()
    told = {done.token[1]: done.failure and (done.failure.kind, done.failure.retry) for done in found}
    assert [done.value for done in found if done.token[1] == "good"] == ["good"] * 3
    assert told == {
        "good": None,
        "allocate": ("NotEnoughMemoryError", True),
        "native": ("NotEnoughMemoryError", True),
    }


@pytest.mark.slow
def test_stopping_blames_nobody() -> None:
    """A task that is in work when the pool is stopped is not told as a failure."""
    results: SimpleQueue[Any] = SimpleQueue()
    pool = Workers(results, workers=1, threads=1, device="cpu")
    pool.submit("first", act, "good", 120)
    assert results.get(timeout=120).value == "good"
    pool.submit("second", act, "hang", 600)
    time.sleep(0.5)
    pool.stop()
    assert results.empty()


@pytest.mark.slow
def test_a_task_that_is_given_up_tells_nothing_and_stops_nobody() -> None:
    """One in work is killed, one that waits never begins, one that is over stays as it is; others go on."""
    results: SimpleQueue[Any] = SimpleQueue()
    pool = Workers(results, workers=1, threads=1, device="cpu")
    try:
        pool.submit("first", act, "good", 120)
        assert results.get(timeout=120).value == "good"
        pool.submit("hangs", act, "hang", 600)
        pool.submit("waits", act, "good", 120)
        pool.submit("last", act, "good", 120)
        pool.cancel("waits")
        time.sleep(1)
        pool.cancel("hangs")
        pool.cancel("first")
        pool.cancel("never was")
        done = results.get(timeout=120)
        assert (done.token, done.value) == ("last", "good")
        assert results.empty()
    finally:
        pool.stop()


@pytest.mark.slow
def test_a_pool_that_broke_is_made_anew() -> None:
    """Pebble's pool gives up where its channel is stuck; the next task gets a new one, without blame."""
    results: SimpleQueue[Any] = SimpleQueue()
    pool = Workers(results, workers=1, threads=1, device="cpu")
    try:
        pool.submit("first", act, "hang", 600)
        time.sleep(0.5)
        pool._pool._pool_manager.handle_broken_pool(BrokenProcessPool("the channel is stuck"))
        broken = results.get(timeout=60)
        assert broken.failure is not None
        assert broken.failure.hold
        pool.submit("second", act, "good", 120)
        assert results.get(timeout=120).value == "good"
    finally:
        pool.stop()


@pytest.mark.slow
def test_workers_end_when_their_daemon_is_killed(tmp_path: Path) -> None:
    """Kill -9 of the parent leaves no worker, not even one that hangs."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys, time\n"
        "from queue import SimpleQueue\n"
        "from mattebox.daemon.work.workers import Workers\n"
        "from tests.daemon.work.failing_tasks import act\n"
        "if __name__ == '__main__':\n"
        "    pool = Workers(SimpleQueue(), workers=2, threads=1, device='cpu')\n"
        "    pool.submit(1, act, 'hang', 600)\n"
        "    pool.submit(2, act, 'hang', 600)\n"
        "    time.sleep(600)\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with subprocess.Popen([sys.executable, os.fspath(script)], env=environment) as parent:
        until(lambda: len(children(parent.pid)) >= 2)
        time.sleep(0.5)
        started = children(parent.pid)
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
    until(lambda: not [pid for pid in started if alive(pid)], 30)


def children(parent: int) -> list[int]:
    """The processes whose parent this is."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("wanted", "weights", "cores", "free", "workers", "threads"),
    [
        ("auto", 176_000_000, 2, 16e9, 2, 1),
        ("auto", 176_000_000, 16, 64e9, 5, 3),
        ("auto", 176_000_000, 16, 3e9, 2, 8),
        ("auto", 176_000_000, 1, 64e9, 1, 1),
        ("auto", 900_000_000, 8, 8e9, 3, 2),
        ("auto", 176_000_000, 8, None, 3, 2),
        (7, 176_000_000, 4, 1e9, 7, 1),
    ],
)
def test_workers_fit_the_cores_and_the_memory(
    wanted: Any, weights: int, cores: int, free: float | None, workers: int, threads: int
) -> None:
    """Never more than the free memory holds, unless the user says so; threads fill the cores."""
    sizing = choose_sizing(wanted, "auto", weights, cores, None if free is None else int(free))
    assert (sizing.workers, sizing.threads) == (workers, threads)
    assert f"{cores} cores" in sizing.why


@pytest.mark.parametrize(
    ("memory", "free", "workers", "limit"),
    [
        ("auto", 16e9, 2, 14.4e9),
        ("none", 16e9, 2, None),
        (2_000_000_000, 16e9, 2, 2e9),
        (4_000_000_000, 2e9, 1, 4e9),
        ("auto", None, 2, None),
    ],
)
def test_the_memory_of_a_worker_is_limited(
    memory: Any, free: float | None, workers: int, limit: float | None
) -> None:
    """auto: nine tenths of what is free; a size as it is; none, or unknown memory: no limit."""
    sizing = choose_sizing("auto", memory, 176_000_000, 2, None if free is None else int(free))
    assert (sizing.workers, sizing.memory) == (workers, None if limit is None else int(limit))


def test_little_free_memory_still_lets_a_worker_work() -> None:
    """The limit is never below what one worker is planned with."""
    sizing = choose_sizing("auto", "auto", 176_000_000, 2, 200_000_000)
    assert sizing.workers == 1
    assert sizing.memory is not None
    assert sizing.memory >= LEAST_MEMORY


def test_a_network_that_looks_at_more_pixels_takes_more() -> None:
    """The same free memory holds fewer workers of it."""
    few = choose_sizing("auto", "auto", 88_000_000, 16, 6_000_000_000, side=1024)
    many = choose_sizing("auto", "auto", 88_000_000, 16, 6_000_000_000, side=320)
    assert few.workers < many.workers


def test_a_judge_takes_memory_of_its_own() -> None:
    """The same free memory holds fewer workers that load the promptable network beside their own."""
    few = choose_sizing("auto", "auto", 176_000_000, 16, 5_000_000_000, judged=True)
    many = choose_sizing("auto", "auto", 176_000_000, 16, 5_000_000_000)
    assert few.workers < many.workers
