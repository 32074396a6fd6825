"""Identity: which bytes a path stands for, as far as the file system tells without reading them."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Final, NamedTuple

# FAT keeps times in steps of two seconds.
_COARSEST: Final = 2_000_000_000


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

    def copied_as(self, copy: Identity) -> Identity:
        """What a copy of this file on another disk would be: `copy` itself where nothing says it is not."""
        near = abs(copy.mtime_ns - self.mtime_ns) <= _COARSEST
        return copy if near and copy.size == self.size else copy._replace(size=self.size, mtime_ns=0)


def identity(path: Path | str) -> Identity | None:
    """The identity of a regular file, or None: nothing there, a link, a folder, a device, a pipe.

    Raises OSError where a disk or a folder does not say: that is no proof that a file is gone.
    """
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return identity_of(status)


def is_there(path: Path | str) -> bool:
    """Whether anything lies at a path, a link too. Raises OSError where a disk or a folder does not say.

    os.path.lexists and Path.is_dir take some refusals for "no", and others end the caller.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def is_folder(path: Path | str) -> bool:
    """Whether a folder is there, or a link to one. Raises OSError where a disk or a folder does not say."""
    try:
        return stat.S_ISDIR(Path(path).stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def identity_of(status: os.stat_result) -> Identity | None:
    """The identity in an lstat result, or None where it is no regular file."""
    if not stat.S_ISREG(status.st_mode):
        return None
    return Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def content_key(found: Identity) -> str:
    """Inode, size and time of change as text: some file systems' inodes exceed SQLite's integers."""
    return f"{found.inode}:{found.size}:{found.mtime_ns}"


def moment_key(found: Identity) -> str:
    """As `content_key`, with the time of the last change of any kind: a freed inode's next file differs."""
    return f"{content_key(found)}:{found.ctime_ns}"


def content_hash(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def known_content(path: Path, found: Identity) -> str:
    """The sha256 of a file that is `found` before and after it was read; else "", also where it cannot be."""
    try:
        if identity(path) != found:
            return ""
        digest = content_hash(path)
        return digest if identity(path) == found else ""
    except OSError:
        return ""
