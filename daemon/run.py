"""Running hot folders: weights first, then the journal, the workers and the loop."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mattebox.core.network.device import available_cores
from mattebox.core.network.lookup import fetch_networks, input_side
from mattebox.daemon.config.planning import all_cuts
from mattebox.daemon.errors import JournalError
from mattebox.daemon.inbox import Inbox, Stop
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.loop import Loop
from mattebox.daemon.periodic import CLAIMS_TASK, FOLLOW_TASK, WATCH_TASK
from mattebox.daemon.report.notify import notifying
from mattebox.daemon.work.sizing import choose_sizing, free_memory
from mattebox.daemon.work.workers import RunningPool, Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mattebox.core.network.lookup import Progress
    from mattebox.daemon.config.load import LoadedConfig
    from mattebox.daemon.events import Events
    from mattebox.daemon.inbox import Ending
    from mattebox.daemon.periodic import PeriodicTask
    from mattebox.daemon.work.sizing import Sizing

HISTORY: Final = 30 * 86400.0
_ASIDE: Final = (
    "the journal was damaged and is kept under this name; photos that were in work or in review go back to "
    "their watched folders and count as new"
)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run came to. left: files that are still to be done."""

    delivered: int
    failed: int
    left: int
    ending: Ending


def start_workers(
    loaded: LoadedConfig, inbox: Inbox, events: Events, progress: Progress | None
) -> RunningPool:
    """Weights of every network that the rules name, then workers that fit this machine.

    The weights are fetched here, once, before workers could all ask for them. Raises LicenceError,
    WeightsError.
    """
    engine = loaded.config.engine
    weights = fetch_networks(all_cuts(loaded.config), progress, engine.device, quick=engine.workers != "dask")
    if engine.workers == "dask":
        from mattebox.daemon.work.cluster.start import start_cluster  # noqa: PLC0415 - the extra `cluster`

        return start_cluster(loaded, inbox, events)
    largest = max((path.stat().st_size for path in weights.values()), default=0)
    sizing: Sizing = choose_sizing(
        engine.workers,
        engine.memory,
        largest,
        available_cores(),
        free_memory(),
        side=max(map(input_side, weights), default=0),
        judged=any(cut.needs_promptable for cut in all_cuts(loaded.config)),
    )
    events.emit(
        "workers", workers=sizing.workers, threads=sizing.threads, memory=sizing.memory, why=sizing.why
    )
    pool = Workers(
        inbox,
        workers=sizing.workers,
        threads=sizing.threads,
        device=engine.device,
        memory=sizing.memory,
        cut=next(all_cuts(loaded.config)) if len(weights) == 1 else None,
    )
    # One task more than workers, so that none of them waits for this process.
    return RunningPool(pool, sizing.workers + 1)


def run(
    loaded: LoadedConfig,
    events: Events,
    *,
    once: bool,
    progress: Progress | None = None,
    periodic_tasks: Sequence[PeriodicTask] = (),
    start_pool: Callable[[Inbox], RunningPool] | None = None,
    journal: Journal | None = None,
) -> Summary:
    """Work on the hot folders, once or until told to stop by SIGTERM or Ctrl+C.

    start_pool: starts other workers than `start_workers` does. Raises StateLockedError, JournalError,
    LicenceError, WeightsError.
    """
    inbox = Inbox()
    own = journal is None
    journal = journal or Journal(loaded.state, config=loaded.path)
    try:
        if journal.aside is not None:
            events.emit("journal-damaged", path=os.fspath(journal.aside), why=_ASIDE)
            journal.aside = None
        journal.prune(time.time() - HISTORY)
        loop = Loop(
            loaded,
            journal,
            events,
            once=once,
            inbox=inbox,
            periodic_tasks=(
                FOLLOW_TASK,
                *(() if once else (CLAIMS_TASK, WATCH_TASK)),
                *periodic_tasks,
            ),
        )
        with _signals(inbox), notifying(loaded.config.notify, journal, events, inbox):
            started = (
                start_pool(inbox)
                if start_pool is not None
                else start_workers(loaded, inbox, events, progress)
            )
            events.emit("recovering") if journal.jobs() else None
            loop.recover()
            ending = loop.run(started, grace=loaded.config.engine.grace)
        left = loop.jobs.tally.returned + sum(bool(intake.root.held) for intake in loop.intakes.values())
        try:
            left += len(journal.jobs("claimed", "staged", "delivered", "failing", "returning", "recalling"))
        except JournalError:
            if once:
                raise
        return Summary(loop.jobs.tally.delivered, loop.jobs.tally.failed, left, ending)
    finally:
        if own:
            journal.close()


@contextmanager
def _signals(inbox: Inbox) -> Iterator[None]:
    """SIGTERM and SIGINT ask the loop to end; a second one ends it at once."""
    asked = False

    def ask(number: int, frame: object) -> None:
        _ = number, frame
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        inbox.put(Stop())

    before = {}
    for name in ("SIGTERM", "SIGINT"):
        with suppress(ValueError):  # not in the main thread: the caller has its own way to stop
            before[name] = signal.signal(getattr(signal, name), ask)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
