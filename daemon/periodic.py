"""Periodic tasks: what is done every so often beside the work, each behind a boundary of its own."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from mattebox.daemon.config.planning import review_folders
from mattebox.daemon.delivery.companions import follow
from mattebox.daemon.delivery.decided import VerdictHandler, carry_out
from mattebox.daemon.delivery.review import DecisionHandler
from mattebox.daemon.guard import REFUSALS
from mattebox.daemon.intake.orphans import beat, in_work, put_back, sentences, tidy
from mattebox.daemon.journal.identity import identity
from mattebox.daemon.journal.states import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.daemon.config.load import LoadedConfig
    from mattebox.daemon.delivery.review import Reviews
    from mattebox.daemon.events import Events
    from mattebox.daemon.guard import Guards
    from mattebox.daemon.inbox import Inbox
    from mattebox.daemon.intake.intake import Intake
    from mattebox.daemon.journal.journal import Journal

_HEALTH_CHECK: Final = 2.0
_CLAIMS_CHECK: Final = 60.0
_NO_WATCH: Final = "the watched folder cannot be watched"
_NO_WORK_FOLDER: Final = "the folder of photos in work cannot be looked into"
_NOT_DECIDED: Final = "what was decided at the light table cannot be carried out"
_NO_FOLLOW: Final = "a file that belongs to a photo cannot be moved after it"
_FOLLOW_CHECK: Final = 0.2
_LATER: Final = 5.0
_NO_JOURNAL: Final = "it was in work and belongs to no journal; it counts as new"


class RunningJobs(DecisionHandler, VerdictHandler, Protocol):
    """The jobs of the loop: how many workers have, and what a person has decided about one."""

    @property
    def in_work(self) -> int:
        """Jobs in the hands of workers."""


class Running(Protocol):
    """What periodic tasks may use of the loop that runs them."""

    loaded: LoadedConfig
    journal: Journal
    events: Events
    inbox: Inbox
    guards: Guards
    intakes: dict[str, Intake]
    workers: Callable[[], list[dict[str, Any]]]

    @property
    def jobs(self) -> RunningJobs:
        """Its jobs."""


class PeriodicTask(NamedTuple):
    """Something that is done every so many seconds beside the work. refused: what cannot be done then."""

    interval: float
    action: Callable[[Running], None]
    refused: str = "a regular task cannot be done"


def start_watching(loop: Running) -> None:
    """Open every watched folder and ask for its events; what refuses is tried again by a periodic task."""
    for intake in loop.intakes.values():
        loop.guards.run(_NO_WATCH, partial(_open_and_watch, loop, intake), intake.folder.name)


def _open_and_watch(loop: Running, intake: Intake) -> None:
    intake.root.open()
    intake.root.start_watching(loop.inbox)


def stop_watching(loop: Running) -> None:
    """Ask for no more events."""
    for intake in loop.intakes.values():
        with suppress(*REFUSALS):
            intake.root.stop_watching()


def rest(loop: Running) -> None:
    """Say in the work folders that this run ended well; photos in review may wait there for long."""
    for intake in loop.intakes.values():
        with suppress(*REFUSALS):
            beat(loop.journal, intake.folder.watch, resting=True)


def keep_watching(loop: Running) -> None:
    """The task that rebuilds dead watches. Raises LostJournalError where the journal was taken away."""
    loop.journal.check_there()
    for intake in loop.intakes.values():
        watch = partial(intake.root.keep_watching, loop.inbox)
        loop.guards.run(_NO_WATCH, watch, intake.folder.name)


def put_back_all(loop: Running) -> None:
    """Give what is in work and belongs to no journal back to the watched folders; show whose the rest is."""
    for intake in loop.intakes.values():
        loop.guards.run(_NO_WORK_FOLDER, partial(_put_back, loop, intake), intake.folder.name)


def _put_back(loop: Running, intake: Intake) -> None:
    name, watch = intake.folder.name, intake.folder.watch
    items = in_work(watch, loop.journal, loop.journal.owner)
    for item in items:
        if not item.elsewhere:
            path = os.fspath(put_back(item, watch))
            loop.events.emit("put-back", name, path=path, was=os.fspath(item.path), why=_NO_JOURNAL)
            intake.scan_soon()
    for sentence in sentences(item for item in items if item.elsewhere):
        loop.guards.tell_once("in-work-elsewhere", name, sentence)
    tidy(loop.journal, watch)
    beat(loop.journal, watch)


def follow_all(loop: Running) -> None:
    """Bring companions that came after their photo had ended to where it is."""
    for intake in loop.intakes.values():
        now = time.monotonic()
        for path in intake.beside.due(now):
            # Whatever is refused below, it is tried again only in a while.
            intake.beside.look_again(path, now + _LATER)
            loop.guards.run(_NO_FOLLOW, partial(_follow, loop, intake, path), intake.folder.name)


def _follow(loop: Running, intake: Intake, path: str) -> None:
    name, source = intake.folder.name, intake.folder.watch / path
    found = identity(source)
    if found is None:
        intake.beside.forget(path)
        return
    owner = None
    if not intake.beside.has_photo(path):
        owner = intake.beside.owner(loop.journal, name, path, found.ctime_ns / 1e9)
    if owner is not None and owner.state not in ENDED:
        return
    final = follow(loop.journal, owner, source) if owner is not None else None
    if owner is not None and final is not None:
        intake.beside.forget(path)
        loop.events.emit("followed", name, owner.id, path=path, to=os.fspath(final))
    elif intake.beside.rules.is_sidecar(path):
        intake.beside.look_again(path)
    else:
        intake.beside.forget(path)


def _collect(loop: Running, reviews: Reviews, folder: Path) -> None:
    for path, is_decision in reviews.collect(loop.journal, [folder], loop.jobs):
        loop.events.emit("review-unknown", file=os.fspath(path), decision=is_decision)


def review_task(interval: float, reviews: Reviews) -> PeriodicTask:
    """The task that carries out what people have decided."""

    def collect(loop: Running) -> None:
        for folder in sorted(review_folders(loop.loaded.config)):
            one = partial(_collect, loop, reviews, folder)
            loop.guards.run(f"{folder}: the review folder cannot be looked into", one)
        loop.guards.run(_NOT_DECIDED, partial(carry_out, loop.journal, loop.jobs))

    return PeriodicTask(interval, collect)


FOLLOW_TASK: Final = PeriodicTask(_FOLLOW_CHECK, follow_all)
WATCH_TASK: Final = PeriodicTask(_HEALTH_CHECK, keep_watching, "the state folder cannot be looked at")
CLAIMS_TASK: Final = PeriodicTask(_CLAIMS_CHECK, put_back_all, "the photos in work cannot be looked after")
