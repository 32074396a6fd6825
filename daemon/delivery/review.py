"""Review: a PSD with its mask and a preview for a person, and what the person did with it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from mattebox.core.publish import publish
from mattebox.daemon.delivery.keepsakes import OwnFiles
from mattebox.daemon.delivery.review_names import APPROVED, REJECTED, Decision, decisions
from mattebox.daemon.intake.settle import Settling
from mattebox.daemon.journal.identity import identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from mattebox.daemon.journal.identity import Identity
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.rows import JobRow

_SETTLE: Final = 2.0


class DecisionHandler(Protocol):
    """Who carries out what people decide."""

    def approve(self, job: JobRow, file: Path) -> None:
        """The job goes on with the matte in `file`."""

    def reject(self, job: JobRow, file: Path | None) -> None:
        """The job fails; `file` goes with the review."""

    def passed_over(self, job: JobRow, files: Sequence[Path], newest: Path) -> None:
        """Other files of the job do not count, for one is newer."""


class _Dropped(NamedTuple):
    decision: Decision
    found: Identity

    @property
    def path(self) -> Path:
        return self.decision.path

    @property
    def age(self) -> tuple[int, int, str]:
        """What is larger for a newer file."""
        return self.found.mtime_ns, self.found.ctime_ns, str(self.path)


class Reviews:
    """Collects decisions once their files have settled."""

    def __init__(self, *, settle: float = _SETTLE) -> None:
        """`settle` 0 takes what lies there at once."""
        self._settle = settle
        self._settling = Settling()
        self._refused: dict[Path, Identity] = {}

    def collect(self, journal: Journal, folders: Iterable[Path], handler: DecisionHandler) -> None:
        """Approve and reject what people have decided in these review folders.

        Of several files of one job the newest decides, once all of them have settled.
        """
        waiting = {job.id: job for job in journal.jobs("review")}
        if not waiting:
            return
        now = time.monotonic()
        dropped: dict[str, list[_Dropped]] = {}
        for folder in folders:
            for decision in decisions(folder):
                found = identity(decision.path)
                if found is not None and decision.job in waiting:
                    dropped.setdefault(decision.job, []).append(_Dropped(decision, found))
        for job_id, files in dropped.items():
            settled = [self._settled(item, now) for item in files]
            if all(settled):
                self._decide(journal, waiting[job_id], files, handler)

    def _settled(self, item: _Dropped, now: float) -> bool:
        return self._settling.observe(item.path, item.found, now, self._settle) or not self._settle

    def _decide(
        self, journal: Journal, job: JobRow, files: Sequence[_Dropped], handler: DecisionHandler
    ) -> None:
        if len(files) > 1:
            preview = OwnFiles(journal, job.id)
            files = sorted(files, key=lambda item: (not preview.wrote(item.path, "png"), item.age))
        *others, winner = files
        path = winner.path
        for item in files:
            self._settling.forget(item.path)
        if self._refused.get(path) == winner.found:
            return
        if others:
            handler.passed_over(job, [item.path for item in others], path)
        if winner.decision.outcome == APPROVED:
            self._refused[path] = winner.found
            handler.approve(job, path)
        else:
            handler.reject(job, path)


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
