"""A studio's day: roots renamed and back, full disks, a webhook that answers wrongly.

`bench/soak.py` runs these beside the product's own daemon. Each trouble begins, lasts a moment, and is over;
what it did is undone whatever happens, so that the folders in the end are those of a quiet day.
"""

from __future__ import annotations

import itertools
import socket
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random
    from pathlib import Path

_BLOCK: Final = bytes(1 << 20)


@dataclass
class Renamed:
    """A folder that somebody renames, and names as before a moment later."""

    folder: Path

    def begin(self) -> None:
        """Take the folder's name away."""
        self.folder.rename(self._away)

    def end(self) -> None:
        """Give it back; what was made under the name meanwhile is merged file by file, as a person would."""
        if not self._away.exists():
            return
        if self.folder.exists():
            for path in sorted(self.folder.rglob("*")):
                if path.is_file():
                    target = self._away / path.relative_to(self.folder)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    if target.exists():
                        raise AssertionError(f"{path} was made twice while the folder was away")
                    path.rename(target)
            for path in sorted(self.folder.rglob("*"), reverse=True):
                path.rmdir()
            self.folder.rmdir()
        self._away.rename(self.folder)

    @property
    def _away(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}-away")


@dataclass
class FullDisk:
    """A disk of its own below a folder (tmpfs; needs root) that is filled to the last byte."""

    folder: Path
    megabytes: int

    def mount(self) -> None:
        """Put the disk under the folder."""
        self.folder.mkdir(parents=True)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={self.megabytes}m,mode=700", "tmpfs", self.folder],
            check=True,
        )

    def begin(self) -> None:
        """Fill it."""
        with suppress(OSError), self._filler.open("wb", buffering=0) as file:
            while file.write(_BLOCK):
                pass

    def end(self) -> None:
        """Make room again."""
        self._filler.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Take the disk away."""
        subprocess.run(["umount", "-l", self.folder], check=False)

    @property
    def _filler(self) -> Path:
        return self.folder / ".filler"


@dataclass
class MadWebhook:
    """A peer on loopback that answers each call in another wrong way, or not at all, or rightly."""

    calls: int = 0
    _server: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _held: list[socket.socket] = field(default_factory=list)

    ANSWERS: Final = (
        b"",
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        None,
    )

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.getsockname()[1]}/"

    def start(self) -> None:
        """Answer until the process ends."""
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        for answer in itertools.cycle(self.ANSWERS):
            with suppress(OSError):
                peer, _ = self._server.accept()
                self.calls += 1
                if answer is None:  # never answers and never hangs up
                    self._held = [*self._held[-50:], peer]
                    continue
                with peer:
                    peer.settimeout(1)
                    peer.recv(1 << 16)
                    peer.sendall(answer)


@dataclass
class Day:
    """Troubles one at a time, each for a moment, with a pause between; counts of what was done."""

    troubles: dict[str, Renamed | FullDisk]
    random: random.Random
    counts: dict[str, int] = field(default_factory=dict)
    _now: Renamed | FullDisk | None = None
    _next: float = 0.0

    def step(self, clock: float) -> None:
        """Begin or end a trouble where its time has come (`clock` in seconds)."""
        if clock < self._next:
            return
        if self._now is None:
            name = self.random.choice(sorted(self.troubles))
            self._now = self.troubles[name]
            self._now.begin()
            self.counts[name] = self.counts.get(name, 0) + 1
            self._next = clock + self.random.uniform(2, 15)
        else:
            self.quiet()
            self._next = clock + self.random.uniform(3, 12)

    def quiet(self) -> None:
        """End what is going on."""
        if self._now is not None:
            self._now.end()
            self._now = None
