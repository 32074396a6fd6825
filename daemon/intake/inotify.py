"""Whether the kernel has a watch left: where it has none, sub-folders give no events, and nobody says so."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from typing import Final

_CLOEXEC: Final = os.O_CLOEXEC if hasattr(os, "O_CLOEXEC") else 0
_DELETE_SELF: Final = 0x400


def watches_left() -> bool:
    """Whether one more folder could be watched (inotify(7), max_user_watches); True where nobody can tell."""
    if sys.platform != "linux":
        return True
    library = ctypes.CDLL(None, use_errno=True)
    handle = library.inotify_init1(_CLOEXEC)
    if handle < 0:
        return True
    try:
        added = library.inotify_add_watch(handle, b"/", _DELETE_SELF)
        return bool(added >= 0 or ctypes.get_errno() != errno.ENOSPC)
    finally:
        os.close(handle)
