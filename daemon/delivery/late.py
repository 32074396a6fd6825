"""Late changes: an original that changes after its outputs are out is done again.

A writer that had its file open when it was taken writes on into the same file, wherever it was moved.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mattebox.daemon.journal.identity import identity
from mattebox.daemon.journal.late_looks import WATCHED

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.daemon.journal.identity import Identity
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.rows import JobRow

# A program that tags each delivered original would have it done for ever.
_MOST_TIMES: Final = 2
# After so many seconds, then after so much of the time since the end.
_FIRST_PAUSE: Final = 1.0
_LONGER: Final = 0.2
_MAY_BE_HALF: Final = frozenset({"PhotoError", "DamagedPhotoError", "TruncatedPhotoError"})


def may_be_half(job: JobRow) -> bool:
    """Whether a late change makes a difference: it was delivered, or failed as what cannot be read."""
    return job.state == "done" or (job.state == "failed" and (job.reason or {}).get("kind") in _MAY_BE_HALF)


class LateWatch:
    """Looks at the originals of ended jobs for a while, ever less often: a burst leaves thousands of them."""

    def __init__(self, journal: Journal) -> None:
        """`journal` knows which jobs are watched, and until when."""
        self._journal = journal
        self._watched: dict[str, _Watched] = {}

    def begin(self, job: JobRow, place: Path) -> None:
        """Watch a job that ends in the transaction that is open, and whose original lies at `place` now."""
        self._journal.late_looks.begin(job.id)
        self._watched[job.id] = _Watched(place, job.identity)

    def changed(self) -> list[JobRow]:
        """The ended jobs whose originals changed since they were claimed; others are watched on, or ended."""
        changed, over = [], []
        now = time.time()
        pending = self._journal.late_looks.pending()
        known = {job_id: self._watched.get(job_id) or self._found(job_id) for job_id, _ in pending}
        self._watched = known
        for job_id, until in pending:
            # A clock that was set back must not make a look eternal.
            ends = not now < until <= now + WATCHED
            if ends:
                over.append(job_id)
            if (ends or now >= known[job_id].next_look) and known[job_id].has_changed():
                job = self._journal.job(job_id)
                if may_be_half(job) and self._journal.late_looks.count(job) < _MOST_TIMES:
                    changed.append(job)
                else:
                    over.append(job_id)
            known[job_id].next_look = now + max(_FIRST_PAUSE, (now - (until - WATCHED)) * _LONGER)
        if over:
            with self._journal.transaction(synced=False):
                for job_id in over:
                    self._journal.late_looks.end(job_id)
        return changed

    def _found(self, job_id: str) -> _Watched:
        """One of a former run."""
        job = self._journal.job(job_id)
        moved = self._journal.placements(job.id, "original")
        place = moved[0].final if moved and moved[0].final is not None else job.work
        return _Watched(place, job.identity)


@dataclass(slots=True)
class _Watched:
    """An original where its job left it."""

    place: Path
    claimed: Identity
    next_look: float = 0.0

    def has_changed(self) -> bool:
        """Whether the very file that was claimed has other bytes now; another in its place is somebody's."""
        try:
            found = identity(self.place)
        except OSError:
            return False
        if found is None or found[:2] != self.claimed[:2]:
            return False
        return not found.same_content(self.claimed)
