"""The loop: folders in, jobs through the workers, one decision at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from mattebox.daemon.config.planning import cut_settings, make_plan, review_folders
from mattebox.daemon.delivery.deliver import Delivery
from mattebox.daemon.errors import TemplateError
from mattebox.daemon.inbox import Inbox
from mattebox.daemon.intake.claim import claim
from mattebox.daemon.intake.inspection import Glance, look
from mattebox.daemon.intake.intake import Candidate, Intake
from mattebox.daemon.intake.watch import Hint, OverflowAlarm
from mattebox.daemon.report.notify import Told, note_told
from mattebox.daemon.work.jobs import Jobs
from mattebox.daemon.work.workers import Done, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mattebox.core.settings import ReadLimits
    from mattebox.daemon.config.load import LoadedConfig
    from mattebox.daemon.delivery.review import Reviews
    from mattebox.daemon.events import Events
    from mattebox.daemon.intake.inspection import Look
    from mattebox.daemon.intake.intake import Ready
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.work.workers import Pool

_HEALTH_CHECK: Final = 2.0
_LONGEST_SLEEP: Final = 0.5
Ending = Literal["stopped", "reload", "idle"]


class Stop(NamedTuple):
    """Somebody asks the loop to end."""

    why: Ending = "stopped"


class Chore(NamedTuple):
    """Something that is done every so many seconds beside the work."""

    every: float
    do: Callable[[Loop], None]


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
        chores: Sequence[Chore] = (),
    ) -> None:
        """`inbox` receives workers' answers, hints and Stop. `once`: end when nothing waits any more."""
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
        self._chores = list(chores)
        self._chores_due = [0.0 for _ in chores]
        self._looking: dict[str, Candidate] = {}
        self._ending: Ending | None = None
        self._active: set[str] = set()

    def recover(self) -> None:
        """Finish what a former run began; what needs a worker waits for one."""
        # Of a batch that ended in a former run, but for being told, the end is told now.
        self._active = set(self.journal.outbox.batches()) & set(self.intakes)
        before = {job.id: job.state for job in self.journal.jobs()}
        for job in self.delivery.recover():
            if job.state != before[job.id]:
                self.jobs.tell_end(job)
            self.jobs.take(job)

    def run(self, pool: Pool, *, room: int, grace: float) -> Ending:
        """Work until told to stop, or (once) until nothing waits. room: tasks given to workers at a time.

        What workers have begun may finish within `grace` seconds; the rest waits for the next start.
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
                    self._tick(now, pool, room)
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
            self.jobs.give_up_work()

    def _busy(self) -> bool:
        held = all(intake.root.held or not intake.busy() for intake in self.intakes.values())
        return not held or bool(self._looking) or bool(self.jobs.waiting) or bool(self.jobs.in_work)

    def _tick(self, now: float, pool: Pool, room: int) -> None:
        for index, chore in enumerate(self._chores):
            if now >= self._chores_due[index]:
                self._chores_due[index] = now + chore.every
                chore.do(self)
        for intake in self.intakes.values():
            intake.scan(now)
        if self.jobs.waiting or any(intake.waiting for intake in self.intakes.values()):
            pool.start()
        self.jobs.start(pool, room - self.jobs.in_work)
        # So many files are looked into and claimed ahead that no worker waits for its next one.
        free = room - self.jobs.ready - len(self._looking)
        for intake in self.intakes.values():
            if free <= 0:
                break
            if intake.root.held:
                continue
            for candidate in intake.candidates(now):
                self._look(intake, candidate, pool)
                free -= 1
                if free <= 0:
                    break
        self._tell_idle()

    def _tell_idle(self) -> None:
        """Tell of each folder whose last file has ended: its batch is finished."""
        busy = self.jobs.folders | {candidate.folder for candidate in self._looking.values()}
        busy |= {name for name, intake in self.intakes.items() if intake.waiting}
        ended = self._active - busy
        self._active |= busy
        for name in sorted(ended):
            self._active.discard(name)
            delivered, failed = self.jobs.batch(name)
            count = self.journal.outbox.batches().get(name, 0)
            self.events.tell("idle", name, delivered=delivered, failed=failed, batch=count)

    def _look(self, intake: Intake, candidate: Candidate, pool: Pool) -> None:
        count = intake.looking(candidate)
        if count >= intake.folder.attempts:
            what = f"Looking into it ended its worker {count} times (a crash, or too little memory)."
            self._claim(intake, intake.doomed(candidate, what))
            return
        token = f"{candidate.folder}\0{candidate.path}"
        self._looking[token] = candidate
        path = intake.folder.watch / candidate.path
        glance = Glance(path, self._limits(intake), intake.mark(candidate))
        pool.submit(token, look, glance, self.loaded.config.engine.timeout)

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
        self.events.tell("claimed", folder.name, job.id, input=ready.path, rule=plan.rule)
        if ready.problem:
            kind = "TruncatedPhotoError" if ready.truncated else "PhotoError"
            self.jobs.take(job)
            self.jobs.fail(job, Trouble(ready.problem, kind, step="read"))
        else:
            self.jobs.take(job)

    def _receive(self, wait: float) -> None:
        """Sleep until something arrives, then take all that has arrived."""
        while found := self.inbox.get(wait):
            for item in found:
                self._handle(item)
            wait = 0.0

    def _handle(self, item: Any) -> None:
        if isinstance(item, Stop):
            self._ending = self._ending or item.why
        elif isinstance(item, Hint):
            now = time.monotonic()
            for intake in self.intakes.values():
                if item.folder in ("", intake.folder.name):
                    intake.hint(item.path, now)
        elif isinstance(item, Told):
            note_told(self.journal, item)
        elif isinstance(item, Done):
            if item.token in self._looking:
                self._looked(self._looking.pop(item.token), item)
            else:
                self.jobs.finished(item)

    def _looked(self, candidate: Candidate, done: Done) -> None:
        intake = self.intakes[candidate.folder]
        found: Look | None = done.value
        if found is None:
            # The worker died or hung; the count of such looks, which is in the journal, bounds the repeats.
            intake.not_looked(candidate)
            return
        ready = intake.looked(candidate, found, time.monotonic())
        if ready is not None and self._ending is None:
            self._claim(intake, ready)

    def _sleep(self, now: float) -> float:
        due = [intake.next_due(now) for intake in self.intakes.values() if not intake.root.held]
        jobs = self.jobs.next_due()
        if jobs is not None:
            due.append(jobs)
        soonest = min(due, default=now + _LONGEST_SLEEP) - now
        # With all workers busy nothing can be started: their answers wake the loop.
        floor = 0.05 if self._looking or self.jobs.in_work else 0.0
        return min(max(soonest, floor, 0.01), _LONGEST_SLEEP)


def keep_watching(loop: Loop) -> None:
    """The chore that rebuilds dead watches."""
    for intake in loop.intakes.values():
        intake.root.keep_watching(loop.inbox)


def review_chore(every: float, reviews: Reviews) -> Chore:
    """The chore that carries out what people have decided."""

    def collect(loop: Loop) -> None:
        reviews.collect(loop.journal, review_folders(loop.loaded.config), loop.jobs)

    return Chore(every, collect)


WATCH_CHORE: Final = Chore(_HEALTH_CHECK, keep_watching)
