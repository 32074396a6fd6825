"""sd_notify: what a systemd service reports to its manager; without one, nothing."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def sd_notify(text: str) -> None:
    """Send "READY=1", "WATCHDOG=1" or "STOPPING=1" to the socket of $NOTIFY_SOCKET."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(text.encode(), address)


def watchdog_interval() -> float:
    """Seconds between signs of life: half of what the manager asks for, or a minute."""
    try:
        return max(0.5, int(os.environ["WATCHDOG_USEC"]) / 2e6)
    except (KeyError, ValueError):
        return 60.0
