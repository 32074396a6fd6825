"""The roster: which workers there are, which of them may work, and what each has in hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# One in work and the next one there already: more would only leave the journal.
EACH: Final = 2
_FIRST_PAUSE: Final = 1.0
_MOST_PAUSE: Final = 60.0


@dataclass(slots=True)
class Worker:
    """One worker process. why: what keeps it from work, () where nothing does."""

    address: str
    name: str
    resources: Mapping[str, float]
    greeted: bool = False
    why: tuple[str, ...] = ()
    ask_at: float = 0.0
    refusals: int = 0
    tasks: dict[str, Any] = field(default_factory=dict)
    host: str = ""
    done: int = 0

    @property
    def ready(self) -> bool:
        """Whether it may be given work."""
        return self.greeted and not self.why


class Roster:
    """The workers by address. A worker that does not pass the handshake is asked again, ever less often."""

    def __init__(self, resources: Mapping[str, float], clock: Callable[[], float]) -> None:
        """`resources` is what each job needs of its worker, such as {"GPU": 1}."""
        self._resources = resources
        self._clock = clock
        self.workers: dict[str, Worker] = {}

    def seen(self, found: Mapping[str, Mapping[str, Any]]) -> list[Worker]:
        """Take the scheduler's list; the workers that are gone."""
        for address, told in found.items():
            if address not in self.workers:
                self.workers[address] = self._newcomer(address, told)
        return [self.workers.pop(address) for address in list(self.workers) if address not in found]

    def to_greet(self) -> list[Worker]:
        """The workers that are to be asked now; they count as asked."""
        now = self._clock()
        due = [worker for worker in self.workers.values() if not worker.ready and worker.ask_at <= now]
        for worker in due:
            worker.ask_at = now + min(_FIRST_PAUSE * 2**worker.refusals, _MOST_PAUSE)
            worker.refusals = min(worker.refusals + 1, 16)
        return due

    def answered(self, worker: Worker, why: tuple[str, ...]) -> bool:
        """A handshake is over; whether what is told of the worker changed."""
        changed = not worker.greeted or worker.why != why
        worker.greeted, worker.why = True, why
        return changed

    def doubt(self, address: str, why: str) -> None:
        """A worker does not see the storage: no work until it passes the handshake again."""
        worker = self.workers.get(address)
        if worker is not None and worker.ready:
            worker.why = (why,)
            worker.ask_at = self._clock() + min(_FIRST_PAUSE * 2**worker.refusals, _MOST_PAUSE)

    def finished(self, address: str, task: str, *, well: bool) -> None:
        """A task has left a worker's hands."""
        worker = self.workers.get(address)
        if worker is not None:
            worker.tasks.pop(task, None)
            if well:
                worker.done += 1
                worker.refusals = 0

    def next_free(self) -> Worker | None:
        """The ready worker with the least in hand, if one has room."""
        free = [worker for worker in self.workers.values() if worker.ready and len(worker.tasks) < EACH]
        return min(free, key=lambda worker: len(worker.tasks), default=None)

    @property
    def capacity(self) -> int:
        """How many jobs may be submitted in all."""
        return EACH * sum(worker.ready for worker in self.workers.values())

    def _newcomer(self, address: str, told: Mapping[str, Any]) -> Worker:
        worker = Worker(address, str(told.get("name") or address), told.get("resources") or {})
        lacks = [
            f"{name}={amount:g}"
            for name, amount in self._resources.items()
            if worker.resources.get(name, 0) < amount
        ]
        if lacks:
            why = f"it does not offer {', '.join(lacks)}, which engine: resources: asks for."
            worker.greeted, worker.why, worker.ask_at = True, (why,), float("inf")
        if int(told.get("nthreads", 1)) != 1:
            why = "it runs several jobs in one process: start it with 'mattebox cluster worker'."
            worker.greeted, worker.why, worker.ask_at = True, (why,), float("inf")
        return worker
