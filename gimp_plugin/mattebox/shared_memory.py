"""Shared memory of both ends of a connection: pixels reach the engine, and masks come back, by one copy.

Standard library only, Python 3.9 and later. The memory has no name that others could open, takes no room
on a disk and goes with the last process that holds it. Only its descriptor goes over the socket. Where
the system has no such memory (Windows, macOS), the bytes themselves go over the socket.
"""

from __future__ import annotations

import mmap
import os
import socket
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

if sys.platform == "linux":
    import fcntl

    # Sealed memory keeps its size: a reader can never fall off its end.
    SEALS = [getattr(fcntl, f"F_SEAL_{name}", 0) for name in ("SHRINK", "GROW", "SEAL")]
    AVAILABLE = hasattr(os, "memfd_create") and all(SEALS)
else:
    AVAILABLE = False


class SharedMemoryError(Exception):
    """What came is not the memory that was announced."""


class SharedMemory:
    """So many bytes, shared by their descriptor."""

    def __init__(self, descriptor: int, size: int) -> None:
        """`descriptor` is of memory of this `size`, and is closed with this object's close()."""
        self._descriptor = descriptor
        self.size = size

    @classmethod
    def create(cls, size: int) -> SharedMemory:
        """New memory, sealed at `size` bytes. Raises OSError where there is none."""
        if sys.platform != "linux" or not AVAILABLE:
            raise OSError("this system has no memory to share")
        descriptor = os.memfd_create("mattebox", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(descriptor, size)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, sum(SEALS))
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor, size)

    @classmethod
    def receive(cls, wire: Any, size: int) -> SharedMemory:
        """The memory that the other end gives. Raises SharedMemoryError, EOFError, OSError."""
        with socket.socket(fileno=os.dup(wire.fileno())) as link:
            mark, descriptors, _, _ = socket.recv_fds(link, 1, 1)
        if not mark:
            raise EOFError
        if len(descriptors) != 1:
            raise SharedMemoryError("the shared memory did not come")
        memory = cls(descriptors[0], size)
        try:
            memory._check()
        except BaseException:
            memory.close()
            raise
        return memory

    def send(self, wire: Any) -> None:
        """Hand the memory to the other end of a connection. Raises OSError."""
        with socket.socket(fileno=os.dup(wire.fileno())) as link:
            socket.send_fds(link, [b"m"], [self._descriptor])

    def write(self, at: int, data: Any) -> int:
        """Write bytes from a place on, and return the place behind them. Raises MemoryError."""
        rest = memoryview(data).cast("B")
        try:
            while rest:
                done = os.pwrite(self._descriptor, rest, at)
                at, rest = at + done, rest[done:]
        except OSError as error:
            raise MemoryError from error
        return at

    def parts(self, at: int, lengths: Sequence[int]) -> list[memoryview]:
        """Read-only views of the bytes from a place on; they outlive close()."""
        whole = memoryview(mmap.mmap(self._descriptor, self.size, access=mmap.ACCESS_READ))
        found = []
        for length in lengths:
            found.append(whole[at : at + length])
            at += length
        return found

    def close(self) -> None:
        """Let go of the memory."""
        os.close(self._descriptor)

    def _check(self) -> None:
        if sys.platform != "linux" or os.fstat(self._descriptor).st_size != self.size:
            raise SharedMemoryError("the shared memory has another size")
        try:
            seals = fcntl.fcntl(self._descriptor, fcntl.F_GET_SEALS)
        except OSError as error:
            raise SharedMemoryError("what was shared is no memory") from error
        if seals & sum(SEALS) != sum(SEALS):
            raise SharedMemoryError("the shared memory is not sealed")
