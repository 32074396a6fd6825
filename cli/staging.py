"""The temporary files of one `mattebox cut`: named so that the next run knows those of a dead one."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from platformdirs import user_state_path

from mattebox.core.publish import STAGED_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

_NAME: Final = re.compile(
    rf"{re.escape(STAGED_PREFIX)}cut-([0-9a-f]{{8}})-([0-9a-f]{{12}})-[0-9a-f]{{8}}\.part"
)
_OWNER: Final = "owner"
_NOBODY: Final = "0" * 8
# Locks of dead runs that left no file go after so many seconds: one that is just being taken is younger.
_OLD: Final = 86_400.0


class Staging:
    """Names for one run's unfinished files, and a lock that says as long as this process lives.

    A name holds the run's id and that of the folder of locks: only who sees the same locks, on the same
    computer, judges whether the run is alive, so files of a run on another computer are never touched.
    The kernel gives the lock back however the process ends.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """folder: where the locks of runs lie; default: the platform's state folder."""
        self._folder = folder or user_state_path("mattebox", appauthor=False) / "runs"
        self._run = os.urandom(6).hex()
        self._lock: int | None = None
        self._owner = _NOBODY
        self._names: list[Path] = []

    def __enter__(self) -> Self:
        """Take the run's lock; where the folder cannot be written, nothing of this run is swept later."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            owner = _owner(self._folder)
            self._lock = _take(self._lock_file(self._run))
            if self._lock is not None:
                self._owner = owner
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what is left of this run, and its lock."""
        self.end()

    def name(self, target: Path) -> Path:
        """A new hidden name in the target's own folder, so that publishing is one rename or link."""
        tail = os.urandom(4).hex()
        name = target.with_name(f"{STAGED_PREFIX}cut-{self._owner}-{self._run}-{tail}.part")
        self._names.append(name)
        return name

    def end(self) -> None:
        """Remove every unfinished file of this run, and its lock."""
        self.discard()
        self.release()

    def discard(self) -> None:
        """Remove every unfinished file of this run."""
        for name in self._names:
            _remove(name)

    def release(self) -> None:
        """Give the lock back; its file goes first, so that nobody takes it for a dead run's."""
        if self._lock is not None:
            _remove(self._lock_file(self._run))
            os.close(self._lock)
            self._lock = None

    def sweep(self, folders: Iterable[Path]) -> int:
        """Remove the unfinished files of dead runs from these folders; how many there were.

        What a living run, another computer or another part of Mattebox has staged there stays.
        """
        if self._lock is None:
            return 0
        alive: dict[str, bool] = {self._run: True}
        removed = 0
        for folder in folders:
            with suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    match = _NAME.fullmatch(entry.name)
                    if match is None or match[1] != self._owner or not entry.is_file(follow_symlinks=False):
                        continue
                    if match[2] not in alive:
                        alive[match[2]] = self._is_alive(match[2])
                    if not alive[match[2]]:
                        with suppress(OSError):
                            Path(entry.path).unlink()
                            removed += 1
        for run, living in alive.items():
            if not living:
                _remove(self._lock_file(run))
        self._sweep_locks()
        return removed

    def _sweep_locks(self) -> None:
        for file in self._folder.glob("*.lock"):
            with suppress(OSError):
                if time.time() - file.stat().st_mtime > _OLD and not self._is_alive(file.stem):
                    file.unlink()

    def _is_alive(self, run: str) -> bool:
        file = self._lock_file(run)
        if not file.exists():
            return False
        try:
            lock = _take(file)
        except OSError:
            return True
        if lock is None:
            return True
        os.close(lock)
        return False

    def _lock_file(self, run: str) -> Path:
        return self._folder / f"{run}.lock"


def _take(file: Path) -> int | None:
    """An exclusive lock on a file until its handle is closed; None where another has it.

    Not filelock: it takes as long to load as a third of a small network's run.
    """
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - Windows alone

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - not on Windows

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink(missing_ok=True)


def _owner(folder: Path) -> str:
    """Eight hexadecimal digits of this computer's name and of the folder's own random text, made once."""
    file = folder / _OWNER
    if not file.exists():
        fresh = folder / f".{_OWNER}-{os.urandom(6).hex()}"
        fresh.write_text(os.urandom(16).hex(), encoding="ascii")
        # The first of several that start at once wins; the others read what it wrote.
        with suppress(FileExistsError):
            os.link(fresh, file)
        fresh.unlink()
    text = file.read_text(encoding="ascii")
    return hashlib.sha256(f"{socket.gethostname()} {text}".encode()).hexdigest()[:8]
