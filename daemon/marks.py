"""Marks: on the disk while a worker is at a job, so that only work that was cut short counts."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from mattebox.core.publish import sync_folder

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path


@contextlib.contextmanager
def marked(mark: Path) -> Iterator[None]:
    """Keep an empty file there as long as the block runs; a kill and a power cut leave it. Raises OSError."""
    mark.parent.mkdir(exist_ok=True, mode=0o700)
    os.close(os.open(mark, os.O_WRONLY | os.O_CREAT, 0o600))
    sync_folder(mark.parent)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            mark.unlink(missing_ok=True)


class Marks:
    """The marks of one state folder, by a job's id."""

    def __init__(self, folder: Path) -> None:
        """`folder` need not be there."""
        self._folder = folder

    def of(self, job_id: str) -> Path:
        """Where a job's mark is."""
        return self._folder / job_id

    def is_set(self, job_id: str) -> bool:
        """Whether something ended in the middle of the job's last attempt."""
        return os.path.lexists(self.of(job_id))

    def clear(self, job_id: str) -> None:
        """The attempt has been answered, or a new one comes. Raises OSError."""
        self.of(job_id).unlink(missing_ok=True)

    def sweep(self, kept: Container[str]) -> None:
        """Clear what former runs left, but for the jobs in `kept`."""
        with contextlib.suppress(FileNotFoundError):
            for mark in list(self._folder.iterdir()):
                if mark.name not in kept:
                    mark.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._folder.rmdir()
