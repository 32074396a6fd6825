"""The outbox: whom the journal owes news of an ending, or of a finished batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattebox.daemon.journal.rows import JOB_COLUMNS, job_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from mattebox.daemon.journal.rows import JobRow


class Outbox:
    """News that is owed from the transaction that makes it until it was told."""

    def __init__(self, database: sqlite3.Connection) -> None:
        """`database` is the journal's; changes belong into its transactions."""
        self._db = database
        self._states: frozenset[str] = frozenset()

    def subscribe(self, states: Iterable[str]) -> None:
        """Who comes into one of these states from now on is noted as owed."""
        self._states = frozenset(states)

    def wants(self, state: str | None) -> bool:
        """Whether somebody wants to be told of a state."""
        return state in self._states

    def count_ending(self, folder: str) -> None:
        """One more ending belongs to a folder's batch."""
        self._db.execute(
            "INSERT INTO batches VALUES (?,1) ON CONFLICT DO UPDATE SET count = count + 1", (folder,)
        )

    def owed(self) -> list[JobRow]:
        """The jobs whose present state somebody has still to be told of, oldest first."""
        # The columns are a constant of ours.
        query = f"SELECT {JOB_COLUMNS} FROM jobs WHERE owed != '' AND owed = state ORDER BY updated"  # noqa: S608
        return [job_of(row) for row in self._db.execute(query)]

    def told(self, job_id: str, state: str) -> None:
        """Somebody was told of a job's state."""
        self._db.execute("UPDATE jobs SET owed = '' WHERE id = ? AND owed = ?", (job_id, state))

    def batches(self) -> dict[str, int]:
        """Folders of whose last batch nobody was told that it is finished, and its endings' count."""
        return dict(self._db.execute("SELECT folder, count FROM batches"))

    def batch_told(self, folder: str, count: int) -> None:
        """Somebody was told that a batch is finished; one that has grown since is another."""
        self._db.execute("DELETE FROM batches WHERE folder = ? AND count = ?", (folder, count))

    def owe_nothing(self) -> None:
        """There is nobody to tell."""
        self._db.execute("UPDATE jobs SET owed = '' WHERE owed != ''")
        self._db.execute("DELETE FROM batches")
