"""Review: a PSD with its mask and a preview for a person, and what the person did with it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

from mattebox.core.publish import publish
from mattebox.daemon.intake.settle import Settling
from mattebox.daemon.journal.identity import identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from mattebox.daemon.journal.identity import Identity
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.rows import JobRow

APPROVED: Final = "approved"
REJECTED: Final = "rejected"
_JOB_IN_NAME: Final = re.compile(r"\.([0-9a-f]{10})(?=[^0-9a-f])")
_SETTLE: Final = 2.0


class Decision(NamedTuple):
    """A file that a person dropped: which job, what was decided, and the file."""

    job: str
    outcome: Literal["approved", "rejected"]
    path: Path


def decisions(review: Path) -> Iterator[Decision]:
    """The files in approved/ and rejected/ that belong to a job, in any sub-folder of theirs."""
    for decision in (APPROVED, REJECTED):
        folder = review / decision
        if not folder.is_dir():
            continue
        for path in sorted(folder.rglob("*")):
            found = _JOB_IN_NAME.findall(path.name)
            if found and not path.name.startswith((".", "~")) and identity(path) is not None:
                yield Decision(found[-1], decision, path)


class DecisionHandler(Protocol):
    """Who carries out what people decide."""

    def approve(self, job: JobRow, file: Path) -> None:
        """The job goes on with the matte in `file`."""

    def reject(self, job: JobRow, file: Path) -> None:
        """The job fails; `file` goes with the review."""


class Reviews:
    """Collects verdicts once their files have settled."""

    def __init__(self, *, settle: float = _SETTLE) -> None:
        """`settle` 0 takes what lies there at once."""
        self._settle = settle
        self._settling = Settling()
        self._refused: dict[Path, Identity] = {}

    def collect(self, journal: Journal, folders: Iterable[Path], handler: DecisionHandler) -> None:
        """Approve and reject what people have decided in these review folders."""
        waiting = {job.id: job for job in journal.jobs("review")}
        if not waiting:
            return
        now = time.monotonic()
        for folder in folders:
            for decision in decisions(folder):
                job, found = waiting.get(decision.job), identity(decision.path)
                if job is None or found is None or self._refused.get(decision.path) == found:
                    continue
                settled = self._settling.observe(decision.path, found, now, self._settle)
                if not settled and self._settle:
                    continue
                self._settling.forget(decision.path)
                del waiting[decision.job]
                if decision.outcome == APPROVED:
                    self._refused[decision.path] = found
                    handler.approve(job, decision.path)
                else:
                    handler.reject(job, decision.path)


def decide(journal: Journal, job: JobRow, *, approve: bool) -> Path:
    """Move a review's PSD into approved/ or rejected/, as a person would; where it is now.

    A file of that name that lies there already (a person's) stays. Raises OSError, WriteError.
    """
    review = job.plan.review
    placed = [item.final for item in journal.placements(job.id, "review") if item.final is not None]
    psd = next((path for path in placed if path.suffix == ".psd"), None)
    if review is None or psd is None:
        raise FileNotFoundError(None, "it has no PSD in review", job.id)
    target = review.to / (APPROVED if approve else REJECTED) / psd.name
    target.parent.mkdir(parents=True, exist_ok=True)
    return publish(psd, target, number=True)
