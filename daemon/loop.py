"""The loop: folders in, jobs through the workers, one decision at a time."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.errors import reason_of
from mattebox.daemon.config.planning import generous_limits, make_plan
from mattebox.daemon.delivery.deliver import Delivery
from mattebox.daemon.errors import DamagedJournalError, Failure, JournalError, LostJournalError, TemplateError
from mattebox.daemon.guard import REFUSALS, Guards
from mattebox.daemon.inbox import Inbox, News, Stop
from mattebox.daemon.intake.claim import claim
from mattebox.daemon.intake.inspection import InspectionTask, inspect_file
from mattebox.daemon.intake.intake import Intake
from mattebox.daemon.intake.watch import FolderEvent, OverflowAlarm
from mattebox.daemon.periodic import put_back_all, rest, start_watching, stop_watching
from mattebox.daemon.report.notify import NotificationSent, note_sent
from mattebox.daemon.work.jobs import Jobs
from mattebox.daemon.work.ready import get_ready
from mattebox.daemon.work.workers import TaskResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mattebox.daemon.config.load import LoadedConfig
    from mattebox.daemon.events import Events
    from mattebox.daemon.inbox import Ending
    from mattebox.daemon.intake.candidates import Candidate, Ready
    from mattebox.daemon.intake.inspection import Inspection
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.periodic import PeriodicTask
    from mattebox.daemon.work.workers import Pool, RunningPool

_LONGEST_SLEEP: Final = 0.5
_ONCE_REFUSALS: Final = 3
_NO_SCAN: Final = "the watched folder cannot be looked into"
_NO_LOOK: Final = "the files in the watched folder cannot be looked into"
_NO_ANSWER: Final = "what a look into a file told cannot be noted"
_LOOKS: Final = (_NO_SCAN, _NO_LOOK, _NO_ANSWER)


class Loop:
    """The hot folders of one configuration at work."""

    def __init__(
        self,
        loaded: LoadedConfig,
        journal: Journal,
        events: Events,
        *,
        once: bool,
        inbox: Inbox | None = None,
        periodic_tasks: Sequence[PeriodicTask] = (),
    ) -> None:
        """inbox: receives task results, folder events and Stop. once: end when nothing waits any more."""
        self.loaded = loaded
        self.journal = journal
        self.events = events
        self.once = once
        self.inbox = inbox if inbox is not None else Inbox()
        self.delivery = Delivery(journal)
        self.jobs = Jobs(self.delivery, events, time.monotonic, once=once)
        self.intakes = {
            folder.name: Intake(loaded, folder, journal, events, once=once)
            for folder in loaded.config.folders
        }
        self._periodic_tasks = list(periodic_tasks)
        self._due_times = [0.0 for _ in periodic_tasks]
        self._in_inspection: dict[str, Candidate] = {}
        self._ending: Ending | None = None
        self._active = set[str]()
        self.guards = Guards(events)
        self._hold = self.guards.of("nothing is begun and nothing is delivered")
        self._pending = deque[Any]()
        self.workers: Callable[[], list[dict[str, Any]]] = list
        # Whether the journal may hold an unknown job; whether it refused, and nothing is begun.
        self._unsure, self._closed, self._refusals = False, False, 0

    def recover(self) -> None:
        """Finish what a former run began; what nobody knows of goes back first. Raises JournalError."""
        put_back_all(self)
        # A batch that ended in a former run and was not reported is reported now.
        self._active = set(self.journal.outbox.batches()) & set(self.intakes)
        before = {job.id: job.state for job in self.journal.jobs()}
        for job in self.delivery.recover():
            if job.state != before[job.id]:
                self.jobs.emit_ending(job)
            self.jobs.enqueue(job)

    def run(self, started: RunningPool, *, grace: float) -> Ending:
        """Work until told to stop, or (once) until nothing waits; what has begun gets `grace` seconds.

        Raises JournalError: by `once` where the journal refuses, else where it is lost or damaged.
        """
        pool = started.pool
        self.workers = started.now
        alarm = None
        if not self.once:
            alarm = OverflowAlarm(self.inbox)
            start_watching(self)
        deadline = None
        try:
            while True:
                now = time.monotonic()
                if self._ending is None:
                    self._round(now, pool, started.room())
                    if self.once and not self._busy():
                        return "idle"
                else:
                    deadline = deadline or now + grace
                    if not self.jobs.in_work or now >= deadline:
                        return self._ending
                self._receive(self._sleep(now))
        finally:
            stop_watching(self)
            if alarm is not None:
                alarm.stop()
            pool.stop()
            # A journal that refuses now has the jobs as they were: the next start goes on with them.
            with suppress(JournalError):
                # The answers that came while the workers were stopped.
                self._receive(0.0)
                self.jobs.abandon_work()
            rest(self)

    def _busy(self) -> bool:
        if self._closed or self._unsure or self._pending:
            return True
        held = all(intake.root.held or not intake.busy() for intake in self.intakes.values())
        return not held or bool(self._in_inspection) or bool(self.jobs.waiting) or bool(self.jobs.in_work)

    def _round(self, now: float, pool: Pool, max_tasks: int) -> None:
        """Periodic tasks, then work; nothing is begun while the journal refuses."""
        try:
            if self._closed:
                self._come_back()
        except JournalError as error:
            self._refused(error)
        self._do_periodic_tasks(now)
        if self._closed:
            return
        try:
            if self._unsure:
                self.jobs.catch_up()
                self._unsure = False
            self._tick(now, pool, max_tasks)
            self._hold.over()
        except JournalError as error:
            self._refused(error)

    def _refused(self, error: JournalError, *, tried: bool = True) -> None:
        """The journal refuses: everything waits, and what was being done is found again in its rows."""
        if isinstance(error, DamagedJournalError | LostJournalError):
            raise error
        self._unsure = self._closed = True
        self._refusals += 1
        if tried:
            self._hold.refused(error)
        if self.once and self._refusals >= _ONCE_REFUSALS:
            raise error

    def _come_back(self) -> None:
        """Go on if the journal takes rows again. Raises JournalError."""
        if self._hold.waits:
            return
        self.journal.reopen()
        self._closed = False
        for intake in self.intakes.values():
            intake.scan_soon()
        self._handle_pending()

    def _do_periodic_tasks(self, now: float) -> None:
        for index, task in enumerate(self._periodic_tasks):
            if now >= self._due_times[index]:
                self._due_times[index] = now + task.interval
                try:
                    self.guards.run(task.refused, partial(task.action, self))
                except JournalError as error:
                    self._refused(error, tried=not self._closed)

    def _tick(self, now: float, pool: Pool, max_tasks: int) -> None:
        for intake in self.intakes.values():
            self._in_folder(intake, partial(intake.scan, now))
        if self.jobs.waiting or any(intake.waiting for intake in self.intakes.values()):
            get_ready(pool, self.guards, wait=not self.once or self.jobs.in_work > 0)
        self.jobs.start(pool, max_tasks - self.jobs.in_work)
        # So many files are inspected and claimed ahead that no worker waits for its next one.
        free = max_tasks - self.jobs.ready - len(self._in_inspection)
        for name, intake in list(self.intakes.items()):
            if free > 0 and not intake.root.held and (begun := self._begin_looks(intake, now, pool, free)):
                free -= begun
                self.intakes[name] = self.intakes.pop(name)  # it comes last in the next turn
        self._emit_idle()

    def _begin_looks(self, intake: Intake, now: float, pool: Pool, free: int) -> int:
        """Have so many files of a folder looked into at most; how many were."""
        begun = 0

        def begin() -> None:
            nonlocal begun
            for candidate in islice(intake.candidates(now), free):
                self._inspect(intake, candidate, pool)
                begun += 1

        self._in_folder(intake, begin, _NO_LOOK)
        return begun

    def _in_folder(self, intake: Intake, action: Callable[[], object], what: str = _NO_SCAN) -> bool:
        """Do what a watched folder may refuse; everything in it is looked at anew once it does not."""
        result = self.guards.run(what, action, intake.folder.name)
        if not result:
            intake.scan_soon()
        return result

    def _emit_idle(self) -> None:
        busy = self.jobs.folders | {candidate.folder for candidate in self._in_inspection.values()}
        busy |= {name for name, intake in self.intakes.items() if intake.waiting}
        ended = self._active - busy
        self._active |= busy
        for name in sorted(ended):
            count = self.journal.outbox.batches().get(name, 0)
            self._active.discard(name)
            delivered, failed = self.jobs.tally.batch(name)
            self.events.emit("idle", name, delivered=delivered, failed=failed, batch=count)

    def _inspect(self, intake: Intake, candidate: Candidate, pool: Pool) -> None:
        count = intake.begin_inspection(candidate)
        if count >= intake.folder.attempts:
            what = f"Looking into it ended its worker {count} times: raise engine: memory, or save it anew."
            self._claim(intake, intake.give_up(candidate, what))
            return
        token = f"{candidate.folder}\0{candidate.path}"
        path = intake.folder.watch / candidate.path
        task = InspectionTask(
            path, generous_limits(self.loaded.config, intake.folder), intake.marker(candidate)
        )
        self._in_inspection[token] = candidate
        try:
            pool.submit(token, inspect_file, task, self.loaded.config.engine.timeout)
        except BaseException:
            del self._in_inspection[token]
            intake.look_again(candidate)
            raise

    def _claim(self, intake: Intake, ready: Ready) -> None:
        folder = intake.folder
        try:
            plan = make_plan(self.loaded, folder, ready.rule, ready.path, ready.size)
            plan = replace(plan, companions=intake.companions(ready.path))
        except TemplateError as error:
            intake.root.hold(str(error))
            return
        try:
            job = claim(self.journal, folder.name, ready.found, plan)
        except JournalError:
            raise
        except REFUSALS as error:
            # The row may be there already.
            self._unsure = True
            intake.root.hold(
                f"{folder.watch}: files cannot be taken out of the watched folder ({reason_of(error)}); "
                "mend its permissions, or set originals: keep."
            )
            intake.retry_soon()
            return
        if job is None:
            return
        self.events.emit("claimed", folder.name, job.id, input=ready.path, rule=plan.rule)
        self.jobs.enqueue(job)
        if ready.problem:
            kind = "TruncatedPhotoError" if ready.truncated else "PhotoError"
            self.jobs.fail(job, Failure(ready.problem, kind, step="read"))

    def _receive(self, wait: float) -> None:
        """Sleep until something arrives, then take all that has arrived."""
        while found := self.inbox.get(wait):
            self._pending.extend(found)
            self._handle_pending()
            wait = 0.0

    def _handle_pending(self) -> None:
        """Take what has arrived; while the journal refuses, all but the wish to stop waits."""
        waiting: deque[Any] = deque()
        while self._pending:
            item = self._pending.popleft()
            if self._closed and not isinstance(item, Stop):
                # When the journal is back, everything is looked at.
                if not isinstance(item, FolderEvent):
                    waiting.append(item)
                continue
            try:
                self._handle(item)
            except JournalError as error:
                waiting.append(item)
                self._refused(error)
        self._pending = waiting

    def _handle(self, item: Any) -> None:
        if isinstance(item, Stop):
            self._ending = self._ending or item.why
        elif isinstance(item, FolderEvent):
            now = time.monotonic()
            for intake in self.intakes.values():
                if item.folder in ("", intake.folder.name):
                    self._in_folder(intake, partial(intake.on_folder_event, item.path, now))
        elif isinstance(item, News):
            self.events.emit(item.event, **item.values)
        elif isinstance(item, NotificationSent):
            note_sent(self.journal, item)
        elif isinstance(item, TaskResult):
            if item.token in self._in_inspection:
                candidate = self._in_inspection.pop(item.token)
                intake = self.intakes[candidate.folder]
                if not self._in_folder(intake, partial(self._inspected, candidate, item), _NO_ANSWER):
                    intake.look_again(candidate)
            else:
                self.jobs.finished(item)

    def _inspected(self, candidate: Candidate, result: TaskResult) -> None:
        intake = self.intakes[candidate.folder]
        found: Inspection | None = result.value
        if found is None:
            intake.abort_inspection(candidate, result.failure, time.monotonic())
            return
        ready = intake.end_inspection(candidate, found, time.monotonic())
        if ready is not None and self._ending is None:
            self._claim(intake, ready)

    def _sleep(self, now: float) -> float:
        if self._closed:
            return _LONGEST_SLEEP
        due = [
            intake.next_due(now)
            for name, intake in self.intakes.items()
            if not intake.root.held and not any(self.guards.of(what, name).waits for what in _LOOKS)
        ]
        jobs = self.jobs.next_due()
        if jobs is not None:
            due.append(jobs)
        soonest = min(due, default=now + _LONGEST_SLEEP) - now
        # With all workers busy nothing can be started: their answers wake the loop.
        floor = 0.05 if self._in_inspection or self.jobs.in_work else 0.01
        return min(max(soonest, floor), _LONGEST_SLEEP)
