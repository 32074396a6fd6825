"""Drawings: which cutouts of a folder were drawn to be looked at, and what was said of them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mattebox.daemon.journal.database import Database

_LOOK: Final = (
    "UPDATE drawn SET found = ? WHERE job = ? AND job IN (SELECT id FROM jobs WHERE phase = 'deliver')"
)


@dataclass(frozen=True, slots=True)
class DrawnJob:
    """One job of a drawing. right: None where nobody looked. share, surety: the promise it was drawn for."""

    job: str
    confidence: float
    right: bool | None
    wave: int
    seed: str
    share: float
    surety: float


class Drawings:
    """The drawings of a journal, each of a folder's jobs that were done by then: a wave."""

    def __init__(self, database: Database) -> None:
        """`database` is the journal's; changes belong into its transactions."""
        self._db = database

    def draw(self, folder: str, jobs: Mapping[str, float], *, share: float, surety: float = 0.95) -> int:
        """Draw from those of `jobs` (with their confidences) that no wave holds yet; how many those are.

        share, surety: what shall be promised. The seed is new and kept; the order follows from it.
        """
        known = {item.job for item in self.of(folder)}
        new = {job: sure for job, sure in jobs.items() if job not in known}
        if new:
            query = "SELECT coalesce(max(wave), 0) + 1 FROM drawings WHERE folder = ?"
            wave = self._db.execute(query, (folder,)).fetchone()[0]
            self._db.execute(
                "INSERT INTO drawings VALUES (?,?,?,?,?)", (folder, wave, secrets.token_hex(8), share, surety)
            )
            for job, sure in new.items():
                self._db.execute("INSERT INTO drawn VALUES (?,?,?,?,NULL)", (job, folder, wave, sure))
        return len(new)

    def look(self, job_id: str, *, right: bool | None) -> None:
        """Somebody said of a drawn job whether it was right as it came, or (None) took that back.

        What is said of one after it came back into review is said of another cutout, and passed over.
        """
        said = None if right is None else int(right)
        self._db.execute(_LOOK, (said, job_id))

    def promise(self, folder: str, *, share: float) -> None:
        """Promise another share of a folder; sound only while nobody has looked at any of its drawn jobs."""
        self._db.execute("UPDATE drawings SET share = ? WHERE folder = ?", (share, folder))

    def folders(self) -> list[str]:
        """The folders that something was drawn from."""
        return [row[0] for row in self._db.execute("SELECT DISTINCT folder FROM drawings ORDER BY folder")]

    def of(self, folder: str) -> list[DrawnJob]:
        """Every drawn job of a folder, but for those whose original was given back: they are cut anew.

        What was said of one before that is known of its drawing all the same.
        """
        query = (
            "SELECT drawn.job, drawn.confidence, drawn.found, drawn.wave, drawings.seed, drawings.share,"
            " drawings.surety FROM drawn JOIN drawings USING (folder, wave) JOIN jobs ON jobs.id = drawn.job"
            " WHERE drawn.folder = ?"
            " AND (drawn.found IS NOT NULL OR jobs.state NOT IN ('returning', 'returned')) ORDER BY wave"
        )
        return [
            DrawnJob(job, sure, None if found is None else bool(found), wave, seed, share, surety)
            for job, sure, found, wave, seed, share, surety in self._db.execute(query, (folder,))
        ]
