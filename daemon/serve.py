"""serve: the daemon for years: reloads, reviews, status, notifications, signs of life."""

from __future__ import annotations

import errno
import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from mattebox.daemon.config.load import load_config
from mattebox.daemon.delivery.review import Reviews
from mattebox.daemon.errors import ConfigError, DamagedJournalError, JournalError
from mattebox.daemon.guard import ENVIRONMENT, REFUSALS, Guards, has_errno, refusal
from mattebox.daemon.inbox import Stop
from mattebox.daemon.journal.identity import identity
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.periodic import PeriodicTask, Running, review_task
from mattebox.daemon.report.sdnotify import sd_notify, watchdog_interval
from mattebox.daemon.report.status import LIVE, write_live
from mattebox.daemon.run import HISTORY, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.core.network.lookup import Progress
    from mattebox.daemon.config.load import LoadedConfig
    from mattebox.daemon.events import Events
    from mattebox.daemon.guard import Boundary
    from mattebox.daemon.inbox import Inbox
    from mattebox.daemon.journal.identity import Identity
    from mattebox.daemon.report.metrics import MetricsServer
    from mattebox.daemon.run import Summary
    from mattebox.daemon.work.workers import RunningPool

_RELOAD_CHECK: Final = 2.0
_REVIEW_CHECK: Final = 1.0
_LIVE_CHECK: Final = 2.0
# Rights are a person's to mend; they are told, and the start ends.
_DISKS: Final = ENVIRONMENT - {errno.EACCES, errno.EPERM}
_DAY: Final = 86400.0


def serve(
    path: Path,
    events: Events,
    *,
    progress: Progress | None = None,
    start_pool: Callable[[Inbox], RunningPool] | None = None,
) -> Summary:
    """Run the hot folders of a file until told to stop; a changed file is taken over while it runs.

    A changed file with mistakes is reported and the last good configuration stays. Raises ConfigError
    for the first one, and what `run` raises.
    """
    good = loaded = load_config(path)
    hold = Guards(events).of("the hot folders are at rest")
    journal = _first_journal(loaded, hold)
    began = False
    try:
        while True:
            reload = Reload(loaded, events, hold.over)
            try:
                if journal.folder != loaded.state or hold.held:
                    journal.close()
                    journal = Journal(loaded.state, config=path)
                summary = _serve_one(
                    loaded, journal, events, reload=reload, progress=progress, start_pool=start_pool
                )
            except REFUSALS as error:
                if not began and not reload.ran and not _may_pass(error):
                    raise
                if reload.ran or loaded is good:
                    # The loop has boundaries of its own: what gets here has no other place to be waited for.
                    hold.refused(error)
                    _wait(hold)
                else:
                    events.emit("config-broken", mistakes=[f"{path}: {refusal(error)}"])
                    loaded = good
            else:
                good = loaded
                if summary.ending != "reload" or reload.fresh is None:
                    return summary
                loaded = reload.fresh
                events.emit("config-reloaded", path=str(path))
            began = began or reload.ran
    finally:
        sd_notify("STOPPING=1")
        with suppress(OSError):
            (loaded.state / LIVE).unlink(missing_ok=True)
        journal.close()


def _first_journal(loaded: LoadedConfig, hold: Boundary) -> Journal:
    """The journal, once its disk takes it. Raises StateLockedError; JournalError where no waiting helps."""
    while True:
        try:
            return Journal(loaded.state, config=loaded.path)
        except JournalError as error:
            if not _may_pass(error):
                raise
            hold.refused(error)
            _wait(hold)


def _may_pass(error: Exception) -> bool:
    """Whether a journal is refused by a disk that may have room, or be writable, later."""
    if not isinstance(error, JournalError) or isinstance(error, DamagedJournalError):
        return False
    return isinstance(error.__cause__, sqlite3.Error) or has_errno(error, _DISKS)


def _wait(hold: Boundary) -> None:
    while hold.waits:
        sd_notify("WATCHDOG=1")
        time.sleep(0.2)


def _serve_one(
    loaded: LoadedConfig,
    journal: Journal,
    events: Events,
    *,
    reload: Reload,
    progress: Progress | None,
    start_pool: Callable[[Inbox], RunningPool] | None,
) -> Summary:
    """One configuration's time."""
    periodic_tasks = [
        PeriodicTask(_RELOAD_CHECK, reload, "the configuration cannot be looked at"),
        review_task(_REVIEW_CHECK, Reviews()),
        PeriodicTask(
            _LIVE_CHECK,
            lambda loop: write_live(loop.loaded.state, loop.intakes, loop.workers()),
            "what 'mattebox status' shows of a running daemon cannot be written",
        ),
        PeriodicTask(watchdog_interval(), lambda _: sd_notify("READY=1\nWATCHDOG=1")),
        PeriodicTask(_DAY, lambda loop: loop.journal.prune(time.time() - HISTORY)),
    ]
    metrics_server: MetricsServer | None = None
    if loaded.config.metrics is not None:
        from mattebox.daemon.report.metrics import MetricsServer  # noqa: PLC0415 - only where it is asked for

        metrics_server = MetricsServer(loaded.config.metrics)
        update = metrics_server.update
        periodic_tasks.append(PeriodicTask(_LIVE_CHECK, lambda loop: update(loop.jobs.in_work, loop.intakes)))
        events.add(metrics_server)
    try:
        return run(
            loaded,
            events,
            once=False,
            progress=progress,
            periodic_tasks=periodic_tasks,
            start_pool=start_pool,
            journal=journal,
        )
    finally:
        if metrics_server is not None:
            events.remove(metrics_server)
            metrics_server.stop()


class Reload:
    """The periodic task that looks whether the configuration's file has changed. ran: whether it was."""

    def __init__(self, loaded: LoadedConfig, events: Events, begun: Callable[[], None]) -> None:
        """`begun` is called when the loop turns."""
        self.fresh: LoadedConfig | None = None
        self.ran = False
        self._loaded = loaded
        self._events = events
        self._begun = begun
        self._seen = _identity(loaded.path)

    def __call__(self, loop: Running) -> None:
        """Ask the loop to end where the file now says something else, and is right. Raises OSError."""
        if not self.ran:
            self.ran = True
            self._begun()
        found = identity(self._loaded.path)
        if found is None or found == self._seen:
            return
        try:
            fresh = load_config(self._loaded.path)
        except ConfigError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in ENVIRONMENT:
                # Not what it says is wrong, but where it lies: it is read again.
                raise error.__cause__ from error
            self._seen = found
            self._events.emit("config-broken", mistakes=list(error.mistakes))
            return
        except REFUSALS as error:
            self._seen = found
            self._events.emit("config-broken", mistakes=[f"{self._loaded.path}: {refusal(error)}"])
            return
        self._seen = found
        if fresh.config != self._loaded.config:
            self.fresh = fresh
            loop.inbox.put(Stop("reload"))


def _identity(path: Path) -> Identity | None:
    with suppress(OSError):
        return identity(path)
    return None
