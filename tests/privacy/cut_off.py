"""Runs a command where the only network is this script: loopback, a name server and listening ports.

`unshare -rnm python cut_off.py FOLDER COMMAND...`: every look-up is answered with 127.0.0.1 and written
to FOLDER/lookups, every connection to the ports of the web to FOLDER/connections. Nothing leaves.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def raise_loopback() -> None:
    """Bring the new namespace's loopback interface up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))


def name_of(query: bytes) -> tuple[str, int]:
    """The name that a query asks for, and where its question ends (RFC 1035, 4.1.2)."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii", "replace"))
        at += 1 + query[at]
    return ".".join(labels), at + 5


def answer_names(server: socket.socket, log: Path) -> None:
    """Answer A with 127.0.0.1 and all else with nothing."""
    while True:
        query, asker = server.recvfrom(1500)
        name, end = name_of(query)
        with log.open("a", encoding="utf-8") as lines:
            lines.write(f"{name}\n")
        is_address = query[end - 4 : end - 2] == b"\0\1"
        head = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_address else b"\0\0") + b"\0\0\0\0"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if is_address else b""
        server.sendto(head + query[12:end] + record, asker)


def take_calls(server: socket.socket, log: Path) -> None:
    """Note each connection and end it."""
    while True:
        wire, _ = server.accept()
        with log.open("a", encoding="utf-8") as lines:
            lines.write(f"{server.getsockname()[1]}\n")
        wire.close()


def main() -> int:
    """Serve, and run the command; its exit status is ours."""
    folder, command = Path(sys.argv[1]), sys.argv[2:]
    raise_loopback()
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 53))
    threading.Thread(target=answer_names, args=(names, folder / "lookups"), daemon=True).start()
    for port in (80, 443):
        calls = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=take_calls, args=(calls, folder / "connections"), daemon=True).start()
    # No name is known on this machine: even a look-up of its own name or address would be seen.
    for place, text in (("/etc/resolv.conf", "nameserver 127.0.0.1\n"), ("/etc/hosts", "")):
        stand_in = folder / Path(place).name
        stand_in.write_text(text, encoding="ascii")
        subprocess.run(["mount", "--bind", stand_in, place], check=True)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
