"""serve: the daemon for years: reloads, reviews, status, notifications, signs of life."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from mattebox.daemon.config.load import load_config
from mattebox.daemon.delivery.review import Reviews
from mattebox.daemon.errors import ConfigError
from mattebox.daemon.journal.identity import identity
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.loop import Loop, PeriodicTask, Stop, review_task
from mattebox.daemon.report.sdnotify import sd_notify, watchdog_interval
from mattebox.daemon.report.status import LIVE, write_live
from mattebox.daemon.run import HISTORY, RunningPool, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.core.network.lookup import Progress
    from mattebox.daemon.config.load import LoadedConfig
    from mattebox.daemon.events import Events
    from mattebox.daemon.inbox import Inbox
    from mattebox.daemon.report.metrics import MetricsServer
    from mattebox.daemon.run import Summary

_RELOAD_CHECK: Final = 2.0
_REVIEW_CHECK: Final = 1.0
_LIVE_CHECK: Final = 2.0
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
    loaded = load_config(path)
    journal = Journal(loaded.state)
    try:
        while True:
            reload = Reload(loaded, events)
            summary = _serve_one(
                loaded, journal, events, reload=reload, progress=progress, start_pool=start_pool
            )
            if summary.ending != "reload" or reload.fresh is None:
                return summary
            if reload.fresh.state != loaded.state:
                journal.close()
                journal = Journal(reload.fresh.state)
            loaded = reload.fresh
            events.emit("config-reloaded", path=str(path))
    finally:
        sd_notify("STOPPING=1")
        (loaded.state / LIVE).unlink(missing_ok=True)
        journal.close()


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
        PeriodicTask(_RELOAD_CHECK, reload),
        review_task(_REVIEW_CHECK, Reviews()),
        PeriodicTask(_LIVE_CHECK, lambda loop: write_live(loop.loaded.state, loop.intakes)),
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
    """The periodic task that looks whether the configuration's file has changed."""

    def __init__(self, loaded: LoadedConfig, events: Events) -> None:
        self.fresh: LoadedConfig | None = None
        self._loaded = loaded
        self._events = events
        self._seen = identity(loaded.path)

    def __call__(self, loop: Loop) -> None:
        """Ask the loop to end where the file now says something else, and is right."""
        found = identity(self._loaded.path)
        if found is None or found == self._seen:
            return
        self._seen = found
        try:
            fresh = load_config(self._loaded.path)
        except ConfigError as error:
            self._events.emit("config-broken", mistakes=list(error.mistakes))
            return
        if fresh.config != self._loaded.config:
            self.fresh = fresh
            loop.inbox.put(Stop("reload"))
