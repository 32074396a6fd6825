"""Time limits for a connection to the engine host: connecting, and every read and write on it.

Standard library only, Python 3.9 and later. multiprocessing.connection has no limits of its own: its
connect waits for room in the listener's queue, and its reads and writes wait in the middle of a frame.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
import time
from multiprocessing.connection import Client, Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.gimp_plugin.mattebox import protocol
else:
    try:
        import protocol
    except ImportError:  # imported as a part of mattebox, not run by GIMP
        from mattebox.gimp_plugin.mattebox import protocol

STALL = 30.0  # seconds without one more byte in the middle of a frame
PAUSE = 0.05  # seconds between two tries to get into the listener's queue


def connect(folder: Path) -> Connection:
    """A connection to the host of this folder, with its key proved and its limits set.

    Raises FileNotFoundError and ConnectionRefusedError where no host is, TimeoutError where one does
    not answer, multiprocessing.AuthenticationError, EOFError and OSError.
    """
    key = protocol.key_file(folder).read_bytes()
    wire = _reach(protocol.address(folder), protocol.PATIENCE)
    try:
        set_limits(wire, STALL)
        protocol.prove(wire, key, first=False)
    except BaseException:
        wire.close()
        raise
    return wire


def set_limits(wire: Any, seconds: float) -> None:
    """Let a read or write that moves no byte for so long end in BlockingIOError, and not wait for ever.

    A wait with poll() is not limited by this. Does nothing on Windows, whose pipes know no such limit.
    Raises OSError.
    """
    if sys.platform == "win32":
        return
    whole = int(seconds)
    limit = struct.pack("@ll", whole, int((seconds - whole) * 1_000_000))
    # Another object for the same socket: closing it must leave the connection open, hence detach().
    link = socket.socket(fileno=wire.fileno())
    try:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            link.setsockopt(socket.SOL_SOCKET, option, limit)
    finally:
        link.detach()


def _reach(place: str, seconds: float) -> Connection:
    """Connect within so many seconds. Raises TimeoutError, OSError."""
    if sys.platform == "win32":
        return Client(place, family=protocol.family())
    until = time.monotonic() + seconds
    link = socket.socket(socket.AF_UNIX)
    try:
        link.setblocking(False)
        # Linux answers EAGAIN at once where the queue is full, other systems EINPROGRESS or a refusal.
        while code := link.connect_ex(place):
            if code not in (errno.EAGAIN, errno.EINPROGRESS, errno.EALREADY, errno.EINTR):
                if code == errno.EISCONN:
                    break
                raise OSError(code, errno.errorcode.get(code, ""))
            if time.monotonic() > until:
                raise TimeoutError
            time.sleep(PAUSE)
        link.setblocking(True)
        return Connection(link.detach())
    finally:
        link.close()
