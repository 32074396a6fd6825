"""The outbox: notifications of endings and finished batches that are still to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattebox.daemon.journal.rows import JOB_COLUMNS, job_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mattebox.daemon.journal.database import Database
    from mattebox.daemon.journal.rows import JobRow


class Outbox:
    """Notifications that are pending from the transaction that makes them until they were sent."""

    def __init__(self, database: Database) -> None:
        """`database` is the journal's; changes belong into its transactions."""
        self._db = database
        self._states: frozenset[str] = frozenset()

    def subscribe(self, states: Iterable[str]) -> None:
        """A job that comes into one of these states from now on gives a pending notification."""
        self._states = frozenset(states)

    def wants(self, state: str | None) -> bool:
        """Whether somebody wants to be notified of a state."""
        return state in self._states

    def count_ending(self, folder: str) -> None:
        """One more ending belongs to a folder's batch."""
        self._db.execute(
            "INSERT INTO batches VALUES (?,1) ON CONFLICT DO UPDATE SET count = count + 1", (folder,)
        )

    def pending(self) -> list[JobRow]:
        """The jobs of whose present state a notification is pending, oldest first."""
        # The columns are a constant of ours.
        query = f"SELECT {JOB_COLUMNS} FROM jobs WHERE owed != '' AND owed = state ORDER BY updated"  # noqa: S608
        return [job_of(row) for row in self._db.execute(query)]

    def mark_sent(self, job_id: str, state: str) -> None:
        """The notification of a job's state was sent."""
        self._db.execute("UPDATE jobs SET owed = '' WHERE id = ? AND owed = ?", (job_id, state))

    def batches(self) -> dict[str, int]:
        """Folders whose last batch's end is still to be sent, and the count of its endings."""
        return dict(self._db.execute("SELECT folder, count FROM batches"))

    def mark_batch_sent(self, folder: str, count: int) -> None:
        """A batch's end was sent; a batch that has grown since is another."""
        self._db.execute("DELETE FROM batches WHERE folder = ? AND count = ?", (folder, count))

    def clear(self) -> None:
        """There is nobody to notify: nothing is pending."""
        self._db.execute("UPDATE jobs SET owed = '' WHERE owed != ''")
        self._db.execute("DELETE FROM batches")
