"""What the journal knows of files and folders beside their jobs: done in place, inspected, seen, there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mattebox.daemon.journal.identity import content_key, moment_key

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.daemon.journal.database import Database
    from mattebox.daemon.journal.identity import Identity


class Files:
    """The ledger of files that stay in place, inspections cut short, known contents and watched folders."""

    def __init__(self, database: Database) -> None:
        """`database` is the journal's; changes belong into its transactions."""
        self._db = database

    def in_ledger(self, folder: str, rule: str, path: str, found: Identity) -> bool:
        """Whether a file that stays in place was done by this rule, as far as can be told without reading it.

        Path, inode, size and both times must be equal. The device may differ: a share that was mounted anew
        has another number. Rows of older journals know no time of change; there the device counts.
        """
        query = (
            "SELECT 1 FROM ledger WHERE folder = ? AND rule = ? AND content = ? AND path = ?"
            " AND (ctime = ? OR (ctime = '' AND device = ?))"
        )
        values = (
            folder,
            rule,
            content_key(found),
            os.fsencode(path),
            str(found.ctime_ns),
            str(found.device),
        )
        return self._db.execute(query, values).fetchone() is not None

    def in_ledger_as(self, folder: str, rule: str, path: str, found: Identity) -> dict[str, str]:
        """The contents (sha256 -> job) that were done under this path, or with this inode, size and time.

        A part of an identity proves nothing, for file systems use inodes again; the content does.
        """
        query = (
            "SELECT sha256, job FROM ledger WHERE folder = ? AND rule = ? AND sha256 != ''"
            " AND (path = ? OR content = ?)"
        )
        values = (folder, rule, os.fsencode(path), content_key(found))
        return dict(self._db.execute(query, values))

    def enter_ledger(
        self, folder: str, rule: str, path: str, found: Identity, *, sha256: str, job: str
    ) -> None:
        """Note that a file that stays in place is done. sha256: "" where its content is not sure."""
        raw = os.fsencode(path)
        # What was done under this path before is no longer what lies there.
        self._db.execute("DELETE FROM ledger WHERE folder = ? AND rule = ? AND path = ?", (folder, rule, raw))
        self._db.execute(
            "INSERT OR REPLACE INTO ledger (folder, rule, content, device, path, job, ctime, sha256)"
            " VALUES (?,?,?,?,?,?,?,?)",
            (
                folder,
                rule,
                content_key(found),
                str(found.device),
                raw,
                job,
                str(found.ctime_ns),
                sha256,
            ),
        )

    def leave_ledger(self, job_id: str) -> None:
        """Let a file that stays in place be done again."""
        self._db.execute("DELETE FROM ledger WHERE job = ?", (job_id,))

    def count_aborted_inspection(self, folder: str, found: Identity) -> None:
        """Count an inspection of a file that was cut short."""
        self._db.execute(
            "INSERT INTO looks VALUES (?,?,1) ON CONFLICT DO UPDATE SET count = count + 1",
            (folder, moment_key(found)),
        )

    def aborted_inspections(self, folder: str, found: Identity) -> int:
        """How many inspections of a file were cut short."""
        query = "SELECT coalesce(sum(count), 0) FROM looks WHERE folder = ? AND content = ?"
        return int(self._db.execute(query, (folder, moment_key(found))).fetchone()[0])

    def forget_aborted_inspections(self, folder: str, found: Identity) -> None:
        """An inspection ended well."""
        self._db.execute("DELETE FROM looks WHERE folder = ? AND content = ?", (folder, moment_key(found)))

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
