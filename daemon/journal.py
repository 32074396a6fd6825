"""The journal: what has been begun and how far it got, in SQLite, synced at every commit."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock, Timeout

from mattebox.core.errors import reason_of
from mattebox.daemon.errors import JournalError, StateLockedError
from mattebox.daemon.identity import Identity, content_key
from mattebox.daemon.plan import Plan
from mattebox.daemon.schema import bring_up_to_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# States in which nothing is left to do.
ENDED: Final = ("done", "failed", "returned", "duplicate")
# A daemon that was killed while it started a process leaves its lock to that one for a moment.
_LOCK_WAIT: Final = 2.0
_JOB_COLUMNS: Final = "id, folder, work, identity, state, phase, attempts, plan, report, reason, updated"


@dataclass(frozen=True, slots=True)
class JobRow:
    """One file's job. work: where the original is now. phase: deliver, review or approved."""

    id: str
    folder: str
    work: Path
    identity: Identity
    state: str
    phase: str
    attempts: int
    plan: Plan
    report: dict[str, Any] | None
    reason: dict[str, Any] | None
    updated: float


@dataclass(frozen=True, slots=True)
class Placement:
    """One file on its way from a staged name to a final one; `candidate` counts the names tried."""

    job: str
    kind: str
    number: int
    staged: Path
    wished: Path
    final: Path | None = None
    candidate: int = 0
    state: str = "planned"
    size: int | None = None
    sha256: str | None = None


class Journal:
    """The rows of one state folder; one writer at a time, held by a lock on the folder."""

    def __init__(self, folder: Path, *, lock: bool = True) -> None:
        """Open or make the journal in `folder`. Raises StateLockedError, JournalError.

        Without `lock` (status, approve) another process may be writing.
        """
        self.folder = folder
        # Who comes into one of these states is noted as owed to those who are notified.
        self.owes: frozenset[str] = frozenset()
        self._lock = FileLock(folder / "lock")
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if lock:
                self._lock.acquire(timeout=_LOCK_WAIT)
            self._db = sqlite3.connect(folder / "journal.db", isolation_level=None, timeout=30)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
            if not bring_up_to_date(self._db):
                raise JournalError(f"{folder}: this journal comes from a newer Mattebox; update this one.")
        except Timeout:
            raise StateLockedError(
                f"{folder}: another Mattebox daemon works with this state folder; stop it first, or give "
                "this configuration a state: folder of its own."
            ) from None
        except (OSError, sqlite3.Error) as error:
            self._lock.release()
            raise JournalError(f"{folder}: the journal cannot be opened ({reason_of(error)}).") from error

    def close(self) -> None:
        """Close the journal and release its lock."""
        self._db.close()
        self._lock.release()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside become durable together, or none does. Raises JournalError."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._rollback()
            raise JournalError(f"{self.folder}: it cannot be written ({reason_of(error)}).") from error
        except BaseException:
            self._rollback()
            raise

    def _rollback(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

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

    def change(self, job_id: str, **values: Any) -> JobRow:
        """Change columns of a job (state, phase, attempts, work, identity, plan, report, reason, sha256)."""
        changed: dict[str, Any] = {"updated": time.time()}
        for name, value in values.items():
            if name == "work":
                changed[name] = os.fsencode(value)
            elif name == "plan":
                changed[name] = value.to_json()
            elif name in ("identity", "report", "reason") and value is not None:
                changed[name] = json.dumps(value)
            else:
                changed[name] = value
        if values.get("state") in self.owes:
            changed["owed"] = values["state"]
        columns = ", ".join(f"{name} = ?" for name in changed)
        self._db.execute(f"UPDATE jobs SET {columns} WHERE id = ?", (*changed.values(), job_id))  # noqa: S608 - our own column names
        job = self.job(job_id)
        if "owed" in changed:
            self._db.execute(
                "INSERT INTO batches VALUES (?,1) ON CONFLICT DO UPDATE SET count = count + 1", (job.folder,)
            )
        return job

    def drop(self, job_id: str) -> None:
        """Forget a job that had no effect."""
        self._db.execute("DELETE FROM jobs WHERE id = ?", (job_id,))

    def job(self, job_id: str) -> JobRow:
        """One job. Raises KeyError."""
        row = self._db.execute(f"SELECT {_JOB_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()  # noqa: S608 - our own column names
        if row is None:
            raise KeyError(job_id)
        return _job(row)

    def jobs(self, *states: str) -> list[JobRow]:
        """The jobs in these states, or all that have not ended, oldest first."""
        where = f"state IN ({_marks(states)})" if states else f"state NOT IN ({_marks(ENDED)})"
        query = f"SELECT {_JOB_COLUMNS} FROM jobs WHERE {where} ORDER BY created, id"  # noqa: S608 - our own names
        return [_job(row) for row in self._db.execute(query, states or ENDED)]

    def count(self, folder: str, *states: str, since: float = 0.0) -> int:
        """How many jobs of a folder are in these states and changed since a time."""
        # Only question marks are put together here: every value is bound.
        query = f"SELECT count(*) FROM jobs WHERE folder = ? AND updated >= ? AND state IN ({_marks(states)})"  # noqa: S608
        return int(self._db.execute(query, (folder, since, *states)).fetchone()[0])

    def last(self, state: str, count: int) -> list[JobRow]:
        """The newest jobs in a state."""
        # The columns are a constant of ours.
        query = f"SELECT {_JOB_COLUMNS} FROM jobs WHERE state = ? ORDER BY updated DESC LIMIT ?"  # noqa: S608
        return [_job(row) for row in self._db.execute(query, (state, count))]

    def owed(self) -> list[JobRow]:
        """The jobs whose present state somebody has still to be told of, oldest first."""
        # The columns are a constant of ours.
        query = f"SELECT {_JOB_COLUMNS} FROM jobs WHERE owed != '' AND owed = state ORDER BY updated"  # noqa: S608
        return [_job(row) for row in self._db.execute(query)]

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

    def prune(self, before: float) -> None:
        """Forget what was done before a time; the ledger and known contents stay."""
        self._db.execute(
            "DELETE FROM jobs WHERE state IN ('done','returned','duplicate') AND updated < ?", (before,)
        )

    def placements(self, job_id: str, *kinds: str) -> list[Placement]:
        """A job's placements in order, of some kinds or all."""
        rows = self._db.execute(
            "SELECT job, kind, number, staged, wished, final, candidate, state, size, sha256 FROM placements"
            " WHERE job = ? ORDER BY kind, number",
            (job_id,),
        )
        found = [
            Placement(
                row[0], row[1], row[2], _path(row[3]), _path(row[4]), row[5] and _path(row[5]), *row[6:]
            )
            for row in rows
        ]
        return [item for item in found if not kinds or item.kind in kinds]

    def save(self, item: Placement) -> Placement:
        """Write a placement, new or changed."""
        self._db.execute(
            "INSERT OR REPLACE INTO placements VALUES (?,?,?,?,?,?,?,?,?,?)",
            (
                item.job,
                item.kind,
                item.number,
                os.fsencode(item.staged),
                os.fsencode(item.wished),
                None if item.final is None else os.fsencode(item.final),
                item.candidate,
                item.state,
                item.size,
                item.sha256,
            ),
        )
        return item

    def forget_placements(self, job_id: str, kinds: Sequence[str]) -> None:
        """Delete a job's placements of some kinds."""
        self._db.execute(
            f"DELETE FROM placements WHERE job = ? AND kind IN ({_marks(kinds)})",  # noqa: S608 - our own names
            (job_id, *kinds),
        )

    def in_ledger(self, folder: str, rule: str, path: str, found: Identity) -> bool:
        """Whether a file that stays in place was done by this rule.

        Inode, size and time must be equal, and the device or the path: a share that was mounted anew has
        another device number, a file that was renamed another path.
        """
        query = (
            "SELECT 1 FROM ledger WHERE folder = ? AND rule = ? AND content = ? AND (device = ? OR path = ?)"
        )
        values = (folder, rule, content_key(found), str(found.device), os.fsencode(path))
        return self._db.execute(query, values).fetchone() is not None

    def enter_ledger(self, job: JobRow) -> None:
        """Note that a file that stays in place is done."""
        path = os.fsencode(os.path.join(job.plan.tree, job.plan.name))  # noqa: PTH118 - text, not a path
        self._db.execute(
            "INSERT OR REPLACE INTO ledger VALUES (?,?,?,?,?,?)",
            (job.folder, job.plan.rule, content_key(job.identity), str(job.identity.device), path, job.id),
        )

    def leave_ledger(self, job_id: str) -> None:
        """Let a file that stays in place be done again."""
        self._db.execute("DELETE FROM ledger WHERE job = ?", (job_id,))

    def count_look(self, folder: str, found: Identity) -> None:
        """Count a look into a file that was cut short."""
        self._db.execute(
            "INSERT INTO looks VALUES (?,?,1) ON CONFLICT DO UPDATE SET count = count + 1",
            (folder, content_key(found)),
        )

    def looks(self, folder: str, found: Identity) -> int:
        """How many looks into a file were cut short."""
        query = "SELECT coalesce(sum(count), 0) FROM looks WHERE folder = ? AND content = ?"
        return int(self._db.execute(query, (folder, content_key(found))).fetchone()[0])

    def forget_looks(self, folder: str, found: Identity) -> None:
        """A look ended well."""
        self._db.execute("DELETE FROM looks WHERE folder = ? AND content = ?", (folder, content_key(found)))

    def content_owner(self, folder: str, sha256: str, job_id: str) -> str:
        """The first job with this content in a folder; that is `job_id` where there was none."""
        self._db.execute("INSERT OR IGNORE INTO contents VALUES (?,?,?)", (folder, sha256, job_id))
        query = "SELECT job FROM contents WHERE folder = ? AND sha256 = ?"
        return str(self._db.execute(query, (folder, sha256)).fetchone()[0])

    def forget_content(self, job_id: str) -> None:
        """A job with new content failed: the next file with it is not a duplicate."""
        self._db.execute("DELETE FROM contents WHERE job = ?", (job_id,))

    def knows_root(self, path: Path) -> bool:
        """Whether a watched folder was ever there."""
        return bool(self._db.execute("SELECT 1 FROM roots WHERE path = ?", (os.fsencode(path),)).fetchone())

    def remember_root(self, path: Path) -> None:
        """Note that a watched folder is there."""
        self._db.execute("INSERT OR IGNORE INTO roots VALUES (?)", (os.fsencode(path),))


def new_id() -> str:
    """A new job id: 10 hexadecimal digits."""
    return secrets.token_hex(5)


def _marks(values: Sequence[object] | Mapping[str, object]) -> str:
    return ",".join("?" * len(values))


def _path(raw: bytes) -> Path:
    return Path(os.fsdecode(raw))


def _job(row: Sequence[Any]) -> JobRow:
    job_id, folder, work, found, state, phase, attempts, plan, report, reason, updated = row
    return JobRow(
        job_id,
        folder,
        _path(work),
        Identity(*json.loads(found)),
        state,
        phase,
        attempts,
        Plan.from_json(plan),
        report and json.loads(report),
        reason and json.loads(reason),
        updated,
    )
