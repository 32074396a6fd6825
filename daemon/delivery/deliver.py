"""Delivery: one claimed job to its end; every step may be repeated, and recovery goes by its state."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mattebox.core.errors import WriteError
from mattebox.core.job import Job, StagedOutput
from mattebox.core.names import fit
from mattebox.core.publish import stage_name
from mattebox.daemon.delivery.companions import bring_back, move_along
from mattebox.daemon.delivery.keepsakes import OwnFiles, clear_review, remove_published
from mattebox.daemon.delivery.labels import place_sidecar
from mattebox.daemon.delivery.late import LateWatch, may_be_half
from mattebox.daemon.delivery.place import LostStagedError, move, place
from mattebox.daemon.delivery.reason import write_reason
from mattebox.daemon.delivery.recall import recall
from mattebox.daemon.guard import REFUSALS
from mattebox.daemon.intake.claim import GONE, finish_claim, remove_work_folder, was_taken_away
from mattebox.daemon.journal.identity import identity, is_folder, is_there, known_content
from mattebox.daemon.journal.markers import Markers, attempt_marker
from mattebox.daemon.journal.plan import review_outputs
from mattebox.daemon.journal.rows import Placement
from mattebox.daemon.journal.steps import step

if TYPE_CHECKING:
    from mattebox.core.job_report import JobReport
    from mattebox.core.settings import CutSettings
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.rows import JobRow
    from mattebox.daemon.journal.states import State


class Delivery:
    """What is done to files, each effect noted in the journal before it happens."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.markers = Markers(journal.folder / "begun")
        self._late = LateWatch(journal)
        # Originals that are done again, until somebody tells of them.
        self.redone: list[JobRow] = []

    def unchanged(self, job: JobRow) -> bool:
        """Whether the original is still what was claimed; if not, the journal learns what it is now."""
        found = identity(job.work)
        if found is not None and found.same_content(job.identity):
            return True
        if found is not None:
            with self.journal.transaction():
                self.journal.change(job.id, identity=found)
        return False

    def begin(self, job: JobRow) -> Job:
        """Count an attempt, note the staged names, and give the work to be done. Raises OSError."""
        self._delete_staged(job)
        self.markers.clear(job.id)
        review = job.plan.review
        if job.phase == "review" and review is not None:
            outputs = review_outputs(review, job.plan, job.id)
        else:
            outputs = job.plan.outputs
        # A worker thought dead may still write: each attempt has names of its own.
        mark = f"{job.id}-{job.attempts + 1}-"
        staged = [StagedOutput(item.output, stage_name(item.target, mark)) for item in outputs]
        kind = _kind(job)
        with self.journal.transaction():
            self.journal.forget_placements(job.id, [kind])
            for number, (item, planned) in enumerate(zip(staged, outputs, strict=True)):
                self.journal.save(Placement(job.id, kind, number, item.staged, planned.target))
            self.journal.change(job.id, state="working", attempts=job.attempts + 1)
        step("attempt counted")
        for planned in outputs:
            planned.target.parent.mkdir(parents=True, exist_ok=True)
        finish = job.plan.finish if job.phase != "review" else type(job.plan.finish)()
        matte = Path(job.reason["file"]) if job.phase == "approved" and job.reason else None
        label = job.plan.label if job.phase != "review" else None
        return Job(job.work, tuple(staged), job.plan.cut, finish, matte, label)

    def requeue(self, job: JobRow, *, count: bool) -> JobRow:
        """Back to waiting; with `count` the attempt stays counted."""
        self._delete_staged(job)
        attempts = job.attempts if count else max(0, job.attempts - 1)
        with self.journal.transaction():
            job = self.journal.change(job.id, state="claimed", attempts=attempts)
        step("back to waiting")
        return job

    def to_review(self, job: JobRow, why: str) -> JobRow:
        """A person shall look: the outputs are thrown away and a review is rendered next."""
        self._delete_staged(job)
        with self.journal.transaction():
            job = self.journal.change(
                job.id, state="claimed", phase="review", attempts=0, reason={"why": why}
            )
        step("review wanted")
        return job

    def approve(self, job: JobRow, file: Path) -> JobRow:
        """A person approved: the outputs are rendered with the matte in `file`."""
        reason = {**(job.reason or {}), "file": os.fspath(file)}
        with self.journal.transaction():
            job = self.journal.change(job.id, state="claimed", phase="approved", attempts=0, reason=reason)
        step("review approved")
        return job

    def again(self, job: JobRow, cut: CutSettings) -> JobRow:
        """A person wants to see it cut by other settings: the review is rendered anew. Raises OSError."""
        self._delete_staged(job)
        ours = OwnFiles(self.journal, job.id)
        for item in self.journal.placements(job.id, "review"):
            # What a person has saved there is theirs, and the new review gets another name beside it.
            if item.final is not None and ours.wrote(item.final):
                item.final.unlink(missing_ok=True)
        step("former review removed")
        with self.journal.transaction():
            self.journal.forget_placements(job.id, ["review"])
            plan = replace(job.plan, cut=cut)
            job = self.journal.change(job.id, state="claimed", phase="review", attempts=0, plan=plan)
        step("asked again")
        return job

    def recall(self, job: JobRow, cut: CutSettings) -> JobRow:
        """A person wants a delivered photo back in review, cut by other settings. Raises OSError."""
        if not is_folder(job.plan.watch):
            raise _no_root(job)
        return recall(self.journal, job, cut)

    def reopen_review(self, job: JobRow) -> JobRow:
        """The file that a person approved holds no usable matte: the review is open again."""
        self._delete_staged(job)
        with self.journal.transaction():
            job = self.journal.change(job.id, state="review", phase="review")
            self.journal.decisions.reopen(job.id)
        step("approval refused")
        return job

    def staged(self, job: JobRow, report: JobReport) -> JobRow:
        """The work is done: note each staged file's size and hash. Raises OSError where one is gone."""
        by_path = {item.path: item for item in report.outputs}
        # Until a name is chosen nothing is out: without this row the work would be done once more.
        with self.journal.transaction(synced=False):
            for item in self.journal.placements(job.id, _kind(job)):
                written = by_path[os.fspath(item.staged)]
                if item.staged.stat().st_size != written.bytes:
                    raise OSError(None, "the staged file is not what was written", os.fspath(item.staged))
                self.journal.save(replace(item, size=written.bytes, sha256=written.sha256))
            state: State = "reviewing" if job.phase == "review" else "staged"
            job = self.journal.change(job.id, state=state, report=report.as_dict())
        step("staged")
        return job

    def deliver(self, job: JobRow) -> JobRow:
        """Publish what is staged, then move the original. Raises OSError, LostStagedError."""
        if job.state in ("staged", "reviewing"):
            paths = {}
            items = self.journal.placements(job.id, _kind(job))
            try:
                for item in items:
                    paths[os.fspath(item.staged)] = place(self.journal, item)
            except LostStagedError:
                if paths:
                    raise
                return self.requeue(job, count=True)
            report = dict(job.report or {})
            report["outputs"] = [
                {**output, "path": os.fspath(paths.get(output["path"], output["path"]))}
                for output in report.get("outputs", [])
            ]
            after: State = "delivered" if job.state == "staged" else "review"
            with self.journal.transaction(synced=False):
                job = self.journal.change(job.id, state=after, report=report)
            step("outputs published")
        if job.state == "delivered":
            job = self._end(job, "done", job.plan.done)
        return job

    def duplicate(self, job: JobRow) -> JobRow:
        """The same content was done before: the original moves, nothing else happens."""
        with self.journal.transaction():
            job = self.journal.change(job.id, state="duplicating")
        step("duplicate found")
        return self._end(job, "duplicate", job.plan.done)

    def fail(self, job: JobRow, reason: dict[str, Any]) -> JobRow:
        """Give up: the original goes to failed/ with NAME.reason.json. Raises OSError."""
        if job.state != "failing":
            self._delete_staged(job)
            with self.journal.transaction():
                job = self.journal.change(job.id, state="failing", reason=reason)
                self.journal.files.forget_content(job.id)
            step("failure noted")
        target = job.plan.failed / job.plan.tree / job.plan.name
        final = target if job.plan.keep else self._move_original(job, target)
        move_along(self.journal, job, final)
        job = self._label(job, final)
        write_reason(self.journal, job, final.with_name(fit(final.name, ".reason.json")))
        return self._end(job, "failed", None, final)

    def return_original(self, job: JobRow) -> JobRow:
        """The original returns to the watched folder and counts as new. Raises OSError."""
        if not is_folder(job.plan.watch):
            raise _no_root(job)
        if job.state != "returning":
            self._delete_staged(job)
            with self.journal.transaction():
                job = self.journal.change(job.id, state="returning", attempts=0)
            step("return noted")
        remove_published(self.journal, job)
        if not job.plan.keep:
            kept = self.journal.placements(job.id, "original")
            source = kept[0].final if kept and kept[0].final and kept[0].state == "placed" else job.work
            items = self.journal.placements(job.id, "return")
            item = items[0] if items else Placement(job.id, "return", 0, source, job.plan.source)
            bring_back(self.journal, job, move(self.journal, item, source))
        with self.journal.transaction():
            self.journal.files.leave_ledger(job.id)
            self.journal.change(job.id, state="returned")
        remove_work_folder(job)
        return self.journal.job(job.id)

    def redo_changed(self) -> list[JobRow]:
        """Give back the originals that changed after they were claimed, so that they are done again."""
        given = []
        for job in self._late.changed():
            with contextlib.suppress(OSError, WriteError):
                given.append(self.return_original(job))
                with self.journal.transaction():
                    self.journal.late_looks.note(job)
                    self.journal.late_looks.end(job.id)
        self.redone += given
        return given

    def drop_vanished(self, job: JobRow) -> None:
        """Somebody took the original away while it was worked on: nothing is left to do."""
        self._delete_staged(job)
        bring_back(self.journal, job, job.plan.source)
        with self.journal.transaction():
            self.journal.change(job.id, state="returned", reason={"what": "The original was taken away."})
        remove_work_folder(job)

    def recover(self) -> list[JobRow]:
        """Bring every job of a former run to a state that waits for work; those jobs.

        A job whose folder refuses just now stays in its state and is given back as it is.
        """
        self.redo_changed()
        waiting = []
        for job in self.journal.jobs():
            with contextlib.suppress(*REFUSALS):
                self.finish_pending(job)
            with contextlib.suppress(KeyError):
                waiting.append(self.journal.job(job.id))
        with contextlib.suppress(OSError):  # a job that begins clears its own
            self.markers.sweep({job.id for job in waiting if job.state == "working"})
        return waiting

    def finish_pending(self, job: JobRow) -> None:
        """Do what a job's state says is left, short of work for a worker. Raises OSError."""
        if job.state == "claiming":
            finish_claim(self.journal, job)
        elif job.state == "working":
            # Without a marker no worker was at it: whatever ended the last run, it was not this photo.
            self.requeue(job, count=self.markers.is_set(job.id))
        elif job.state in ("staged", "reviewing", "delivered"):
            self.deliver(job)
        elif job.state == "duplicating":
            self._end(job, "duplicate", job.plan.done)
        elif job.state == "failing":
            self.fail(job, job.reason or {})
        elif job.state == "returning":
            self.return_original(job)
        elif job.state == "recalling":
            self.recall(job, job.plan.cut)

    def _end(self, job: JobRow, state: State, originals: Path | None, final: Path | None = None) -> JobRow:
        """`final`: where the original is, if it has moved already."""
        if originals is not None and not job.plan.keep:
            final = self._move_original(job, originals / job.plan.tree / job.plan.name)
            move_along(self.journal, job, final)
            job = self._label(job, final)
        elif state == "done":
            job = self._label(job, job.plan.source)
        job = clear_review(self.journal, job, (originals or job.plan.failed) / job.plan.tree)
        remove_work_folder(job)
        step("working folder removed")
        digest = known_content(job.work, job.identity) if job.plan.keep else ""
        with self.journal.transaction(synced=False):
            if job.plan.keep:
                path = os.path.join(job.plan.tree, job.plan.name)  # noqa: PTH118 - text, not a path
                values = (job.folder, job.plan.rule, path, job.identity)
                self.journal.files.enter_ledger(*values, sha256=digest, job=job.id)
            job = self.journal.change(job.id, state=state)
            if may_be_half(job):
                self._late.begin(job, job.work if job.plan.keep or final is None else final)
        step("ended")
        return job

    def _label(self, job: JobRow, final: Path) -> JobRow:
        """Write the label beside the original; what could not be is in the report then."""
        notes = place_sidecar(self.journal, job, final)
        report = job.report or {}
        told = [*report.get("photo_notes", ()), *notes]
        if not notes or report.get("photo_notes", [])[-len(notes) :] == list(notes):
            return job
        with self.journal.transaction():
            return self.journal.change(job.id, report={**report, "photo_notes": told})

    def _move_original(self, job: JobRow, target: Path) -> Path:
        items = self.journal.placements(job.id, "original")
        item = items[0] if items else Placement(job.id, "original", 0, job.work, target)
        places = (job.work, item.staged, item.final or item.staged)
        if item.state != "placed" and not any(is_there(path) for path in places):
            if not was_taken_away(job):
                raise _no_root(job)
            # Somebody took the original away; what was made of it is safe, and nothing is left to move.
            return target
        final = move(self.journal, item, job.work)
        found = identity(final)
        if found is not None and found.device != job.identity.device:
            # A copy has an inode of its own: late looks go by that, with what was claimed to compare with.
            with self.journal.transaction():
                self.journal.change(job.id, identity=job.identity.copied_as(found))
        return final

    def _delete_staged(self, job: JobRow) -> None:
        """Delete what a former attempt staged and did not publish."""
        for item in self.journal.placements(job.id, "output", "review"):
            if item.state != "placed":
                # The marker first: who finds it gone throws away what it writes afterwards.
                attempt_marker(item.staged).unlink(missing_ok=True)
                item.staged.unlink(missing_ok=True)
        step("staged files removed")


def _no_root(job: JobRow) -> OSError:
    return FileNotFoundError(errno.ENOENT, GONE, os.fspath(job.plan.watch))


def _kind(job: JobRow) -> str:
    return "review" if job.phase == "review" else "output"
