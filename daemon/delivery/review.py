"""Review: a PSD with its mask and a preview for a person, and what the person did with it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from mattebox.core.publish import publish
from mattebox.daemon.delivery.keepsakes import OwnFiles
from mattebox.daemon.delivery.review_names import APPROVED, REJECTED, Decision, decisions, undecided
from mattebox.daemon.intake.settle import Settling
from mattebox.daemon.journal.identity import identity
from mattebox.daemon.journal.plan import review_outputs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
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
        self._unknown: dict[Path, Identity] = {}
        self._looked: set[Path] = set()

    def collect(
        self, journal: Journal, folders: Iterable[Path], handler: DecisionHandler
    ) -> list[tuple[Path, bool]]:
        """Approve and reject what people have decided in these review folders.

        Of several files of one job the newest decides, once all of them have settled. The files of jobs that
        the journal does not know, each once, and whether it is a decision: the journal was lost.
        """
        unknown = []
        waiting = {job.id: job for job in journal.jobs("review")}
        now = time.monotonic()
        dropped: dict[str, list[_Dropped]] = {}
        for folder in folders:
            if folder not in self._looked:
                self._looked.add(folder)
                unknown += [
                    (path, False) for job_id, path in undecided(folder) if not _knows(journal, job_id)
                ]
            for decision in decisions(folder):
                found = identity(decision.path)
                if found is None:
                    continue
                job_id = decision.job if decision.job in waiting else _renewed(journal, waiting, decision)
                if job_id is not None:
                    dropped.setdefault(job_id, []).append(_Dropped(decision, found))
                elif not _knows(journal, decision.job) and self._unknown.get(decision.path) != found:
                    self._unknown[decision.path] = found
                    unknown.append((decision.path, True))
        for job_id, files in dropped.items():
            settled = [self._settled(item, now) for item in files]
            if all(settled):
                self._decide(journal, waiting[job_id], files, handler)
        return unknown

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


def _renewed(journal: Journal, waiting: Mapping[str, JobRow], decision: Decision) -> str | None:
    """The job whose review is the same photo's as that of a job which went with a lost journal.

    By its name, and by its sub-folder where several photos have that; None where it is not one alone.
    """
    if not waiting or _knows(journal, decision.job):
        return None
    named = []
    for job in waiting.values():
        if job.plan.review is None:
            continue
        review = review_outputs(job.plan.review, job.plan, decision.job)[0].target
        if decision.path.name.startswith(review.stem):
            named.append((job.id, review.parent))
    if len(named) > 1:
        beside = decision.path.parent
        named = [(job_id, folder) for job_id, folder in named if beside.parts[-1:] == folder.parts[-1:]]
    return named[0][0] if len(named) == 1 else None


def _knows(journal: Journal, job_id: str) -> bool:
    try:
        journal.job(job_id)
    except KeyError:
        return False
    return True


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
