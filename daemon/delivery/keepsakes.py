"""Keepsakes: what a person saved into a review is an original too, and stays beside the photo.

Ours is what we wrote byte for byte; whatever else bears a job's number is a person's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from mattebox.daemon.delivery.place import move
from mattebox.daemon.delivery.review_names import decisions
from mattebox.daemon.journal.identity import content_hash, identity
from mattebox.daemon.journal.rows import Placement
from mattebox.daemon.journal.steps import step

if TYPE_CHECKING:
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.rows import JobRow


PUBLISHED: Final = ("reason", "output", "label")


class OwnFiles:
    """The files that one job has published, by size and sha256."""

    def __init__(self, journal: Journal, job_id: str, *kinds: str) -> None:
        """`kinds`: those of its placements that count; the review's by default."""
        self._known = {
            (item.size, item.sha256): item.target.suffix
            for item in journal.placements(job_id, *(kinds or ("review",)))
            if item.size is not None and item.sha256 is not None
        }

    def wrote(self, path: Path, ending: str = "") -> bool:
        """Whether a file holds byte for byte what the job wrote (as a file of `ending`). Raises OSError."""
        found = identity(path)
        if found is None or all(size != found.size for size, _ in self._known):
            return False
        suffix = self._known.get((found.size, content_hash(path)))
        return suffix is not None and suffix.endswith(ending)


def remove_published(journal: Journal, job: JobRow) -> None:
    """Remove what a job has published; what a person has written into it is theirs. Raises OSError."""
    ours = OwnFiles(journal, job.id, *PUBLISHED)
    for item in journal.placements(job.id, *PUBLISHED):
        item.staged.unlink(missing_ok=True)
        if item.final is not None and ours.wrote(item.final):
            item.final.unlink(missing_ok=True)


def clear_review(journal: Journal, job: JobRow, beside: Path) -> JobRow:
    """Empty a review whose job ends: our own files go, a person's move to the folder `beside`.

    The row as it is then. Raises OSError, WriteError.
    """
    if job.plan.review is None and job.reason is None:
        # It never had one: four questions less for each photo.
        step("review cleared")
        return job
    for item in journal.placements(job.id, "review"):
        item.staged.unlink(missing_ok=True)
    job = _noted(journal, job)
    ours = OwnFiles(journal, job.id)
    moved = {item.number: item for item in journal.placements(job.id, "kept")}
    for number, name in enumerate((job.reason or {}).get("dropped", ())):
        path = Path(name)
        known = moved.get(number)
        if known is not None and known.state == "placed":
            _finish(known, path)
        elif known is not None:
            move(journal, known, path)
        elif ours.wrote(path):
            path.unlink(missing_ok=True)
        elif identity(path) is not None:
            move(journal, Placement(job.id, "kept", number, path, beside / path.name), path)
    step("review cleared")
    return job


def _finish(item: Placement, path: Path) -> None:
    """Take away the old name of a file that a stopped run has moved, unless it is another file by now."""
    if item.final is None or identity(path) is None or identity(item.final) is None:
        return
    if path.samefile(item.final) or content_hash(path) == content_hash(item.final):
        path.unlink(missing_ok=True)


def _noted(journal: Journal, job: JobRow) -> JobRow:
    """The journal learns which files of the review there are, so that each moves once."""
    reason = job.reason or {}
    if "dropped" in reason:
        return job
    found = [Path(reason["file"])] if reason.get("file") else []
    found += [item.final for item in journal.placements(job.id, "review") if item.final is not None]
    if job.plan.review is not None and found:
        found += [item.path for item in decisions(job.plan.review.to) if item.job == job.id]
    names = list(dict.fromkeys(str(path) for path in found if identity(path) is not None))
    if not names:
        return job
    with journal.transaction():
        job = journal.change(job.id, reason={**reason, "dropped": names})
    step("dropped files noted")
    return job
