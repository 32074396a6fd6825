"""The journal's database: one connection whose every refusal is a JournalError with a sentence."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.errors import reason_of
from mattebox.daemon.errors import SET_ASIDE, DamagedJournalError, JournalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NAME: Final = "journal.db"
# A journal and what SQLite keeps beside it.
_PARTS: Final = ("", "-wal", "-shm", "-journal")
_DAMAGED: Final = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB"})
_BUSY: Final = 30.0
_ROOM: Final = 65536


class Rows(list[tuple[Any, ...]]):
    """All rows of an answer."""

    def fetchone(self) -> Any:
        """The first row, or None."""
        return self[0] if self else None


class Database:
    """A connection that may be opened anew; reads and writes raise JournalError, never sqlite3.Error."""

    def __init__(self, folder: Path) -> None:
        """Open or make `folder`/journal.db. Raises JournalError, DamagedJournalError."""
        self.folder = folder
        self._inode = (0, 0)
        self._synced = True
        with self._told():
            self._connection = self._open()

    def execute(self, query: str, values: Sequence[Any] = ()) -> Rows:
        """Run one statement; all of its rows, read at once. Raises JournalError, DamagedJournalError."""
        # Some sixty statements a photo: without a context manager around each.
        try:
            return Rows(self._connection.execute(query, values))
        except (OSError, sqlite3.Error) as error:
            raise self._refusal(error) from error

    @contextlib.contextmanager
    def transaction(self, *, synced: bool = True) -> Iterator[None]:
        """All changes inside are made together, or none is. Raises JournalError.

        synced: they survive a power cut, as does all that was committed before them; a kill harms neither.
        """
        try:
            if synced != self._synced:
                self.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
                self._synced = synced
            self.execute("BEGIN IMMEDIATE")
            yield
            self.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def check(self) -> None:
        """Read all of it. Raises DamagedJournalError where a page or an index is not what it should be."""
        found = self.execute("PRAGMA integrity_check(1)")
        if not found or found[0][0] != "ok":
            raise damaged(self.folder, "its pages contradict each other")
        with self._told():
            tables = self._connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            ).fetchall()
            for (table,) in tables:
                # Names of our own schema; each row is decoded and thrown away.
                deque(self._connection.execute(f'SELECT * FROM "{table}"'), maxlen=0)  # noqa: S608

    def reopen(self) -> None:
        """Connect anew after a refusal, and prove that there is room to write. Raises JournalError."""
        self.close()
        with self._told():
            self._connection = self._open()
        # As much as some jobs need: a disk on which a page is free is full again at once.
        with self.transaction():
            self.execute("CREATE TABLE IF NOT EXISTS room (filler BLOB)")
            self.execute("INSERT INTO room VALUES (zeroblob(?))", (_ROOM,))
        with self.transaction():
            self.execute("DROP TABLE room")

    def is_there(self) -> bool:
        """Whether the file on the disk is still the one that is open. Raises OSError."""
        try:
            status = (self.folder / NAME).stat()
        except FileNotFoundError:
            return False
        return (status.st_dev, status.st_ino) == self._inode

    def close(self) -> None:
        """Close the connection; what the disk says to that changes nothing."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.folder / NAME, isolation_level=None, timeout=_BUSY)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            self._synced = True
            connection.execute("PRAGMA foreign_keys = ON")
            status = (self.folder / NAME).stat()
        except BaseException:
            connection.close()
            raise
        self._inode = (status.st_dev, status.st_ino)
        return connection

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> JournalError:
        name = getattr(error, "sqlite_errorname", "") or ""
        # Text that is no UTF-8 is an OperationalError of Python's own, without SQLite's name.
        foreign_text = isinstance(error, sqlite3.OperationalError) and not name
        if foreign_text or name.startswith(tuple(_DAMAGED)):
            return damaged(self.folder, "it is damaged")
        return JournalError(
            f"{self.folder}: the journal cannot be read or written ({_why(error)}); make room there or "
            "mend the rights of the folder."
        )


def damaged(folder: Path, why: str) -> DamagedJournalError:
    """The error of a journal that cannot be trusted any more."""
    return DamagedJournalError(f"{folder / NAME}: this journal is damaged ({why}). {SET_ASIDE}")


def set_aside(folder: Path) -> Path:
    """Rename a journal with all of its parts to the first free journal.db.damaged-N. Raises OSError."""
    number = 1
    while os.path.lexists(folder / f"{NAME}.damaged-{number}"):
        number += 1
    target = folder / f"{NAME}.damaged-{number}"
    # The journal itself goes last: a kill before that leaves one that is set aside again.
    for part in reversed(_PARTS):
        with contextlib.suppress(FileNotFoundError):
            (folder / f"{NAME}{part}").rename(f"{target}{part}")
    return target


def _why(error: Exception) -> str:
    name = getattr(error, "sqlite_errorname", "") or ""
    for beginning, told in _SAID.items():
        if name.startswith(beginning):
            return told
    return reason_of(error)


_SAID: Final = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "the folder or its disk is read-only",
    "SQLITE_IOERR": "the disk refuses",
    "SQLITE_CANTOPEN": "it cannot be opened",
    "SQLITE_PERM": "the rights do not allow it",
    "SQLITE_BUSY": "another process keeps it locked",
    "SQLITE_LOCKED": "another process keeps it locked",
}
