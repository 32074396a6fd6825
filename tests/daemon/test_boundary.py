"""The boundary tells a refusal once, waits longer each time, and tells once that it is over."""

from __future__ import annotations

import errno
import itertools
import os
import random
import sqlite3
import subprocess
from http.client import BadStatusLine
from typing import TYPE_CHECKING, Any

import pytest
from tests.daemon.faults import ERRORS, Fault, refusable, single, trial, trials
from tests.daemon.hot_folders import CONFIG, HotFolders, until

from mattebox.core.errors import PhotoError
from mattebox.daemon import loop
from mattebox.daemon.errors import JournalError
from mattebox.daemon.events import Event, Events
from mattebox.daemon.guard import Guards
from mattebox.daemon.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REFUSED = [
    OSError(errno.ESTALE, os.strerror(errno.ESTALE), "/srv/in"),
    PhotoError("a.jpg: this is no photo."),
    ValueError("embedded null byte"),
    sqlite3.OperationalError("disk I/O error"),
    BadStatusLine("SSH-2.0"),
]


# Calls of the threads that watch folders alone.
WATCHERS = {"inotify_add_watch", "inotify_init1", "inotify_rm_watch", "poll"}


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time that was set."""
        return self.now


@pytest.mark.parametrize("error", REFUSED)
def test_a_refusal_is_told_once_and_waited_for_longer_each_time(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred refusals of a kind are one event; the pauses grow to a minute; the end is one event more."""
    clock = Clock()
    heard: list[Event] = []
    boundary = Guards(Events(heard.append)).of("it cannot be done", "studio")
    monkeypatch.setattr(boundary, "_clock", clock)
    tries: list[float] = []

    def refuse() -> None:
        tries.append(clock.now)
        raise error

    while len(tries) < 100:
        boundary.run(refuse)
        clock.now += 0.5
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1.0, 60.0)
    clock.now += 60.0
    assert boundary.run(lambda: None)
    assert [event.name for event in heard] == ["held", "back"]
    assert heard[0].values["why"].startswith("it cannot be done; it is tried again: ")
    assert heard[0].level == "warning"


def test_another_kind_of_refusal_is_told_too() -> None:
    """A folder that is gone and then forbidden says both."""
    heard: list[Event] = []
    boundary = Guards(Events(heard.append)).of("it cannot be done")
    for number in (errno.ENOTCONN, errno.ENOTCONN, errno.EACCES):
        boundary.refused(OSError(number, os.strerror(number)))
    assert [event.name for event in heard] == ["held", "held"]


def test_a_mistake_of_ours_is_no_refusal() -> None:
    """What only a mistake in the code raises is never waited for in silence."""
    with pytest.raises(ZeroDivisionError):
        Guards(Events()).run("it cannot be done", lambda: 1 // 0)


def test_the_journal_holds_everything() -> None:
    """Its refusal is no matter of one folder: it goes through every boundary to the loop."""

    def refuse() -> None:
        raise JournalError("state: it cannot be written.")

    with pytest.raises(JournalError):
        Guards(Events()).run("it cannot be done", refuse)


@pytest.mark.slow
def test_once_gives_up_on_a_journal_that_stays_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`once` tries a few times and then ends with the sentence; the photo is where it was, and done later."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"one"})

    def refuse(*_: Any) -> None:
        raise JournalError("state: it cannot be written.")

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "add", refuse)
        with pytest.raises(JournalError):
            hot_folders.once()
    assert hot_folders.files() == {"in/a.jpg": b"one"}
    assert hot_folders.events_named("held")
    assert hot_folders.once().delivered == 1


@pytest.mark.slow
def test_what_gets_past_every_boundary_starts_the_loop_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the loop's own boundaries taken away, the one around the loop holds: it recovers and goes on."""
    left = [OSError(errno.ESTALE, "Stale file handle"), JournalError("state: refused."), ValueError("null")]
    real = loop.Loop._tick

    def tick(self: loop.Loop, *arguments: Any) -> None:
        if left and self.jobs.waiting:
            raise left.pop()
        real(self, *arguments)

    monkeypatch.setattr(loop.Loop, "_tick", tick)
    monkeypatch.setattr(loop.Loop, "_refused", lambda _, error, **__: (_ for _ in ()).throw(error))
    hot_folders = HotFolders(tmp_path)
    with hot_folders.watching():
        hot_folders.drop({"a.jpg": b"one", "b.jpg": b"two"})
        until(lambda: len(hot_folders.files("done")) == 2)
    assert not left
    assert [event.values["why"].partition(";")[0] for event in hot_folders.events_named("held")] == [
        "the hot folders are at rest"
    ] * 3


BROKEN = {
    "a day that is none": "version: 1\nfolders: 2020-99-99\n",
    "a number of 20,000 digits": f"version: 1\nfolders: {'9' * 20_000}\n",
    "NUL in a template": CONFIG.replace("./out/{tree}/{stem}.png", "./out/a\\0b/{stem}.png"),
    "no YAML": "version: [1\n",
    "bytes that are no text": "\udcff\udcfe",
    "settings that cannot be started": CONFIG + "metrics: {port: PORT}\n",
}


@pytest.mark.slow
def test_no_configuration_ends_the_daemon(tmp_path: Path) -> None:
    """Whatever is saved as the configuration, it is told and the last good one stays at work."""
    import socket

    hot_folders = HotFolders(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken, hot_folders.watching():
        until((tmp_path / "state" / "live.json").exists)
        for number, text in enumerate(BROKEN.values()):
            whole = text.replace("PORT", str(taken.getsockname()[1]))
            hot_folders.config.write_text(whole, encoding="utf-8", errors="surrogateescape")
            until(lambda number=number: len(hot_folders.events_named("config-broken")) > number)
            hot_folders.drop({f"{number}.jpg": b"photo %d" % number})
            until(lambda number=number: len(hot_folders.events_named("delivered")) > number)
    assert len(hot_folders.events_named("config-broken")) == len(BROKEN)


@pytest.mark.slow
def test_a_state_folder_that_cannot_be_used_does_not_end_the_daemon(tmp_path: Path) -> None:
    """A new `state:` that is a file is told, and the old one stays in use."""
    hot_folders = HotFolders(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with hot_folders.watching():
        until((tmp_path / "state" / "live.json").exists)
        hot_folders.config.write_text(CONFIG.replace("./state", "./file"), encoding="utf-8")
        until(lambda: bool(hot_folders.events_named("config-broken")))
        hot_folders.drop({"a.jpg": b"one"})
        until(lambda: bool(hot_folders.events_named("delivered")))


def test_strace_is_here() -> None:
    """The next test needs it; .ci/strace.sh installs it."""
    subprocess.run(["strace", "-V"], check=True, capture_output=True)


@pytest.mark.slow
def test_whatever_is_refused_the_daemon_lives_tells_and_finishes(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """Errors at system calls of a run, for a while and once; `python -m bench.faults` tries all of them.

    MATTEBOX_SEED=N repeats the sample that a former run printed.
    """
    calls = refusable(trial(tmp_path / "plain", None, seconds=30.0))
    assert {"openat", "newfstatat", "rename", "linkat", "unlink", "fsync", "pwrite64"} <= set(calls)
    seed = int(os.environ.get("MATTEBOX_SEED", random.randrange(1_000_000)))
    choose = random.Random(seed)
    ours = sorted(set(calls) - WATCHERS)
    faults = [Fault(call, error) for error in ERRORS for call in choose.sample(ours, 2)]
    faults += [Fault(choose.choice(sorted(calls)), error, threads=True) for error in ERRORS]
    faults += single(calls, choose, 12)
    found = list(trials(faults, tmp_path))
    met = [outcome for outcome in found if outcome.hits]
    figure(
        f"refusals at {len(calls)} system calls: {len(found)} faults tried, {len(met)} met, "
        f"{sum(outcome.hits for outcome in met)} refusals (MATTEBOX_SEED={seed})"
    )
    wrong = [
        f"{outcome.fault}: {outcome.wrong}; {outcome.events_named}" for outcome in found if outcome.wrong
    ]
    assert not wrong, "\n".join([*wrong, f"repeat with MATTEBOX_SEED={seed}"])
    assert len(met) > len(found) // 2
    assert len({outcome.fault.error for outcome in met if outcome.fault}) == len(ERRORS)
