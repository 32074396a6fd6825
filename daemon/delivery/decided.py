"""Decided: what a person sent from the light table is carried out as an approved or rejected review is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from mattebox.daemon.delivery.recall import may_recall
from mattebox.daemon.journal.identity import identity
from mattebox.daemon.journal.steps import step

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.settings import CutSettings
    from mattebox.daemon.journal.decisions import Decision
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.rows import JobRow


class VerdictHandler(Protocol):
    """Who carries out what was decided."""

    def approve(self, job: JobRow, file: Path) -> None:
        """The job goes on with the matte in `file`."""

    def reject(self, job: JobRow, file: Path | None) -> None:
        """The job fails; `file` goes with the review."""

    def again(self, job: JobRow, cut: CutSettings) -> None:
        """The job is cut anew by other settings and comes back into review."""

    def take_back(self, job: JobRow, cut: CutSettings) -> None:
        """The delivered job comes back into review, cut by other settings."""


def carry_out(journal: Journal, hands: VerdictHandler) -> None:
    """Carry out every decision that was sent; each may be begun anew after a stop. Raises JournalError."""
    for decision in journal.decisions.sent():
        with suppress(KeyError):
            job = journal.job(decision.job)
            waits = ("done", "recalling") if decision.verdict == "back" else ("review",)
            if job.state in waits and not _carried_out(journal, job, decision, hands):
                continue
            step("decision carried out")
            with journal.transaction():
                journal.decisions.carried_out(decision.job)
            step("decision noted")


def review_psd(journal: Journal, job: JobRow) -> Path | None:
    """The PSD of a job in review as it lies there now, or None: somebody took it away. Raises OSError."""
    for item in journal.placements(job.id, "review"):
        if item.final is not None and item.final.suffix == ".psd" and identity(item.final) is not None:
            return item.final
    return None


def _carried_out(journal: Journal, job: JobRow, decision: Decision, hands: VerdictHandler) -> bool:
    """Whether it was done; a review whose PSD a person has just dropped elsewhere is decided by that."""
    if decision.verdict == "reject":
        hands.reject(job, None)
        return True
    if decision.verdict == "again":
        hands.again(job, job.plan.cut.model_copy(update=dict(decision.settings)))
        return True
    if decision.verdict == "back":
        if may_recall(journal, job):
            hands.take_back(job, job.plan.cut.model_copy(update=dict(decision.settings)))
        return True
    file = decision.matte or review_psd(journal, job)
    if file is None:
        return False
    hands.approve(job, file)
    return True
