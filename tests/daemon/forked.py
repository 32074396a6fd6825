"""The product's own daemon in a forked process, with workers that copy bytes: what faults are tried at."""

from __future__ import annotations

import ctypes
import json
import os
import queue
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.daemon.hot_folders import HotFolders, copy_inspection, copy_job

from mattebox.daemon import guard, serve
from mattebox.daemon.errors import Failure
from mattebox.daemon.events import Event, Events
from mattebox.daemon.intake import intake
from mattebox.daemon.intake.inspection import inspect_file
from mattebox.daemon.run import RunningPool
from mattebox.daemon.work import jobs
from mattebox.daemon.work.tasks import do_job
from mattebox.daemon.work.workers import TaskResult, guarded

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.daemon.inbox import Inbox

# Waits are made short, so that hundreds of faults take minutes; nothing else is changed.
_SHORT: Final = (
    (guard, "_FIRST_PAUSE", 0.05),
    (guard, "_MOST_PAUSE", 0.4),
    (intake, "_HELD_WAIT", 0.2),
    (intake, "_MOST_HELD_WAIT", 0.4),
    (jobs, "_RETRY_WAIT", 0.1),
    (jobs, "_MOST_WAIT", 0.4),
    (jobs, "_UNSETTLED", 0.1),
    (serve, "_RELOAD_CHECK", 0.2),
    (serve, "_REVIEW_CHECK", 0.1),
    (serve, "_LIVE_CHECK", 0.2),
)


class _Thread:
    """Workers: one thread that copies bytes."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._functions: dict[Any, Callable[[Any], Any]] = {do_job: copy_job, inspect_file: copy_inspection}
        threading.Thread(target=self._work, daemon=True).start()

    def submit(self, token: Any, function: Callable[[Any], Any], argument: Any, timeout: float) -> None:
        """Do it in the thread."""
        self._tasks.put((token, self._functions[function], argument))

    def start(self) -> None:
        """It is always ready."""

    def stop(self) -> None:
        """End the thread."""
        self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            token, function, argument = task
            value = guarded(function, argument)
            troubled = isinstance(value, Failure)
            self._inbox.put(TaskResult(token, None if troubled else value, value if troubled else None))


def daemon(hot_folders: HotFolders, told: int, before: Callable[[], object] = lambda: None) -> int:
    """Start the daemon in a forked child, which writes its events into `events_named`; its process id.

    `before` is done in the child first.
    """
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        before()
        with suppress(OSError, AttributeError):
            # Where only ancestors may trace a process: anybody may.
            ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1 & (2**64 - 1)), 0, 0, 0)
        for module, name, value in _SHORT:
            setattr(module, name, value)

        def emit(event: Event) -> None:
            line = json.dumps([event.name, event.level, event.values], default=str)
            # Not by the descriptor that a fault may refuse: what is told is looked at in memory.
            heard.append(line)

        heard: list[str] = []
        threading.Thread(target=_pass_on, args=(heard, told), daemon=True).start()
        serve.serve(hot_folders.config, Events(emit), start_pool=lambda inbox: RunningPool(_Thread(inbox), 4))
        code = 0
    except BaseException as error:
        os.write(told, json.dumps(["ended", "error", {"why": repr(error)}]).encode() + b"\n")
        raise
    finally:
        time.sleep(0.1)
        os._exit(code)


def _pass_on(heard: list[str], told: int) -> None:
    sent = 0
    while True:
        while sent < len(heard):
            with suppress(OSError):
                os.write(told, heard[sent].encode() + b"\n")
                sent += 1
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False


def listen(reader: int, events: list[list[Any]]) -> None:
    """Take down the events that a daemon writes, until it ends."""
    with suppress(OSError), os.fdopen(os.dup(reader), encoding="utf-8") as lines:
        events.extend(json.loads(line) for line in lines)


def wait_for(true: Callable[[], bool], seconds: float) -> bool:
    """Whether something comes true in so many seconds."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
