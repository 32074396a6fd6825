"""Which ended jobs are watched for a late change of their originals: two tables of the journal."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mattebox.daemon.journal.database import Database
    from mattebox.daemon.journal.rows import JobRow

# How long an original is looked at once more after its end.
WATCHED: Final = 60.0
_REMEMBERED: Final = 3600.0


class LateLooks:
    """Which ended jobs are watched for a late change, and how often a path had one."""

    def __init__(self, database: Database) -> None:
        """`database` is the journal's; changes belong into its transactions."""
        self._db = database

    def begin(self, job_id: str) -> None:
        """Watch a job that ends now."""
        self._db.execute("INSERT OR REPLACE INTO late_looks VALUES (?,?)", (job_id, time.time() + WATCHED))

    def pending(self) -> list[tuple[str, float]]:
        """The jobs that are watched, and until when."""
        return [(row[0], row[1]) for row in self._db.execute("SELECT job, until FROM late_looks")]

    def end(self, job_id: str) -> None:
        """Watch it no more."""
        self._db.execute("DELETE FROM late_looks WHERE job = ?", (job_id,))

    def count(self, job: JobRow) -> int:
        """How often what lies at a job's path changed late within the last hour."""
        query = "SELECT count(*) FROM late_changes WHERE folder = ? AND path = ?"
        self._db.execute("DELETE FROM late_changes WHERE time < ?", (time.time() - _REMEMBERED,))
        return int(self._db.execute(query, (job.folder, os.fsencode(job.plan.source))).fetchone()[0])

    def note(self, job: JobRow) -> None:
        """What lies at a job's path changed late."""
        values = (job.folder, os.fsencode(job.plan.source), time.time())
        self._db.execute("INSERT INTO late_changes VALUES (?,?,?)", values)
