"""Markers: on the disk while a worker is at a job, so that only work that was cut short counts."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from mattebox.core.publish import sync_folder

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path


def attempt_marker(staged: Path) -> Path:
    """The marker of one attempt, beside its first staged file: on storage that every machine sees."""
    return staged.with_suffix(".begun")


@contextlib.contextmanager
def in_progress(marker: Path | None) -> Iterator[None]:
    """Keep an empty file there as long as the block runs; a kill and a power cut leave it.

    Where it cannot be made, the work goes on without: what a full disk cuts short is no photo's fault.
    None: somebody else keeps one.
    """
    if marker is None:
        yield
        return
    with contextlib.suppress(OSError):
        marker.parent.mkdir(exist_ok=True, mode=0o700)
        os.close(os.open(marker, os.O_WRONLY | os.O_CREAT, 0o600))
        sync_folder(marker.parent)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            marker.unlink(missing_ok=True)


class Markers:
    """The markers of one kind of work, by a name for what is worked on."""

    def __init__(self, folder: Path) -> None:
        """`folder` need not be there."""
        self._folder = folder

    def of(self, name: str) -> Path:
        """Where a marker is."""
        return self._folder / name

    def is_set(self, name: str) -> bool:
        """Whether the last work on it was cut short, or goes on."""
        return os.path.lexists(self.of(name))

    def clear(self, name: str) -> None:
        """The work has been answered, or begins anew. Raises OSError."""
        self.of(name).unlink(missing_ok=True)

    def sweep(self, kept: Container[str]) -> None:
        """Clear what former runs left, but for those in `kept`."""
        with contextlib.suppress(FileNotFoundError):
            for marker in list(self._folder.iterdir()):
                if marker.name not in kept:
                    marker.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._folder.rmdir()
