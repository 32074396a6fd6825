"""Ctrl+C and SIGTERM end `mattebox cut` at once, whatever code it is in, and leave nothing unfinished."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# How long a file may take that is just getting its final name.
_PATIENCE: Final = 0.5
_SHOW_CURSOR: Final = "\r\x1b[K\x1b[?25h"


@contextmanager
def stopping_at_once(discard: Callable[[], None], publishing: threading.Lock) -> Iterator[None]:
    """Inside, a signal to stop ends the process: `discard` is called, then exit status 130, or 143.

    Python runs a handler only between two steps of the main thread, which may be many seconds inside a
    network's run. The signal's number is therefore written to a pair of sockets by Python's C handler
    (`signal.set_wakeup_fd`) and read by a thread. `publishing` is held while a file gets its final name.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: None) for number in numbers]
    wakeup = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    thread = threading.Thread(target=_watch, args=(reading, discard, publishing), daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        writing.close()
        thread.join()
        reading.close()


def _watch(reading: socket.socket, discard: Callable[[], None], publishing: threading.Lock) -> None:
    while told := reading.recv(1):
        number = told[0]
        if number in (signal.SIGINT, signal.SIGTERM):
            # Not given back: nothing is published after this.
            publishing.acquire(timeout=_PATIENCE)
            _open_no_more()
            discard()
            with suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.write(f"{_SHOW_CURSOR if sys.stderr.isatty() else ''}Stopped.\n")
                sys.stderr.flush()
            os._exit(128 + number)


def _open_no_more() -> None:
    """No thread of this process can make a file from now on, so that what is removed stays away."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - not on Windows

        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
