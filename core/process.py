"""What a process that works on photos arranges before its first array."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# glibc's malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and its largest value, M_ARENA_MAX.
_TRIM: Final = -1
_MMAP: Final = -3
_MMAP_MOST: Final = 1 << 25
_ARENAS: Final = -8
_KEPT: Final = 1 << 29


@contextmanager
def loading() -> Iterator[None]:
    """Load modules without Python looking for garbage among what they make, which all stays."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collected:
            gc.enable()


def configure_process() -> None:
    """Keep freed memory for the next array, and start no threads that nothing uses; call it early.

    Else every temporary picture is given back to the system and its next one comes page by page: half
    of the time of a refinement. Linux's glibc only; elsewhere the allocator stays as it is.
    """
    # NumPy's library for matrices starts a thread a core when it is loaded; there are no matrices here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _allocate(((_MMAP, _MMAP_MOST), (_TRIM, _KEPT), (_ARENAS, 1)))


def configure_lanes(count: int) -> None:
    """Give each of `count` threads that are about to work on photos memory of its own.

    Photos that are cut side by side in one arena leave holes that fit no other: over 500 photos it grew by
    a twelfth, so by a twentieth. Linux's glibc only.
    """
    _allocate(((_ARENAS, count + 1),))


def _allocate(options: Sequence[tuple[int, int]]) -> None:
    if sys.platform != "linux":
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option, value in options:
            set_option(option, value)
