"""Recall: a delivered photo comes back into review; what was delivered goes where it is still ours."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mattebox.daemon.delivery.companions import KIND as COMPANION
from mattebox.daemon.delivery.companions import RETURN, bring_back
from mattebox.daemon.delivery.keepsakes import PUBLISHED, remove_published
from mattebox.daemon.delivery.place import move
from mattebox.daemon.journal.identity import identity
from mattebox.daemon.journal.owner import make_known
from mattebox.daemon.journal.rows import Placement
from mattebox.daemon.journal.steps import step

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.settings import CutSettings
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.rows import JobRow

KIND: Final = "recall"
_WHY: Final = "it was taken back after its delivery"


def may_recall(journal: Journal, job: JobRow) -> bool:
    """Whether a delivered photo can come back: its rule has a review, and its original is there."""
    if job.state == "recalling":
        return True
    there = job.plan.review is not None and identity(_place(journal, job)) is not None
    return there and job.state == "done"


def recall(journal: Journal, job: JobRow, cut: CutSettings) -> JobRow:
    """Take a delivery back: the photo is in work again, to be cut by `cut` for its review.

    May be begun anew after a stop. Raises OSError, WriteError.
    """
    if job.state != "recalling":
        with journal.transaction():
            journal.late_looks.end(job.id)
            job = journal.change(job.id, state="recalling", attempts=0, plan=replace(job.plan, cut=cut))
        step("recall noted")
    remove_published(journal, job)
    step("delivery removed")
    plan, work = job.plan, job.work
    if not plan.keep:
        make_known(journal.owner, plan.watch)
        work = _brought_into_work(journal, job)
        names = (entry.name for entry in os.scandir(work.parent) if entry.is_file(follow_symlinks=False))
        plan = replace(plan, companions=tuple(sorted(name for name in names if name != work.name)))
    with journal.transaction():
        journal.forget_placements(job.id, [*PUBLISHED, "original", "kept", COMPANION, RETURN, KIND])
        values = {"work": work, "plan": plan, "identity": identity(work) or job.identity}
        job = journal.change(job.id, state="claimed", phase="review", reason={"why": _WHY}, **values)
    step("recalled")
    return job


def _brought_into_work(journal: Journal, job: JobRow) -> Path:
    """The original, with what belongs to it, back in the working folder; where it is there."""
    job.work.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    source = _place(journal, job)
    items = journal.placements(job.id, KIND)
    final = move(journal, items[0] if items else Placement(job.id, KIND, 0, source, job.work), source)
    bring_back(journal, job, final)
    return final


def _place(journal: Journal, job: JobRow) -> Path:
    """Where the original of an ended job was left."""
    moved = journal.placements(job.id, "original")
    return moved[0].final if moved and moved[0].final is not None else job.work
