"""Late changes: an original that changes after its outputs are out is done again.

A writer that had its file open when it was taken writes on into the same file, wherever it was moved.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from mattebox.daemon.journal.identity import identity
from mattebox.daemon.journal.late_looks import WATCHED

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.rows import JobRow

# A program that tags each delivered original would have it done for ever.
_MOST_TIMES: Final = 2
_MAY_BE_HALF: Final = frozenset({"PhotoError", "DamagedPhotoError", "TruncatedPhotoError"})


def may_be_half(job: JobRow) -> bool:
    """Whether a late change makes a difference: it was delivered, or failed as what cannot be read."""
    return job.state == "done" or (job.state == "failed" and (job.reason or {}).get("kind") in _MAY_BE_HALF)


def changed_late(journal: Journal) -> list[JobRow]:
    """The ended jobs whose originals changed since they were claimed; the others are watched on, or ended."""
    changed, over = [], []
    now = time.time()
    for job_id, until in journal.late_looks.pending():
        job = journal.job(job_id)
        # A clock that was set back must not make a look eternal.
        if not may_be_half(job) or not now < until <= now + WATCHED:
            over.append(job_id)
        if may_be_half(job) and _has_changed(journal, job):
            if journal.late_looks.count(job) < _MOST_TIMES:
                changed.append(job)
            else:
                over.append(job_id)
    if over:
        with journal.transaction():
            for job_id in over:
                journal.late_looks.end(job_id)
    return changed


def _has_changed(journal: Journal, job: JobRow) -> bool:
    """Whether the very file that was claimed has other bytes now; another in its place is somebody's."""
    try:
        found = identity(_place(journal, job))
    except OSError:
        return False
    if found is None or found[:2] != job.identity[:2]:
        return False
    return not found.same_content(job.identity)


def _place(journal: Journal, job: JobRow) -> Path:
    moved = journal.placements(job.id, "original")
    return moved[0].final if moved and moved[0].final is not None else job.work
