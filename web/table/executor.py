"""PriorityExecutor: one thread for work that may not run beside itself, the most urgent first."""

from __future__ import annotations

import itertools
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class PriorityExecutor:
    """A thread of its own for work that may not run beside itself: networks, the journal's connection."""

    def __init__(self, name: str) -> None:
        self._asked: queue.PriorityQueue[tuple[int, int, Future[Any] | None, Callable[[], Any] | None]]
        self._asked = queue.PriorityQueue()
        self._number = itertools.count()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def ask(self, work: Callable[[], T], urgency: int = 0) -> Future[T]:
        """Do it after all that has a smaller number; a future that is cancelled before is never begun."""
        future: Future[T] = Future()
        self._asked.put((urgency, next(self._number), future, work))
        return future

    def stop(self) -> None:
        """End after what is being done; what waits is given up."""
        self._asked.put((-1, next(self._number), None, None))
        self._thread.join()

    def _work(self) -> None:
        while True:
            _, _, future, work = self._asked.get()
            if future is None or work is None:
                return
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                future.set_exception(error)
