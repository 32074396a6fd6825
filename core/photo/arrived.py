"""has_arrived: whether a file's bytes are there, or only its size.

Copies over a network, downloads and sync programs may give a file its size first. What is missing then
reads as zeros, and decoders are made to make the best of that.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

# No format that we read begins with so many zeros.
_HEAD: Final = 8
# A TIFF may end with a directory: an entry's padded value and the empty pointer to the next one, 16 bytes.
_TAIL: Final = 24


def has_arrived(path: Path) -> bool:
    """Whether a file has bytes where its size says so: no hole, no zeros at its beginning or its end.

    False is no proof, for a picture may end with black pixels; it is a reason to wait. Raises OSError.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0 or not any(file.read(_HEAD)):
            return False
        file.seek(max(0, size - _TAIL))
        return any(file.read(_TAIL)) and not _has_hole(file.fileno(), size)


def _has_hole(handle: int, size: int) -> bool:
    """Whether the file system has no data for a part of a file, as far as it tells (lseek, SEEK_HOLE)."""
    if not hasattr(os, "SEEK_HOLE"):
        return False
    try:
        return os.lseek(handle, 0, os.SEEK_HOLE) < size
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOTSUP, errno.ENXIO):
            return False
        raise
