"""The journal: what has been begun and how far it got, in SQLite, synced at every commit."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock, Timeout

from mattebox.core.errors import reason_of
from mattebox.daemon.errors import DamagedJournalError, JournalError, LostJournalError, StateLockedError
from mattebox.daemon.journal.database import NAME, Database, set_aside
from mattebox.daemon.journal.decisions import Decisions
from mattebox.daemon.journal.drawings import Drawings
from mattebox.daemon.journal.files import Files
from mattebox.daemon.journal.late_looks import LateLooks
from mattebox.daemon.journal.outbox import Outbox
from mattebox.daemon.journal.overview import overview, states, version
from mattebox.daemon.journal.owner import Owner
from mattebox.daemon.journal.rows import JOB_COLUMNS, JobRow, Placement, job_of, path_of
from mattebox.daemon.journal.schema import bring_up_to_date
from mattebox.daemon.journal.states import ENDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mattebox.daemon.journal.overview import JobSummary
    from mattebox.daemon.journal.states import State

# A daemon that was killed while it started a process leaves its lock to that one for a moment.
_LOCK_WAIT: Final = 2.0


class Journal:
    """The rows of one state folder; one writer at a time, held by a lock on the folder."""

    def __init__(self, folder: Path, *, lock: bool = True, config: Path | None = None) -> None:
        """Open or make the journal in `folder`. Raises StateLockedError, JournalError.

        Without `lock` (status, approve) another process may be writing. A damaged journal is set aside by
        who has the lock; `aside` is then its new name. config: the file of the hot folders that it is for.
        """
        self.folder = folder
        self.owner = Owner.of(folder, config)
        self.aside: Path | None = None
        self._lock = FileLock(folder / "lock")
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if lock:
                self._lock.acquire(timeout=_LOCK_WAIT)
            self._db = self._open(whole=lock)
            self.files = Files(self._db)
            self.outbox = Outbox(self._db)
            self.late_looks = LateLooks(self._db)
            self.decisions = Decisions(self._db)
            self.drawings = Drawings(self._db)
        except Timeout:
            raise StateLockedError(
                f"{folder}: another Mattebox daemon works with this state folder; stop it first, or give "
                "this configuration a state: folder of its own."
            ) from None
        except OSError as error:
            self._lock.release()
            raise JournalError(
                f"{folder}: the journal cannot be opened ({reason_of(error)}); mend the rights of the "
                "folder, or name another one in state:."
            ) from error
        except JournalError:
            self._lock.release()
            raise

    def _open(self, *, whole: bool) -> Database:
        """The database, up to date. whole: read all of it, and set a damaged one aside."""
        database: Database | None = None
        try:
            database = Database(self.folder)
            if whole:
                database.check()
            self._bring_up_to_date(database)
            if whole:
                query = f"SELECT {JOB_COLUMNS} FROM jobs WHERE owed != '' OR state NOT IN ({_marks(ENDED)})"  # noqa: S608 - our own names
                for row in database.execute(query, ENDED):
                    job_of(row)
        except DamagedJournalError:
            if database is not None:
                database.close()
            if not whole or self.aside is not None or (self.folder / NAME).is_dir():
                raise
            self.aside = set_aside(self.folder)
            return self._open(whole=True)
        except BaseException:
            if database is not None:
                database.close()
            raise
        return database

    def _bring_up_to_date(self, database: Database) -> None:
        if not bring_up_to_date(database):
            raise JournalError(f"{self.folder}: this journal comes from a newer Mattebox; update this one.")

    def reopen(self) -> None:
        """Connect anew after a refusal, and prove that rows can be written. Raises JournalError.

        Raises LostJournalError where the file is gone or another one.
        """
        self.check_there()
        self._db.reopen()

    def check(self) -> None:
        """Read all of it. Raises DamagedJournalError, JournalError."""
        self._db.check()

    def check_there(self) -> None:
        """Raises LostJournalError where the file on the disk is not the one that is open; JournalError."""
        try:
            there = self._db.is_there()
        except OSError as error:
            raise JournalError(f"{self.folder}: it cannot be looked at ({reason_of(error)}).") from error
        if not there:
            raise LostJournalError(f"{self.folder}: the journal was taken away while it was in use.")

    def close(self) -> None:
        """Close the journal and release its lock."""
        self._db.close()
        with contextlib.suppress(OSError):
            self._lock.release()

    def transaction(self, *, synced: bool = True) -> AbstractContextManager[None]:
        """All changes inside are made together, or none is. Raises JournalError.

        synced: they survive a power cut too. Without, the last ones may be missing after one; that is for
        steps which recovery would do once more with the same effect, and saves a wait for the disk.
        """
        return self._db.transaction(synced=synced)

    def add(self, job: JobRow) -> None:
        """Write a new job."""
        source = os.fsencode(os.path.join(job.plan.tree, job.plan.name))  # noqa: PTH118 - text, not a path
        self._db.execute(
            "INSERT INTO jobs (id, folder, rule, source, work, identity, state, phase, attempts, plan,"
            " created, updated) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                job.id,
                job.folder,
                job.plan.rule,
                source,
                os.fsencode(job.work),
                json.dumps(job.identity),
                job.state,
                job.phase,
                job.attempts,
                job.plan.to_json(),
                job.updated,
                job.updated,
            ),
        )

    def change(self, job_id: str, *, state: State | None = None, **values: Any) -> JobRow:
        """Change columns of a job (state, phase, attempts, work, identity, plan, report, reason, sha256)."""
        changed: dict[str, Any] = {"updated": time.time(), **({"state": state} if state else {})}
        for name, value in values.items():
            if name == "work":
                changed[name] = os.fsencode(value)
            elif name == "plan":
                changed[name] = value.to_json()
            elif name in ("identity", "report", "reason") and value is not None:
                changed[name] = json.dumps(value)
            else:
                changed[name] = value
        owed = self.outbox.wants(state)
        if owed:
            changed["owed"] = state
        columns = ", ".join(f"{name} = ?" for name in changed)
        self._db.execute(f"UPDATE jobs SET {columns} WHERE id = ?", (*changed.values(), job_id))  # noqa: S608 - our own column names
        job = self.job(job_id)
        if owed:
            self.outbox.count_ending(job.folder)
        return job

    def drop(self, job_id: str) -> None:
        """Forget a job that had no effect."""
        self._db.execute("DELETE FROM jobs WHERE id = ?", (job_id,))

    def job(self, job_id: str) -> JobRow:
        """One job. Raises KeyError."""
        row = self._db.execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()  # noqa: S608 - our own column names
        if row is None:
            raise KeyError(job_id)
        return job_of(row)

    def jobs(self, *states: State) -> list[JobRow]:
        """The jobs in these states, or all that have not ended, oldest first."""
        where = f"state IN ({_marks(states)})" if states else f"state NOT IN ({_marks(ENDED)})"
        query = f"SELECT {JOB_COLUMNS} FROM jobs WHERE {where} ORDER BY created, id"  # noqa: S608 - our own names
        return [job_of(row) for row in self._db.execute(query, states or ENDED)]

    def newest_of_stem(self, folder: str, stem: str) -> list[JobRow]:
        """The jobs of photos below a folder whose path is `stem` and an ending, newest first."""
        raw = os.fsencode(stem)
        where = "folder = ? AND source >= ? AND source < ?"
        query = f"SELECT {JOB_COLUMNS} FROM jobs WHERE {where} ORDER BY created DESC"  # noqa: S608 - our own names
        # What begins with the stem and a dot; a slash is what comes after a dot.
        return [job_of(row) for row in self._db.execute(query, (folder, raw + b".", raw + b"/"))]

    def count(self, folder: str, *states: State, since: float = 0.0) -> int:
        """How many jobs of a folder are in these states and changed since a time."""
        # Only question marks are put together here: every value is bound.
        query = f"SELECT count(*) FROM jobs WHERE folder = ? AND updated >= ? AND state IN ({_marks(states)})"  # noqa: S608
        return int(self._db.execute(query, (folder, since, *states)).fetchone()[0])

    def last(self, state: State, count: int) -> list[JobRow]:
        """The newest jobs in a state."""
        # The columns are a constant of ours.
        query = f"SELECT {JOB_COLUMNS} FROM jobs WHERE state = ? ORDER BY updated DESC LIMIT ?"  # noqa: S608
        return [job_of(row) for row in self._db.execute(query, (state, count))]

    def overview(self, jobs: Sequence[str] | None = None) -> Iterator[JobSummary]:
        """All jobs, or those named, as lists show them, but those that were given back; in no order."""
        return overview(self._db, jobs)

    def states(self) -> dict[str, str]:
        """The state of every job by its id."""
        return states(self._db)

    def version(self) -> int:
        """A number that is another one after any other connection has changed the journal."""
        return version(self._db)

    def prune(self, before: float) -> None:
        """Forget what was done before a time; the ledger and known contents stay."""
        self._db.execute(
            "DELETE FROM jobs WHERE state IN ('done','returned','duplicate') AND updated < ?", (before,)
        )

    def placements(self, job_id: str, *kinds: str) -> list[Placement]:
        """A job's placements in order, of some kinds or all."""
        rows = self._db.execute(
            "SELECT job, kind, number, staged, wished, final, candidate, state, size, sha256, source"
            " FROM placements WHERE job = ? ORDER BY kind, number",
            (job_id,),
        )
        found = [
            Placement(
                row[0],
                row[1],
                row[2],
                path_of(row[3]),
                path_of(row[4]),
                final=row[5] and path_of(row[5]),
                candidate=row[6],
                state=row[7],
                size=row[8],
                sha256=row[9],
                source=row[10] and path_of(row[10]),
            )
            for row in rows
        ]
        return [item for item in found if not kinds or item.kind in kinds]

    def save(self, item: Placement) -> Placement:
        """Write a placement, new or changed."""
        self._db.execute(
            "INSERT OR REPLACE INTO placements VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                item.job,
                item.kind,
                item.number,
                os.fsencode(item.staged),
                os.fsencode(item.target),
                None if item.final is None else os.fsencode(item.final),
                item.candidate,
                item.state,
                item.size,
                item.sha256,
                None if item.source is None else os.fsencode(item.source),
            ),
        )
        return item

    def forget_placements(self, job_id: str, kinds: Sequence[str]) -> None:
        """Delete a job's placements of some kinds."""
        self._db.execute(
            f"DELETE FROM placements WHERE job = ? AND kind IN ({_marks(kinds)})",  # noqa: S608 - our own names
            (job_id, *kinds),
        )


def knows_root(state: Path, watch: Path) -> bool:
    """Whether the journal of a state folder, if there is one, says that a watched folder was ever there."""
    if not os.path.lexists(state / "journal.db"):
        return False
    journal = Journal(state, lock=False)
    try:
        return journal.files.knows_root(watch)
    finally:
        journal.close()


def _marks(values: Sequence[object] | Mapping[str, object]) -> str:
    return ",".join("?" * len(values))
