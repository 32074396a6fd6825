"""Jobs: what was claimed, on its way through the workers to its end."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from mattebox.daemon.delivery.endings import ending
from mattebox.daemon.delivery.reason import failure_reason
from mattebox.daemon.errors import NOT_BEGUN, Failure, JournalError
from mattebox.daemon.guard import REFUSALS, refusal
from mattebox.daemon.intake.claim import GONE, was_taken_away
from mattebox.daemon.journal.identity import content_hash, is_there
from mattebox.daemon.journal.states import ENDED
from mattebox.daemon.work.tally import Tally
from mattebox.daemon.work.tasks import JobTask, do_job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mattebox.core.job_report import JobReport
    from mattebox.core.settings import CutSettings
    from mattebox.daemon.delivery.deliver import Delivery
    from mattebox.daemon.events import Events
    from mattebox.daemon.journal.rows import JobRow
    from mattebox.daemon.work.workers import Pool, TaskResult

_RETRY_WAIT: Final = 5.0
_MOST_WAIT: Final = 60.0
_ONCE_HOLDS: Final = 3
_UNSETTLED: Final = 2.0
_DUPLICATE_WAIT: Final = 0.2
# Between two looks at originals that have ended.
_LOOK_BACK: Final = 1.0


@dataclass(slots=True)
class _Wait:
    folder: str
    until: float
    holds: int = 0
    told: str = ""


class Jobs:
    """The claimed jobs that are not at their end: waiting, in work, or stopped by a full disk."""

    def __init__(self, delivery: Delivery, events: Events, clock: Callable[[], float], *, once: bool) -> None:
        """`once`: a job that the disk holds up is given back after a few tries."""
        self._delivery = delivery
        self._journal = delivery.journal
        self._events = events
        self._clock = clock
        self._once = once
        self._waiting: dict[str, _Wait] = {}
        self._working: dict[str, _Wait] = {}
        self._look_back = 0.0
        self.tally = Tally()

    @property
    def in_work(self) -> int:
        """Jobs in the hands of workers."""
        return len(self._working)

    @property
    def waiting(self) -> int:
        """Jobs that wait for a worker, or for a disk."""
        return len(self._waiting)

    @property
    def folders(self) -> set[str]:
        """The folders with a job that waits or is in work."""
        return {wait.folder for waits in (self._waiting, self._working) for wait in waits.values()}

    @property
    def ready(self) -> int:
        """Jobs that wait for nothing but a worker."""
        now = self._clock()
        return sum(wait.until <= now for wait in self._waiting.values())

    def next_due(self) -> float | None:
        """When the next waiting job may go on."""
        return min((wait.until for wait in self._waiting.values()), default=None)

    def enqueue(self, job: JobRow) -> None:
        """A job that has been claimed, or was found in the journal."""
        if job.state not in (*ENDED, "review"):
            self._waiting[job.id] = _Wait(job.folder, 0.0)

    def approve(self, job: JobRow, file: Path) -> None:
        """A person approved the matte in `file`: the job goes on."""
        self.enqueue(self._delivery.approve(job, file))

    def again(self, job: JobRow, cut: CutSettings) -> None:
        """A person wants to see the job cut by other settings."""
        self.enqueue(self._delivery.again(job, cut))

    def take_back(self, job: JobRow, cut: CutSettings) -> None:
        """A person wants a delivered photo back in review, cut by other settings."""
        self.enqueue(self._delivery.recall(job, cut))
        self._tell("taken-back", job)

    def reject(self, job: JobRow, file: Path | None) -> None:
        """A person rejected the cutout, by what was dropped into rejected/ or at the light table."""
        self.fail(job, Failure("A person rejected the cutout in review.", "rejected", step="review"), file)

    def passed_over(self, job: JobRow, files: Sequence[Path], newest: Path) -> None:
        """Say that other files of a review do not count, for a person dropped a newer one."""
        for file in files:
            values = {"file": os.fspath(file), "newest": os.fspath(newest)}
            self._events.emit("review-passed-over", job.folder, job.id, **values)

    def fail(self, job: JobRow, failure: Failure, file: Path | None = None) -> None:
        """A job that cannot be done: its original goes to failed/ with the reason.

        file: what a person dropped into rejected/, which goes with the review.
        """
        reason = failure_reason(job, failure.what, failure.kind, failure.step, file)
        try:
            ended = self._delivery.fail(job, reason)
        except REFUSALS as error:
            self._postpone(job.id, error)
            return
        self.emit_ending(ended)

    def start(self, pool: Pool, max_tasks: int) -> int:
        """Give waiting jobs to workers, or go on with what a disk stopped; how many went to workers."""
        given = 0
        now = self._clock()
        self._redo_changed(now)
        for job_id, wait in list(self._waiting.items()):
            if given >= max_tasks or wait.until > now:
                continue
            try:
                job = self._journal.job(job_id)
                if job.state == "claimed":
                    given += self._begin(job, pool)
                else:
                    self._resume(job)
            except KeyError:
                self._waiting.pop(job_id, None)
            except REFUSALS as error:
                self._postpone(job_id, error)
        return given

    def _redo_changed(self, now: float) -> None:
        """Look at what has ended just now once more; an original that changed since is done again."""
        if now >= self._look_back:
            self._look_back = now + _LOOK_BACK
            self._delivery.redo_changed()
        while self._delivery.redone:
            job = self._delivery.redone.pop()
            self._events.emit("changed-late", job.folder, job.id, input=os.fspath(job.plan.source))

    def finished(self, result: TaskResult) -> None:
        """A worker's answer about a job. Raises JournalError; the job then waits, as its row says."""
        if result.token not in self._working:
            return
        job = self._journal.job(result.token)
        wait = self._working.pop(result.token)
        self._waiting[job.id] = wait
        try:
            if result.failure is not None:
                told = replace(result.failure, what=self._in_their_names(job, result.failure.what))
                self._failed(job, told, wait)
            elif not self._delivery.unchanged(job):
                self._changed(job)
            else:
                self._staged(job, result.value)
        except REFUSALS as error:
            self._postpone(job.id, error)
        with suppress(OSError):
            self._delivery.markers.clear(job.id)

    def catch_up(self) -> None:
        """Take every job of the journal that is not known here: a refusal came between the two."""
        for job in self._journal.jobs():
            if job.id not in self._working and job.id not in self._waiting:
                self.enqueue(job)

    def abandon_work(self) -> None:
        """The workers are stopped before they could finish: their jobs wait for the next start."""
        for job_id in list(self._working):
            self._delivery.requeue(self._journal.job(job_id), count=False)
            with suppress(OSError):
                self._delivery.markers.clear(job_id)
            self._waiting[job_id] = self._working.pop(job_id)

    def _begin(self, job: JobRow, pool: Pool) -> int:
        if not self._delivery.unchanged(job):
            self._changed(job)
            return 0
        if job.attempts >= job.plan.attempts:
            what = f"The work on it ended without an answer {job.attempts} times (a crash or a power cut)."
            self.fail(job, Failure(what, "crash"))
            return 0
        if job.plan.deduplicate and job.phase == "deliver" and self._duplicate(job):
            return 0
        marker, learns = self._delivery.markers.of(job.id), job.plan.learns
        work = JobTask(self._delivery.begin(job), marker, job.phase == "review", learns)
        self._working[job.id] = self._waiting.pop(job.id)
        self._tell("working", job, phase=job.phase)
        try:
            pool.submit(job.id, do_job, work, job.plan.timeout)
        except BaseException:
            self._waiting[job.id] = self._working.pop(job.id)
            raise
        return 1

    def _duplicate(self, job: JobRow) -> bool:
        digest = content_hash(job.work)
        with self._journal.transaction():
            owner = self._journal.files.content_owner(job.folder, digest, job.id)
            self._journal.change(job.id, sha256=digest)
        if owner == job.id:
            return False
        try:
            first = self._journal.job(owner)
        except KeyError:
            first = None
        if first is not None and first.state not in ENDED:
            self._waiting[job.id] = _Wait(job.folder, self._clock() + _DUPLICATE_WAIT)
            return True
        self._delivery.duplicate(job)
        del self._waiting[job.id]
        self._tell("duplicate", job, of=owner)
        return True

    def _staged(self, job: JobRow, report: JobReport) -> None:
        why = None
        if job.phase == "deliver" and job.plan.review is not None:
            why = job.plan.review.wants(report.confidence, report.warnings)
        if why is not None:
            self._delivery.to_review(job, why)
            return
        self._resume(self._delivery.staged(job, report))

    def _resume(self, job: JobRow) -> None:
        """Everything that a state leaves to do, short of a worker's part. Raises OSError."""
        self._delivery.finish_pending(job)
        try:
            after = self._journal.job(job.id)
        except KeyError:
            self._waiting.pop(job.id, None)
            return
        if after.state == "claimed":
            return
        self._waiting.pop(job.id, None)
        self.emit_ending(after)

    def emit_ending(self, job: JobRow) -> None:
        """Emit how a job has ended, if it has."""
        self._waiting.pop(job.id, None)
        event = ending(job)
        if event is not None:
            self.tally.count(job)
            self._events.dispatch(event)

    def _failed(self, job: JobRow, failure: Failure, wait: _Wait) -> None:
        if self._is_gone(job):
            return
        if failure.kind == NOT_BEGUN:
            self._delivery.requeue(job, count=False)
        elif failure.hold:
            self._delivery.requeue(job, count=False)
            self._postpone(job.id, OSError(None, failure.what.rstrip(".")))
        elif failure.retry and job.attempts < job.plan.attempts:
            self._delivery.requeue(job, count=True)
            wait.until = self._clock() + (0.0 if self._once else min(_RETRY_WAIT * job.attempts, _MOST_WAIT))
            self._tell("retry", job, why=failure.what, attempt=job.attempts, of=job.plan.attempts)
        elif job.phase == "approved":
            del self._waiting[job.id]
            self._delivery.reopen_review(job)
            file = (job.reason or {}).get("file", "")
            self._events.emit("review-refused", job.folder, job.id, file=file, why=failure.what)
        else:
            self.fail(job, failure)

    def _in_their_names(self, job: JobRow, text: str) -> str:
        """The text with the files' own names in place of the work folder's and the staged ones."""
        names = {item.staged: item.target for item in self._journal.placements(job.id, "output", "review")}
        for ours, theirs in {**names, job.work: job.plan.source}.items():
            text = text.replace(os.fspath(ours), os.fspath(theirs))
        return text

    def _tell(self, event: str, job: JobRow, **values: Any) -> None:
        self._events.emit(event, job.folder, job.id, input=os.fspath(job.plan.source), **values)

    def _changed(self, job: JobRow) -> None:
        """The original is not what was claimed: somebody still writes, or took it away."""
        if self._is_gone(job):
            return
        if job.state == "working":
            self._delivery.requeue(job, count=False)
        self._waiting[job.id].until = self._clock() + _UNSETTLED
        self._tell("changed", job)

    def _is_gone(self, job: JobRow) -> bool:
        """Whether the original went away, alone or with its folder; the job has then been told so."""
        if is_there(job.work):
            return False
        if was_taken_away(job):
            self._vanished(job)
            return True
        if job.state == "working":
            self._delivery.requeue(job, count=False)
        self._postpone(job.id, OSError(None, GONE, os.fspath(job.plan.watch)))
        return True

    def _vanished(self, job: JobRow) -> None:
        self._delivery.drop_vanished(job)
        self._waiting.pop(job.id, None)
        self._tell("vanished", job)

    def _postpone(self, job_id: str, error: Exception) -> None:
        """A disk or folder refuses: nothing is lost, the job waits longer each time. Raises JournalError."""
        if isinstance(error, JournalError):
            raise error
        job = self._journal.job(job_id)
        if job.state == "working" and job_id not in self._working:
            # It never reached a worker, or its answer does not count: no attempt is spent on a disk.
            with suppress(OSError):
                job = self._delivery.requeue(job, count=False)
        wait = self._waiting.setdefault(job_id, _Wait(job.folder, 0.0))
        wait.holds += 1
        if self._once and wait.holds >= _ONCE_HOLDS:
            self._return_original(job, error)
            return
        pause = 0.2 if self._once else min(_RETRY_WAIT * 2 ** (wait.holds - 1), _MOST_WAIT)
        wait.until = self._clock() + pause
        why = self._in_their_names(job, refusal(error))
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            why = f"{job.plan.source}: {why}"
        if why != wait.told:
            wait.told = why
            self._events.emit("held", job.folder, job_id, why=why, pause=pause)

    def _return_original(self, job: JobRow, error: Exception) -> None:
        """`once` does not wait for a disk: the original goes back, or stays with its job for the next run."""
        self.tally.returned += 1
        del self._waiting[job.id]
        where = job.work
        if job.state in ("claimed", "claiming"):
            with suppress(*REFUSALS):
                self._delivery.return_original(job)
                where = job.plan.source
        self._events.emit("held", job.folder, job.id, why=refusal(error), input=str(where), gave_up=True)
