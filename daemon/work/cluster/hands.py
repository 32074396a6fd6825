"""The hands: jobs on their way through one cluster's workers, in one thread's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mattebox.core.network.lookup import weights_in_use
from mattebox.daemon.errors import NOT_BEGUN, Failure
from mattebox.daemon.inbox import News
from mattebox.daemon.journal.markers import attempt_marker
from mattebox.daemon.work.cluster.attempt import NO_STORAGE, attempt, how_it_ended
from mattebox.daemon.work.cluster.handshake import differences, greet, probing, request, sweep, versions
from mattebox.daemon.work.cluster.roster import Roster
from mattebox.daemon.work.cluster.wire import packed_task, unpacked_answer
from mattebox.daemon.work.workers import TaskResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mattebox.core.settings import CutSettings
    from mattebox.daemon.work.cluster.handshake import Place, Probe
    from mattebox.daemon.work.cluster.roster import Worker
    from mattebox.daemon.work.tasks import JobTask

# Between two looks at the scheduler's list of workers.
_LOOK: Final = 1.0
_ANSWER_WITHIN: Final = 10.0
# A handshake waits behind the job that its worker has in hand.
_GREETING: Final = 60.0
# So many handshakes at a time: each writes and reads files on the storage.
_GREETINGS: Final = 16
_MINUTES: Final = 10
# So many probes at most whose storage went away are remembered.
_LOST: Final = 1000


class Item(NamedTuple):
    """One job for the cluster: the loop's token, what does it, and how long it may take."""

    token: Any
    function: Callable[[JobTask], Any]
    task: JobTask
    timeout: float


@dataclass(frozen=True, slots=True)
class Needs:
    """What workers must have. daemon: a word for who asks. resources: what a job takes: {"GPU": 1}."""

    daemon: str
    cuts: tuple[CutSettings, ...]
    places: tuple[Place, ...]
    resources: Mapping[str, float] = field(default_factory=dict)


class Hands:
    """What is submitted to a cluster, and which of its workers may have it."""

    def __init__(self, needs: Needs, report: Callable[[TaskResult | News], None]) -> None:
        """`report` is told of results and of news about workers."""
        self._needs = needs
        self._report = report
        self._ours: dict[str, dict[str, str]] | None = None
        self._queue: deque[Item] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._greetings = asyncio.Semaphore(_GREETINGS)
        self._first = asyncio.Lock()
        self._lost: deque[Probe] = deque(maxlen=_LOST)
        self._finished: dict[str, deque[float]] = {}
        self._changed = asyncio.Event()
        self.roster = Roster(needs.resources, time.monotonic)
        self.idle = ""

    def take(self, item: Item) -> None:
        """A job to be done."""
        self._queue.append(item)
        self._changed.set()

    async def serve(self, client: Any) -> None:
        """Give work to the cluster's workers until the scheduler is gone."""
        look_at = 0.0
        connected = _connection(client)
        while connected():
            if time.monotonic() >= look_at:
                try:
                    told = await asyncio.wait_for(client.scheduler.identity(n_workers=-1), _ANSWER_WITHIN)
                except (OSError, TimeoutError):
                    return
                look_at = time.monotonic() + _LOOK
                if not connected():
                    return
                self._look(client, told["workers"])
            self._dispatch(client)
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), max(0.0, look_at - time.monotonic()))

    async def give_back_all(self) -> None:
        """The scheduler is gone: nobody's jobs are blamed, and all of them wait again."""
        for running in self._running:
            running.cancel()
        if self._running:
            await asyncio.wait(self._running)
        self.idle = ""
        tokens = [item.token for item in self._queue]
        for worker in self.roster.seen({}):
            tokens += [item.token for item in worker.tasks.values()]
        self._queue.clear()
        for token in tokens:
            self._report(TaskResult(token, failure=_back("The scheduler went away.")))

    def now(self) -> list[dict[str, Any]]:
        """Every worker, for `mattebox status`: what it does, or why it has no work."""
        since = time.monotonic() - 60 * _MINUTES
        return [
            {
                "name": worker.name,
                "address": worker.address,
                "host": worker.host,
                "state": "ready" if worker.ready else "refused" if worker.greeted else "asked",
                "why": list(worker.why),
                "doing": [os.path.basename(item.task.job.source) for item in worker.tasks.values()],  # noqa: PTH119 - text
                "done": worker.done,
                "images_per_minute": round(
                    sum(at >= since for at in self._finished.get(worker.address, ())) / _MINUTES, 2
                ),
            }
            for worker in self.roster.workers.values()
        ]

    def _look(self, client: Any, found: Mapping[str, Mapping[str, Any]]) -> None:
        """Take the scheduler's list: greet who is new, take back what the others had."""
        there = {
            address: told for address, told in found.items() if told.get("status", "running") == "running"
        }
        for worker in self.roster.seen(there):
            self._finished.pop(worker.address, None)
            self._tell("worker-gone", worker)
        for worker in self.roster.to_greet():
            self._spawn(self._greet(client, worker))
        self.idle = self._why_idle()

    def _why_idle(self) -> str:
        """Why no worker may work, once all were asked; "" where one may."""
        workers = self.roster.workers.values()
        if not workers:
            return "the scheduler has no worker; start one ('mattebox cluster worker')."
        if any(worker.ready or not worker.greeted for worker in workers):
            return ""
        first = next(iter(workers))
        return f"{first.name}: this worker gets no work: {' '.join(first.why)}"

    def _dispatch(self, client: Any) -> None:
        while self._queue and (worker := self.roster.next_free()) is not None:
            item = self._queue.popleft()
            key = f"mattebox-{item.task.job.outputs[0].staged.stem}-{secrets.token_hex(4)}"
            worker.tasks[key] = item
            self._spawn(self._work(client, worker, key, item))

    def _spawn(self, work: Any) -> None:
        running = asyncio.ensure_future(work)
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def _work(self, client: Any, worker: Worker, key: str, item: Item) -> None:
        """One attempt on one worker. A cancelled one is reported by who cancels it."""
        data = packed_task(item.task)
        connected = _connection(client)
        future = self._submit(client, worker, key, attempt, item.function, data, item.timeout)
        result: TaskResult
        try:
            answer = unpacked_answer(await self._answered(future, worker, 2 * item.timeout + _GREETING))
        except asyncio.CancelledError:
            future.release()
            raise
        except Exception as error:  # noqa: BLE001 - its death, its silence, or what it could not say itself
            failure = _back("The scheduler went away.")
            if connected():
                silent = isinstance(error, TimeoutError)
                if silent:
                    self.roster.doubt(worker.address, "it did not answer in time.")
                marker = attempt_marker(item.task.job.outputs[0].staged)
                failure = await asyncio.to_thread(how_it_ended, marker, item.timeout, silent=silent)
            result = TaskResult(item.token, failure=failure)
        else:
            result = self._judged(worker, item, answer)
        future.release()
        self.roster.finished(worker.address, key, well=result.failure is None)
        if result.failure is None:
            times = self._finished.setdefault(worker.address, deque(maxlen=100_000))
            times.append(time.monotonic())
            while times[0] < times[-1] - 60 * _MINUTES:
                times.popleft()
        self._report(result)
        self._changed.set()

    def _judged(self, worker: Worker, item: Item, answer: Any) -> TaskResult:
        """A worker's answer; one that does not see the storage is doubted, and its job is nobody's fault."""
        if not isinstance(answer, Failure):
            return TaskResult(item.token, answer)
        if answer.hold and answer.kind != NOT_BEGUN:
            self.roster.doubt(worker.address, answer.what)
        if answer.kind == NO_STORAGE:
            self._tell("worker-refused", worker)
            return TaskResult(item.token, failure=_back(answer.what))
        return TaskResult(item.token, failure=answer)

    async def _greet(self, client: Any, worker: Worker) -> None:
        """The handshake with one worker."""
        async with self._greetings:
            try:
                why = await self._differences(client, worker)
            except OSError as error:
                path = error.filename or "the storage"
                why = (f"{path}: the daemon itself cannot write there just now.",)
            except TimeoutError:
                why = ("it does not answer.",)
            except Exception:  # noqa: BLE001 - whatever another version of everything may say
                if worker.address not in self.roster.workers:
                    return
                why = ("its Mattebox does not understand the daemon's: install the same version on both.",)
        if self.roster.answered(worker, why):
            self._tell("worker-refused" if why else "worker-ready", worker)
        self._changed.set()

    async def _differences(self, client: Any, worker: Worker) -> tuple[str, ...]:
        async with self._first:
            if self._ours is None:
                await asyncio.to_thread(sweep, self._needs.places, self._needs.daemon)
                self._ours = {
                    "versions": await asyncio.to_thread(versions),
                    "weights": await asyncio.to_thread(weights_in_use, self._needs.cuts),
                }
            ours = self._ours
        with contextlib.ExitStack() as stack:
            wanted = probing(self._needs.places, self._needs.daemon, self._lost)
            making = asyncio.ensure_future(asyncio.to_thread(stack.enter_context, wanted))
            try:
                probes = await asyncio.shield(making)
            except asyncio.CancelledError:
                # What a thread is writing is waited for, and removed.
                await asyncio.wait([making])
                raise
            key = f"mattebox-handshake-{secrets.token_hex(6)}"
            future = self._submit(client, worker, key, greet, request(self._needs.cuts, probes))
            answer = await self._answered(future, worker, _GREETING)
            worker.host = f"{answer['host']} (process {answer['pid']})"
            return await asyncio.to_thread(differences, ours, answer, probes)

    def _submit(self, client: Any, worker: Worker, key: str, function: Any, *arguments: Any) -> Any:
        return client.submit(
            function,
            *arguments,
            key=key,
            workers=[worker.address],
            allow_other_workers=False,
            resources=dict(self._needs.resources) or None,
            pure=False,
        )

    async def _answered(self, future: Any, worker: Worker, seconds: float) -> Any:
        """A future's value; its worker may leave in peace meanwhile, which leaves the future waiting.

        Raises TimeoutError, ConnectionError, and what the task raised.
        """
        asked = asyncio.ensure_future(future.result())
        end = time.monotonic() + seconds
        try:
            while not asked.done():
                await asyncio.wait([asked], timeout=_LOOK)
                if asked.done():
                    break
                if self.roster.workers.get(worker.address) is not worker:
                    raise ConnectionAbortedError
                if time.monotonic() >= end:
                    raise TimeoutError
            if asked.cancelled():
                # Distributed cancels what a lost scheduler had.
                raise ConnectionAbortedError
            return asked.result()
        finally:
            asked.cancel()

    def _tell(self, event: str, worker: Worker) -> None:
        values = {"worker": worker.name, "host": worker.host, "why": " ".join(worker.why)}
        self._report(News(event, values))


def _connection(client: Any) -> Callable[[], bool]:
    """Whether a client still has the connection that it has now; distributed makes new ones by itself.

    A new one knows nothing of what was submitted, and what it cancelled is nobody's fault.
    """
    comm = client.scheduler_comm
    return lambda: client.status == "running" and client.scheduler_comm is comm


def _back(why: str) -> Failure:
    return Failure(why, NOT_BEGUN, retry=True, hold=True)
