"""The inbox: what workers, watches and signals send to the loop, in order."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from threading import Lock
from typing import Any, Literal, NamedTuple

Ending = Literal["stopped", "reload", "idle"]


class Stop(NamedTuple):
    """Somebody asks the loop to end."""

    why: Ending = "stopped"


class News(NamedTuple):
    """Something that others than the loop have noticed, to be told as an event."""

    event: str
    values: dict[str, Any]


class Inbox:
    """A queue of one reader that anybody may put into: threads, and signal handlers in the reader itself.

    queue.Queue may lock up when a signal handler puts while its own thread gets. queue.SimpleQueue.get
    waits without end when its timeout passes within the call (CPython 3.11: a time that is over becomes a
    negative one, which means for ever), as happens on a machine that stalls for some milliseconds.
    """

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        # Open while something new is there; who opens it twice changes nothing.
        self._bell = Lock()
        self._bell.acquire()

    def put(self, item: Any) -> None:
        """Add an item and wake the reader."""
        self._items.append(item)
        with suppress(RuntimeError):
            self._bell.release()

    def get(self, timeout: float) -> list[Any]:
        """All that is there, after at most `timeout` seconds of waiting for a first item; perhaps nothing."""
        if not self._items:
            self._bell.acquire(timeout=max(0.0, timeout))
        found = []
        with suppress(IndexError):
            while True:
                found.append(self._items.popleft())
        return found
