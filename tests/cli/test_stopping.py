"""A stopped `mattebox cut` ends at once, leaves nothing unfinished, and goes on where it stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mattebox.cli.staging import Staging

HOW = ("-m", "u2netp", "--quality", "fast")
Started = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    """Starts `mattebox cut` with a state folder of the test's own."""
    running: list[subprocess.Popen[str]] = []
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}

    def start(*arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "mattebox.cli.main", "cut", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **state},
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def many(photos: Path) -> Path:
    """Twelve photos in a folder."""
    folder = photos.parent / "many"
    folder.mkdir()
    for index in range(12):
        shutil.copy(photos / "cat.png", folder / f"{index:02}.png")
    return folder


def unfinished(folder: Path) -> list[str]:
    """The hidden files below a folder."""
    return [path.name for path in folder.rglob(".*")]


@pytest.mark.network
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_and_leaves_nothing_unfinished(
    started: Started, many: Path, number: signal.Signals
) -> None:
    """The photos in flight are given up, no hidden file stays, and --skip-existing does the others alone."""
    out = many.parent / "out"
    process = started(many, "-o", out, "-f", "psd", "-f", "png", *HOW)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    _, told = process.communicate()
    assert process.returncode == 128 + number
    assert told == "Stopped.\n"
    assert unfinished(out) == []
    assert list((many.parent / "state/mattebox/runs").glob("*.lock")) == []
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    assert len(before) < 24
    again = started(many, "-o", out, "-f", "psd", "-f", "png", *HOW, "--skip-existing")
    _, told = again.communicate()
    assert again.returncode == 0, told
    assert "done before" in told
    assert len(list(out.iterdir())) == 24
    assert before == {name: (out / name).stat().st_mtime_ns for name in before}


@pytest.mark.network
def test_what_a_killed_run_left_goes_with_the_next_run(started: Started, many: Path) -> None:
    """After kill -9 the next run into the same folder removes what the dead one had not finished."""
    out = many.parent / "out"
    process = started(many, "-o", out, "-f", "psd", "-f", "png", *HOW)
    while process.poll() is None and not (out.is_dir() and unfinished(out)):
        time.sleep(0.002)  # else it takes one of two cores from what it waits for
    process.kill()
    process.communicate()
    (out / ".mattebox-0123456789ab.part").write_bytes(b"a hot folder's")
    left = unfinished(out)
    again = started(many, "-o", out, "-f", "psd", "-f", "png", *HOW, "--skip-existing")
    again.communicate()
    assert again.returncode == 0
    assert unfinished(out) == [".mattebox-0123456789ab.part"], left


def test_only_the_files_of_dead_runs_of_this_computer_are_swept(tmp_path: Path) -> None:
    """A living run's files stay, and those of another computer, of another owner, and of no run at all."""
    locks, out = tmp_path / "locks", tmp_path / "out"
    out.mkdir()
    dead = Staging(locks).__enter__()
    lost = dead.name(out / "a.png")
    lost.write_bytes(b"half")
    assert dead._lock is not None
    os.close(dead._lock)  # as the kernel does for a killed process
    with Staging(locks) as living, Staging(tmp_path / "other locks") as foreign:
        kept = [living.name(out / "b.png"), foreign.name(out / "c.png"), out / ".mattebox-0123456789ab.part"]
        kept += [out / lost.name.replace("cut-", "cut-x"), out / ".mattebox-cut-mine.part", out / "d.png"]
        for path in kept:
            path.write_bytes(b"whole")
        with Staging(locks) as next_run:
            assert next_run.sweep([out, tmp_path / "missing"]) == 1
        assert all(path.exists() for path in kept)
    assert not lost.exists()
    assert list(locks.glob("*.lock")) == []


def test_a_state_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    """Without a lock names are given all the same, and nobody ever takes them for a dead run's."""
    (tmp_path / "file").touch()
    with Staging(tmp_path / "file" / "locks") as run:
        name = run.name(tmp_path / "a.png")
        name.write_bytes(b"half")
        with Staging(tmp_path / "locks") as other:
            assert other.sweep([tmp_path]) == 0
        assert name.exists()
    assert not name.exists()


def test_overwrite_and_skip_existing_contradict_each_other(
    mattebox: Callable[..., Any], photos: Path
) -> None:
    """Both at once are wrong use."""
    ran = mattebox("cut", photos / "cat.png", "--overwrite", "--skip-existing")
    assert ran.status == 2
    assert "contradict" in ran.err
