"""Identity: which bytes a path stands for, as far as the file system tells without reading them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Identity(NamedTuple):
    """A regular file's device, inode, size in bytes and times of last change in nanoseconds."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    def same_content(self, other: Identity) -> bool:
        """Whether nothing says that the bytes differ; a rename or a link changes ctime alone."""
        return self[:4] == other[:4]


def identity(path: Path | str) -> Identity | None:
    """The identity of a regular file, or None: nothing there, a link, a folder, a device, a pipe."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    return identity_of(status)


def identity_of(status: os.stat_result) -> Identity | None:
    """The identity in an lstat result, or None where it is no regular file."""
    if not stat.S_ISREG(status.st_mode):
        return None
    return Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def content_key(found: Identity) -> str:
    """Inode, size and time of change as text: some file systems' inodes exceed SQLite's integers."""
    return f"{found.inode}:{found.size}:{found.mtime_ns}"
