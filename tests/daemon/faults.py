"""Faults: a daemon at work whose system calls are refused one after another, by strace.

The daemon is the product's own (`serve`, its journal, its loop, its watches) in a process of its own; workers
are those of the hot folders' tests, in a thread beside it. strace is attached once it runs, makes a system
call fail as a disk, a share or the kernel may, and is taken away again: the fault is gone.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.daemon.forked import daemon, is_alive, listen, wait_for
from tests.daemon.hot_folders import CONFIG, HotFolders

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator, Mapping, Sequence


ERRORS: Final = ("EACCES", "EIO", "ENOTCONN", "ESTALE", "ENOSPC", "EROFS", "ENAMETOOLONG", "EMFILE")
# These have no refusals: the C library ends the process where they fail, or never asks.
_NOT_REFUSED: Final = frozenset(
    "futex mmap munmap mprotect mremap madvise brk clone clone3 set_robust_list rseq rt_sigaction "  # noqa: SIM905 - a table of words
    "rt_sigprocmask rt_sigreturn rt_sigtimedwait sigaltstack exit exit_group wait4 waitid restart_syscall "
    "getpid gettid getppid getuid geteuid getgid getegid getrandom clock_nanosleep nanosleep clock_gettime "
    "sched_yield sched_getaffinity prctl arch_prctl kill tgkill pause".split()
)
# Refused, these hold nothing up: SQLite waits for a lock for half a minute, empty folders stay for the next
# sweep, a sub-folder without a watch is rescanned, a reader of events that ended is built anew, and where a
# disk does not tell its longest name (statfs) the usual one holds. inotify_init1 also asks, at each rescan,
# whether a watch is left; that a folder's own watch is refused is told, and has a test of its own
# (test_in_sight.py), but a fault may meet the question alone.
_QUIET: Final = frozenset(
    {"fcntl", "rmdir", "inotify_add_watch", "inotify_init1", "poll", "ioctl", "lseek", "statfs"}
)
_MOST_TELLINGS: Final = 4
WARNINGS: Final = frozenset({"warning", "error"})
TEXT: Final = CONFIG.replace("rescan: 1s", "rescan: 300ms\n    patience: 500ms").replace(
    "        deliver", "        review: {below: 0.5, to: ./review}\n        deliver"
)
PHOTOS: Final = {
    "a.jpg": b"one",
    "a.xmp": b"stars",
    "sub/a.jpg": b"two",
    "bad.jpg": b"bad",
    "bad.jpg.dop": b"recipe",
    "doubt.jpg": b"doubt",
}
# Whatever else is refused, these are the files in the end.
END: Final = {
    "done/a.jpg": b"one",
    "done/a.xmp": b"stars",
    "done/sub/a.jpg": b"two",
    "done/doubt.jpg": b"doubt",
    "failed/bad.jpg": b"bad",
    "failed/bad.jpg.dop": b"recipe",
    "out/a.psd": b"psd:one",
    "out/a.png": b"png:one",
    "out/sub/a.psd": b"psd:two",
    "out/sub/a.png": b"png:two",
    "out/doubt.psd": b"psd:doubt",
    "out/doubt.png": b"png:doubt",
}


@dataclass(frozen=True)
class Fault:
    """A system call that fails. at: the first call that does, from 1. outage: all after it, too."""

    call: str
    error: str
    at: int = 1
    outage: bool = True
    threads: bool = False

    def expression(self) -> str:
        """What strace understands."""
        return f"inject={self.call}:error={self.error}:when={self.at}{'+' if self.outage else ''}"


@dataclass
class Outcome:
    """What became of a daemon under a fault. wrong: what should not be, in words; told: its warnings."""

    fault: Fault | None
    hits: int = 0
    late: bool = False
    told: list[str] = field(default_factory=list)
    wrong: str = ""
    calls: dict[str, int] = field(default_factory=dict)


def trial(root: Path, fault: Fault | None, *, seconds: float = 0.8, patience: float = 60.0) -> Outcome:
    """One daemon, one fault of so many seconds, and what is there afterwards."""
    shutil.rmtree(root, ignore_errors=True)
    hot_folders = HotFolders(root, TEXT)
    outcome = Outcome(fault)
    reader, writer = os.pipe()
    pid = daemon(hot_folders, writer)
    os.close(writer)
    events: list[list[Any]] = []
    listener = threading.Thread(target=listen, args=(reader, events), daemon=True)
    listener.start()
    try:
        wait_for(lambda: (root / "state" / "live.json").exists() or not is_alive(pid), patience)
        log = root.with_name(f"{root.name}.strace")
        tracer = _attach(pid, fault, log)
        hot_folders.drop(PHOTOS)
        hot_folders.config.write_text(f"{TEXT}# looked at anew\n", encoding="utf-8")
        wait_for(lambda: is_finished(hot_folders) or not is_alive(pid), seconds)
        outcome.late = not is_finished(hot_folders)
        tracer.send_signal(signal.SIGINT)
        tracer.wait(30)
        _read_log(log, fault, outcome)
        wait_for(lambda: is_finished(hot_folders) or not is_alive(pid), patience)
        outcome.wrong = _what_is_wrong(hot_folders, pid, outcome, events, patience)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
        listener.join(5)
        os.close(reader)
    outcome.events_named = [
        f"{name}: {values.get('why', '')}"
        for name, level, values in events
        if level in WARNINGS and not (name == "failed" and "bad.jpg" in values["input"])
    ]
    loud = fault is not None and fault.outage and fault.call not in _QUIET
    if not outcome.wrong and loud and outcome.hits and not outcome.events_named:
        outcome.wrong = "it was refused and told nothing"
    held = Counter(text for text in outcome.events_named if text.startswith("held"))
    often = [text for text, count in held.items() if count > _MOST_TELLINGS]
    if not outcome.wrong and often:
        outcome.wrong = f"it told the same again and again: {often}"
    if not outcome.wrong:
        shutil.rmtree(root, ignore_errors=True)
    return outcome


def refusable(outcome: Outcome) -> dict[str, int]:
    """Of the calls of a run without faults those that may be refused, and how often each came."""
    return {call: count for call, count in sorted(outcome.calls.items()) if call not in _NOT_REFUSED}


def _attach(pid: int, fault: Fault | None, log: Path) -> subprocess.Popen[bytes]:
    options = ["-e", f"trace={fault.call}", "-e", fault.expression()] if fault is not None else []
    if fault is None or fault.threads:
        options.append("-f")
    command = ["strace", "-qq", "-o", os.fspath(log), *options, "-p", str(pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    status = Path(f"/proc/{pid}/status")
    wait_for(lambda: "TracerPid:\t0\n" not in status.read_text("ascii") or tracer.poll() is not None, 30)
    assert tracer.poll() is None, f"strace could not attach: {command}"
    return tracer


def _read_log(log: Path, fault: Fault | None, outcome: Outcome) -> None:
    main = None
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        found = re.match(r"(?:(\d+) +)?(\w+)\(", line)
        if found is None:
            continue
        main = main or found[1]
        outcome.hits += line.endswith("(INJECTED)")
        if fault is None:
            outcome.calls[found[2]] = outcome.calls.get(found[2], 0) + 1
    log.unlink()


def is_finished(hot_folders: HotFolders) -> bool:
    """Whether all is done that can be; a person approves the review as soon as it lies there."""
    psds = [path for path in (hot_folders.root / "review").glob("*.psd") if not path.name.startswith(".")]
    for psd in psds:
        folder = hot_folders.root / "review" / "approved"
        folder.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            psd.rename(folder / psd.name)
    ended = (
        (hot_folders.root / name).exists()
        or (name.startswith("done/") and (hot_folders.root / name.replace("done/", "failed/")).exists())
        for name in END
        if not name.startswith("out/")
    )
    return all(ended) and not (hot_folders.root / "in" / ".mattebox").exists()


def _what_is_wrong(
    hot_folders: HotFolders, pid: int, outcome: Outcome, events: Sequence[list[Any]], patience: float
) -> str:
    if not is_alive(pid):
        return f"the daemon ended: {events[-1:]}"
    os.kill(pid, signal.SIGTERM)
    status = [0]

    def ended() -> bool:
        found, status[0] = os.waitpid(pid, os.WNOHANG)
        return found != 0

    if not wait_for(ended, patience):
        return "the daemon did not end when asked"
    if os.waitstatus_to_exitcode(status[0]) != 0:
        return f"exit status {os.waitstatus_to_exitcode(status[0])}: {events[-1:]}"
    found, end = hot_folders.files(), dict(END)
    reasons = {name for name in found if name.startswith("failed/") and name.endswith(".reason.json")}
    if outcome.fault is not None and outcome.fault.threads and outcome.fault.error == "ENAMETOOLONG":
        # The worker is a thread beside, and a name that is too long is the photo's own matter: it may fail.
        for name in reasons - {"failed/bad.jpg.reason.json"}:
            stem = name.removeprefix("failed/").removesuffix(".jpg.reason.json")
            end[f"failed/{stem}.jpg"] = end.pop(f"done/{stem}.jpg")
            if f"done/{stem}.xmp" in end:
                end[f"failed/{stem}.xmp"] = end.pop(f"done/{stem}.xmp")
            del end[f"out/{stem}.psd"], end[f"out/{stem}.png"]
            reasons.discard(name)
            found.pop(name)
    if reasons != {"failed/bad.jpg.reason.json"} or not found.pop("failed/bad.jpg.reason.json").startswith(
        b"{"
    ):
        return f"other reasons than expected: {sorted(found)}"
    if found != end:
        return f"other files than expected: {sorted(set(found.items()) ^ set(end.items()))}"
    return ""


assert all(hasattr(errno, name) for name in ERRORS)


def trials(faults: Sequence[Fault], root: Path, *, runners: int = 6) -> Iterator[Outcome]:
    """Try each fault, several beside one another: they mostly wait."""
    context = multiprocessing.get_context("fork")
    with context.Pool(runners, maxtasksperchild=20) as pool:
        yield from pool.imap_unordered(partial(_in_its_own, root), faults)


def _in_its_own(root: Path, fault: Fault) -> Outcome:
    name = f"{fault.call}-{fault.error}-{fault.at}{'+' * fault.outage}{'-all' * fault.threads}"
    return trial(root / name, fault)


def outages(calls: Iterable[str], *, threads: bool) -> list[Fault]:
    """Every error at every call, for as long as the fault lasts."""
    return [Fault(call, error, threads=threads) for call in calls for error in ERRORS]


def single(calls: Mapping[str, int], choose: random.Random, count: int) -> list[Fault]:
    """So many single refusals, each an error at one call of a run, chosen evenly among the calls."""
    names = sorted(calls)
    found = []
    for _ in range(count):
        call = choose.choice(names)
        found.append(Fault(call, choose.choice(ERRORS), choose.randint(1, calls[call]), outage=False))
    return found
