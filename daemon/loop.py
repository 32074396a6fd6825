"""The loop: folders in, jobs through the workers, one decision at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from mattebox.daemon.config.planning import cut_settings, make_plan, review_folders
from mattebox.daemon.delivery.deliver import Delivery
from mattebox.daemon.errors import TemplateError
from mattebox.daemon.inbox import Inbox
from mattebox.daemon.intake.claim import claim
from mattebox.daemon.intake.inspection import InspectionTask, inspect_file
from mattebox.daemon.intake.intake import Candidate, Intake
from mattebox.daemon.intake.watch import FolderEvent, OverflowAlarm
from mattebox.daemon.report.notify import NotificationSent, note_sent
from mattebox.daemon.work.jobs import Jobs
from mattebox.daemon.work.workers import Failure, TaskResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mattebox.core.settings import ReadLimits
    from mattebox.daemon.config.load import LoadedConfig
    from mattebox.daemon.delivery.review import Reviews
    from mattebox.daemon.events import Events
    from mattebox.daemon.intake.inspection import Inspection
    from mattebox.daemon.intake.intake import Ready
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.work.workers import Pool

_HEALTH_CHECK: Final = 2.0
_LONGEST_SLEEP: Final = 0.5
Ending = Literal["stopped", "reload", "idle"]


class Stop(NamedTuple):
    """Somebody asks the loop to end."""

    why: Ending = "stopped"


class PeriodicTask(NamedTuple):
    """Something that is done every so many seconds beside the work."""

    interval: float
    action: Callable[[Loop], None]


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
        self._active: set[str] = set()

    def recover(self) -> None:
        """Finish what a former run began; what needs a worker waits for one."""
        # A batch that ended in a former run and was not reported is reported now.
        self._active = set(self.journal.outbox.batches()) & set(self.intakes)
        before = {job.id: job.state for job in self.journal.jobs()}
        for job in self.delivery.recover():
            if job.state != before[job.id]:
                self.jobs.emit_ending(job)
            self.jobs.enqueue(job)

    def run(self, pool: Pool, *, max_tasks: int, grace: float) -> Ending:
        """Work until told to stop, or (once) until nothing waits.

        max_tasks: so many are given to workers at a time. What they have begun may finish within `grace`
        seconds; the rest waits for the next start.
        """
        alarm = None
        if not self.once:
            alarm = OverflowAlarm(self.inbox)
            for intake in self.intakes.values():
                intake.root.open()
                intake.root.start_watching(self.inbox)
        deadline = None
        try:
            while True:
                now = time.monotonic()
                if self._ending is None:
                    self._tick(now, pool, max_tasks)
                    if self.once and not self._busy():
                        return "idle"
                else:
                    deadline = deadline or now + grace
                    if not self.jobs.in_work or now >= deadline:
                        return self._ending
                self._receive(self._sleep(now))
        finally:
            for intake in self.intakes.values():
                intake.root.stop_watching()
            if alarm is not None:
                alarm.stop()
            pool.stop()
            # The answers that came while the workers were stopped.
            self._receive(0.0)
            self.jobs.abandon_work()

    def _busy(self) -> bool:
        held = all(intake.root.held or not intake.busy() for intake in self.intakes.values())
        return not held or bool(self._in_inspection) or bool(self.jobs.waiting) or bool(self.jobs.in_work)

    def _tick(self, now: float, pool: Pool, max_tasks: int) -> None:
        for index, task in enumerate(self._periodic_tasks):
            if now >= self._due_times[index]:
                self._due_times[index] = now + task.interval
                task.action(self)
        for intake in self.intakes.values():
            intake.scan(now)
        if self.jobs.waiting or any(intake.waiting for intake in self.intakes.values()):
            pool.start()
        self.jobs.start(pool, max_tasks - self.jobs.in_work)
        # So many files are inspected and claimed ahead that no worker waits for its next one.
        free = max_tasks - self.jobs.ready - len(self._in_inspection)
        for intake in self.intakes.values():
            if free <= 0:
                break
            if intake.root.held:
                continue
            for candidate in intake.candidates(now):
                self._inspect(intake, candidate, pool)
                free -= 1
                if free <= 0:
                    break
        self._emit_idle()

    def _emit_idle(self) -> None:
        """Report each folder whose last file has ended: its batch is finished."""
        busy = self.jobs.folders | {candidate.folder for candidate in self._in_inspection.values()}
        busy |= {name for name, intake in self.intakes.items() if intake.waiting}
        ended = self._active - busy
        self._active |= busy
        for name in sorted(ended):
            self._active.discard(name)
            delivered, failed = self.jobs.batch(name)
            count = self.journal.outbox.batches().get(name, 0)
            self.events.emit("idle", name, delivered=delivered, failed=failed, batch=count)

    def _inspect(self, intake: Intake, candidate: Candidate, pool: Pool) -> None:
        count = intake.begin_inspection(candidate)
        if count >= intake.folder.attempts:
            what = f"Looking into it ended its worker {count} times (a crash, or too little memory)."
            self._claim(intake, intake.give_up(candidate, what))
            return
        token = f"{candidate.folder}\0{candidate.path}"
        self._in_inspection[token] = candidate
        path = intake.folder.watch / candidate.path
        task = InspectionTask(path, self._limits(intake), intake.marker(candidate))
        pool.submit(token, inspect_file, task, self.loaded.config.engine.timeout)

    def _limits(self, intake: Intake) -> ReadLimits:
        """The most generous limits of the folder's rules: which rule takes the file is not known yet."""
        cuts = [cut_settings(self.loaded.config, rule) for rule in intake.folder.rules]
        return max((cut.limits for cut in cuts), key=lambda limits: limits.megapixels)

    def _claim(self, intake: Intake, ready: Ready) -> None:
        folder = intake.folder
        try:
            plan = make_plan(self.loaded, folder, ready.rule, ready.path, ready.size)
        except TemplateError as error:
            intake.root.hold(str(error))
            return
        try:
            job = claim(self.journal, folder.name, ready.found, plan)
        except OSError as error:
            intake.root.hold(
                f"{folder.watch}: files cannot be taken out of the watched folder ({error.strerror}); "
                "mend its permissions, or set originals: keep."
            )
            intake.retry_soon()
            return
        if job is None:
            return
        self.events.emit("claimed", folder.name, job.id, input=ready.path, rule=plan.rule)
        if ready.problem:
            kind = "TruncatedPhotoError" if ready.truncated else "PhotoError"
            self.jobs.enqueue(job)
            self.jobs.fail(job, Failure(ready.problem, kind, step="read"))
        else:
            self.jobs.enqueue(job)

    def _receive(self, wait: float) -> None:
        """Sleep until something arrives, then take all that has arrived."""
        while found := self.inbox.get(wait):
            for item in found:
                self._handle(item)
            wait = 0.0

    def _handle(self, item: Any) -> None:
        if isinstance(item, Stop):
            self._ending = self._ending or item.why
        elif isinstance(item, FolderEvent):
            now = time.monotonic()
            for intake in self.intakes.values():
                if item.folder in ("", intake.folder.name):
                    intake.on_folder_event(item.path, now)
        elif isinstance(item, NotificationSent):
            note_sent(self.journal, item)
        elif isinstance(item, TaskResult):
            if item.token in self._in_inspection:
                self._inspected(self._in_inspection.pop(item.token), item)
            else:
                self.jobs.finished(item)

    def _inspected(self, candidate: Candidate, result: TaskResult) -> None:
        intake = self.intakes[candidate.folder]
        found: Inspection | None = result.value
        if found is None:
            # The worker died or hung; the journal's count of such inspections bounds the repeats.
            intake.abort_inspection(candidate)
            return
        ready = intake.end_inspection(candidate, found, time.monotonic())
        if ready is not None and self._ending is None:
            self._claim(intake, ready)

    def _sleep(self, now: float) -> float:
        due = [intake.next_due(now) for intake in self.intakes.values() if not intake.root.held]
        jobs = self.jobs.next_due()
        if jobs is not None:
            due.append(jobs)
        soonest = min(due, default=now + _LONGEST_SLEEP) - now
        # With all workers busy nothing can be started: their answers wake the loop.
        floor = 0.05 if self._in_inspection or self.jobs.in_work else 0.0
        return min(max(soonest, floor, 0.01), _LONGEST_SLEEP)


def keep_watching(loop: Loop) -> None:
    """The periodic task that rebuilds dead watches."""
    for intake in loop.intakes.values():
        intake.root.keep_watching(loop.inbox)


def review_task(interval: float, reviews: Reviews) -> PeriodicTask:
    """The periodic task that carries out what people have decided."""

    def collect(loop: Loop) -> None:
        reviews.collect(loop.journal, review_folders(loop.loaded.config), loop.jobs)

    return PeriodicTask(interval, collect)


WATCH_TASK: Final = PeriodicTask(_HEALTH_CHECK, keep_watching)
