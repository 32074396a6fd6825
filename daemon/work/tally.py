"""How jobs have ended, counted: in all, and for each folder since somebody asked last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mattebox.daemon.journal.rows import JobRow


class Tally:
    """Counts of jobs: `delivered`, `failed`, and `returned` (given back, for a disk held them up)."""

    def __init__(self) -> None:
        self.delivered = self.failed = self.returned = 0
        self._batches: dict[str, list[int]] = {}

    def count(self, job: JobRow) -> None:
        """One more job has ended."""
        done, failed = job.state == "done", job.state == "failed"
        counts = self._batches.setdefault(job.folder, [0, 0])
        counts[0] += done
        counts[1] += failed
        self.delivered += done
        self.failed += failed

    def batch(self, folder: str) -> tuple[int, int]:
        """How many were delivered and have failed in a folder since this was asked last."""
        delivered, failed = self._batches.pop(folder, (0, 0))
        return delivered, failed
