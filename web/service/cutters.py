"""Cutters: the daemon's worker processes behind a bounded queue, for requests that may go away."""

from __future__ import annotations

import asyncio
import itertools
import math
import threading
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from mattebox.core.network.device import available_cores
from mattebox.core.network.lookup import fetch_networks, input_side
from mattebox.core.settings import CutSettings
from mattebox.daemon.work.sizing import choose_sizing, free_memory
from mattebox.daemon.work.workers import Workers
from mattebox.web.service.errors import RequestError
from mattebox.web.service.made import CutTask, Result, do_cut

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any, Literal

    from mattebox.core.network.lookup import Progress
    from mattebox.daemon.errors import Failure
    from mattebox.daemon.inbox import Inbox
    from mattebox.daemon.work.sizing import Sizing
    from mattebox.daemon.work.workers import TaskResult

# A task whose client went may end by itself within this: a killed worker costs as much to begin anew.
_LAST_SECONDS: Final = 2.0
_LONGEST_WAIT: Final = 60
# Seconds of a photo before any was measured.
_FIRST_GUESS: Final = 3.0
_CLIENTS_FAULT: Final = {
    "LimitError": (413, "resolution_too_high"),
    "PhotoError": (400, "failed_to_read_image"),
    "TruncatedPhotoError": (400, "failed_to_read_image"),
    "DamagedPhotoError": (400, "failed_to_read_image"),
    "MissingExtraError": (400, "invalid_file_type"),
    "SettingsError": (400, "invalid_parameter"),
    "UnknownNetworkError": (400, "invalid_parameter"),
    "LicenceError": (400, "invalid_parameter"),
    "RequestError": (400, "invalid_parameter"),
    "WeightsError": (400, "network_not_here"),
}


class CancellablePool(Protocol):
    """What does the tasks: daemon.work.workers.Workers does."""

    def submit(self, token: Any, function: Any, argument: Any, timeout: float) -> None:
        """Do `function(argument)`; a TaskResult with `token` will arrive."""

    def cancel(self, token: Any) -> None:
        """Give a task up."""

    def stop(self) -> None:
        """End at once."""


@dataclass(frozen=True, slots=True)
class CutterSettings:
    """How many workers, what they may use, how many requests may be here, how long each photo may take."""

    model: str = "u2net"
    device: str = "auto"
    workers: int | Literal["auto"] = "auto"
    memory: int | Literal["auto", "none"] = "auto"
    queue: int = 64
    timeout: float = 120.0


def start_workers(
    settings: CutterSettings, inbox: Inbox, progress: Progress | None = None
) -> tuple[Workers, Sizing]:
    """Workers that fit this machine, their network's weights at hand. Raises LicenceError, WeightsError."""
    cut = CutSettings(model=settings.model)
    weights = fetch_networks([cut], progress)
    sizing = choose_sizing(
        settings.workers,
        settings.memory,
        max(path.stat().st_size for path in weights.values()),
        available_cores(),
        free_memory(),
        side=input_side(settings.model),
    )
    pool = Workers(
        inbox,
        workers=sizing.workers,
        threads=sizing.threads,
        device=settings.device,
        memory=sizing.memory,
        cut=cut,
    )
    return pool, sizing


class Cutters:
    """Cuts photos for an event loop; at most `workers + queue` requests are here at a time."""

    def __init__(self, pool: CancellablePool, inbox: Inbox, workers: int, settings: CutterSettings) -> None:
        """`pool` puts its results into `inbox`; stop() ends it."""
        self._pool = pool
        self._inbox = inbox
        self._settings = settings
        self._workers = workers
        self.places = workers + settings.queue
        self.here = 0
        self.in_work = 0
        # One more than workers, so that none of them waits for this process.
        self._slots = asyncio.Semaphore(workers + 1)
        self._waiting: dict[int, asyncio.Future[TaskResult]] = {}
        self._numbers = itertools.count()
        self._seconds = _FIRST_GUESS
        self._ended = False
        self._background: set[asyncio.Task[None]] = set()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Hear results from now on, in the running loop."""
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._listen, args=(loop,), name="results", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """End the workers; what waits gets a refusal."""
        self._ended = True
        await asyncio.to_thread(self._pool.stop)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 5)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(RequestError(503, "stopping", "This server is stopping."))

    @property
    def free_places(self) -> int:
        """How many more requests may come."""
        return self.places - self.here

    def retry_after(self) -> int:
        """Whole seconds until half of the queue is likely to be done, 1 to 60: sooner, most come in vain."""
        ahead = max(1, self.here - self.in_work) / 2
        return min(_LONGEST_WAIT, max(1, math.ceil(self._seconds * ahead / self._workers)))

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place in the queue, from before the upload to after the answer. Raises RequestError (429)."""
        if self.here >= self.places:
            raise RequestError(
                429,
                "rate_limit_exceeded",
                "This server has as many photos as it may; ask again later.",
                retry_after=self.retry_after(),
            )
        self.here += 1
        try:
            yield
        finally:
            self.here -= 1

    async def cut(self, task: CutTask) -> Result:
        """Cut a photo. Cancelling it gives the photo up, in the queue or in work. Raises RequestError."""
        await self._slots.acquire()
        if self._ended:
            self._slots.release()
            raise RequestError(503, "stopping", "This server is stopping.")
        token, began = next(self._numbers), time.monotonic()
        future: asyncio.Future[TaskResult] = asyncio.get_running_loop().create_future()
        self._waiting[token] = future
        self.in_work += 1
        try:
            self._pool.submit(token, do_cut, task, self._settings.timeout)
        except OSError as error:
            self._over(token)
            raise RequestError(
                503, "no_workers", "This server cannot begin work now.", retry_after=self.retry_after()
            ) from error
        try:
            result = await asyncio.shield(future)
        except asyncio.CancelledError:
            giving_up = asyncio.ensure_future(self._give_up(token, future))
            self._background.add(giving_up)
            giving_up.add_done_callback(self._background.discard)
            raise
        except RequestError:
            self._over(token)
            raise
        self._over(token)
        if result.failure is not None:
            raise failure_as_request_error(result.failure, task, self.retry_after())
        self._seconds += (time.monotonic() - began - self._seconds) / 8
        assert isinstance(result.value, Result)  # noqa: S101 - do_cut gives nothing else
        return result.value

    async def _give_up(self, token: int, future: asyncio.Future[TaskResult]) -> None:
        """A worker that is nearly done is let end; else it is killed and another one begins."""
        with suppress(TimeoutError, RequestError):
            await asyncio.wait_for(asyncio.shield(future), _LAST_SECONDS)
        self._pool.cancel(token)
        self._over(token)

    def _over(self, token: int) -> None:
        self._waiting.pop(token, None)
        self.in_work -= 1
        self._slots.release()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._ended:
            for result in self._inbox.get(0.5):
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(self._arrived, result)

    def _arrived(self, result: TaskResult) -> None:
        future = self._waiting.get(result.token)
        if future is not None and not future.done():
            future.set_result(result)


def failure_as_request_error(failure: Failure, task: CutTask, retry_after: int) -> RequestError:
    """A worker's failure as an answer: in a client's words, without a path of this machine."""
    folder = str(task.photo.parent)
    what = failure.what.replace(f"{folder}/", "").replace(folder, "the server's folder")
    if failure.kind in _CLIENTS_FAULT:
        status, code = _CLIENTS_FAULT[failure.kind]
        if failure.kind == "WeightsError":
            what = "This server does not have that network; its owner finds it in 'mattebox models list'."
        return RequestError(status, code, what)
    if failure.kind == "timeout":
        return RequestError(504, "timeout", what)
    if failure.kind == "NotEnoughMemoryError":
        return RequestError(503, "not_enough_memory", what, retry_after=retry_after)
    if failure.hold or failure.kind == "pool":
        return RequestError(503, "unavailable", "This server cannot work on it now.", retry_after=retry_after)
    return RequestError(500, "failed", what)
