"""The pool: jobs go to a Dask cluster, looks into files stay on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from typing import TYPE_CHECKING, Any, Final

from mattebox.daemon.inbox import News
from mattebox.daemon.work.cluster.hands import Hands, Item
from mattebox.daemon.work.cluster.library import ClusterError, load
from mattebox.daemon.work.tasks import JobTask

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.daemon.inbox import Inbox
    from mattebox.daemon.work.cluster.hands import Needs
    from mattebox.daemon.work.workers import Pool

_CONNECT_WITHIN: Final = 5.0
_PAUSE: Final = 1.0
_CLOSE_WITHIN: Final = 5.0
# How often other threads learn how many jobs may come, and what the workers do.
_NOTE: Final = 0.1
_EACH_NOTE: Final = 10


class NoSchedulerError(ClusterError):
    """The scheduler cannot be reached."""


class NoWorkerError(ClusterError):
    """The scheduler has no worker that may work."""


class ClusterPool:
    """The workers of a Dask cluster, as the loop sees them."""

    def __init__(self, results: Inbox, *, local: Pool, scheduler: str, security: Any, needs: Needs) -> None:
        """`local` looks into files. scheduler: its address. security: distributed's Security for it."""
        load()
        self._results = results
        self._local = local
        self._scheduler = scheduler
        self._security = security
        self._needs = needs
        self._away = ""
        self._idle = ""
        self._now: list[dict[str, Any]] = []
        self._capacity = 0
        self._stopping = False
        self._loop = asyncio.new_event_loop()
        self._hands: Hands | None = None
        self._main: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="cluster", daemon=True)
        self._thread.start()

    @property
    def capacity(self) -> int:
        """How many jobs the cluster takes just now; changes as workers come and go."""
        return self._capacity

    def now(self) -> list[dict[str, Any]]:
        """Every worker as plain data: name, host, state, why, doing, done, images_per_minute."""
        return self._now

    def submit(self, token: Any, function: Callable[[Any], Any], argument: Any, timeout: float) -> None:
        """Have a job done by the cluster, anything else here. Raises OSError."""
        if isinstance(argument, JobTask):
            self._loop.call_soon_threadsafe(self._take, Item(token, function, argument, timeout))
        else:
            self._local.submit(token, function, argument, timeout)

    def start(self) -> None:
        """Get ready. Raises OSError, NoSchedulerError, NoWorkerError where jobs have to wait."""
        self._local.start()
        if self._away:
            raise NoSchedulerError(self._away)
        if self._idle and not self._capacity:
            raise NoWorkerError(self._idle)

    def stop(self) -> None:
        """Give everything up at once; nothing is reported any more."""
        self._stopping = True
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join(2 * _CLOSE_WITHIN)
        self._local.stop()

    def _cancel(self) -> None:
        if self._main is not None:
            self._main.cancel()

    def _take(self, item: Item) -> None:
        if self._hands is not None:
            self._hands.take(item)

    def _report(self, item: Any) -> None:
        if not self._stopping:
            self._results.put(item)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._main = self._loop.create_task(self._stay_connected())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._main)
        with contextlib.suppress(RuntimeError):
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _stay_connected(self) -> None:
        """Connect, work until the scheduler is gone, and connect again."""
        distributed = load()
        self._hands = hands = Hands(self._needs, self._report)
        noted = asyncio.ensure_future(self._note(hands))
        try:
            while not self._stopping:
                client = made = None
                try:
                    made = distributed.Client(
                        self._scheduler,
                        asynchronous=True,
                        security=self._security,
                        timeout=_CONNECT_WITHIN,
                        set_as_default=False,
                        direct_to_workers=False,
                    )
                    client = await made
                except (OSError, TimeoutError, ImportError, ValueError):
                    # An address without a scheduler, one with other certificates, one of another version.
                    self._away = (
                        f"{self._scheduler}: the scheduler cannot be reached; start it, or mend its address "
                        "and its certificates."
                    )
                finally:
                    if client is None and made is not None:
                        await self._close(made)  # else it warns, in Dask's words, when it is collected
                if client is not None:
                    self._away = ""
                    try:
                        await hands.serve(client)
                    except Exception as error:  # noqa: BLE001 - else the daemon would wait for ever
                        why = (
                            f"The connection to the cluster broke ({type(error).__name__}); it is made anew."
                        )
                        self._report(News("held", {"why": why}))
                    finally:
                        await self._leave(client, hands)
                await hands.give_back_all()
                await asyncio.sleep(_PAUSE)
        finally:
            noted.cancel()

    async def _leave(self, client: Any, hands: Hands) -> None:
        if not self._stopping:
            self._away = f"{self._scheduler}: the scheduler went away."
        await hands.give_back_all()
        await self._close(client)

    @staticmethod
    async def _close(client: Any) -> None:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(client.close(), _CLOSE_WITHIN)

    async def _note(self, hands: Hands) -> None:
        """Keep what other threads may read."""
        for count in itertools.count():
            self._capacity = 0 if self._away else hands.roster.capacity
            if count % _EACH_NOTE == 0:
                self._now = hands.now()
                self._idle = f"{self._scheduler}: {hands.idle}" if hands.idle else ""
            await asyncio.sleep(_NOTE)
