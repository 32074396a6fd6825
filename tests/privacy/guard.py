"""The guard: a session without a network, under strace, and what it reached for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).resolve().parent
NETWORK = ("connect", "bind", "sendto", "sendmsg", "sendmmsg")
FILES = (
    *("open", "openat", "creat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "link", "linkat"),
    *("symlink", "symlinkat", "unlink", "unlinkat", "rmdir", "mknod", "mknodat", "truncate"),
)
# The system's own: semaphores, shared memory, terminals, and what the kernel is told of a process.
SYSTEM = ("/dev/shm/", "/dev/null", "/dev/tty", "/proc/")  # noqa: S108 - read in a trace, never opened
_CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+|\?)")
# A path as strace -y writes it: the folder of a descriptor, then the path.
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')
_WRITES = re.compile(r"O_(?:WRONLY|RDWR|CREAT|TRUNC)")
_LOOPBACK = re.compile(r'inet_addr\("127\.|"::1"')
# The guard answers look-ups with the machine's own address: what comes then is no talk with ourselves.
_WEB = re.compile(r"htons\((?:53|80|443)\)")


@dataclass(frozen=True)
class Findings:
    """What a session did: its exit status, words, look-ups, network calls, and files made or changed."""

    status: int
    words: str
    lookups: tuple[str, ...]
    network: tuple[str, ...]
    files: frozenset[str]
    left: frozenset[str]
    root: Path
    threads: int

    def foreign_files(self) -> list[str]:
        """The files that lie in no folder of ours."""
        return sorted(path for path in self.files | self.left if not self._is_ours(path))

    def _is_ours(self, path: str) -> bool:
        home = self.root / "home"
        ours = [self.root / "work", self.root / "tmp"]
        ours += [home / place / "mattebox" for place in (".cache", ".local/state", ".config")]
        above = {str(folder) for place in ours for folder in place.parents}
        return (
            any(path == str(place) or path.startswith(f"{place}/") for place in ours)
            or path in above
            or path.startswith(SYSTEM)
            # Python keeps its compiled modules beside them.
            or "/__pycache__" in path
        )


class Guarded:
    """A session that runs under the guard."""

    def __init__(
        self, arguments: Sequence[str], weights: Sequence[Path], environment: dict[str, str] | None = None
    ) -> None:
        """`weights` are put where a user's cache has them; `environment` is added to a bare one."""
        # A short path: sockets lie in it.
        self.root = Path(tempfile.mkdtemp(prefix="guard-"))
        for name in ("work", "tmp", "trace", "home/.cache/mattebox/models"):
            (self.root / name).mkdir(parents=True)
        for file in weights:
            shutil.copy(file, self.root / "home/.cache/mattebox/models")
        bare = {"PATH": os.environ["PATH"], "HOME": str(self.root / "home"), "TMPDIR": str(self.root / "tmp")}
        trace = ["strace", "-f", "-ff", "--seccomp-bpf", "-y", "-qq", "-s", "256", "-e", "signal=none"]
        trace += ["-e", f"trace={','.join([*NETWORK, *FILES])}", "-o", str(self.root / "trace" / "t")]
        command = [
            "unshare",
            "-rnm",
            sys.executable,
            str(HERE / "cut_off.py"),
            str(self.root),
            *trace,
            *arguments,
        ]
        self._words = (self.root / "words").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            command,
            cwd=self.root / "work",
            env=bare | (environment or {}),
            stdout=self._words,
            stderr=self._words,
        )

    def findings(self, timeout: float) -> Findings:
        """Wait for the end and read what was seen."""
        status = self._process.wait(timeout)
        self._words.seek(0)
        traces = [file.read_text(errors="replace") for file in (self.root / "trace").iterdir()]
        lines = [line for trace in traces for line in trace.splitlines()]
        home = self.root / "home"
        found = Findings(
            status=status,
            words=self._words.read(),
            lookups=tuple(_lines(self.root / "lookups")),
            network=tuple(sorted({call for line in lines if (call := _network_call(line))})),
            files=frozenset(path for line in lines for path in _changed(line)),
            left=frozenset(str(path) for path in home.rglob("*") if path.is_file()),
            root=self.root,
            threads=len(traces),
        )
        self._words.close()
        return found

    def remove(self) -> None:
        """End what still runs, and take the folder away."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.root, ignore_errors=True)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def _network_call(line: str) -> str | None:
    """The call, where it speaks to a network or listens to more than this machine."""
    call = line.split("(", 1)[0]
    if call not in NETWORK:
        return None
    if "AF_INET" in line:
        return None if _LOOPBACK.search(line) and not _WEB.search(line) else line.strip()
    # A resolver that is reached through a socket of the machine is one too.
    return line.strip() if "/resolve" in line else None


def _changed(line: str) -> Iterator[str]:
    """The absolute paths that a successful call made, changed or removed."""
    match = _CALL.match(line)
    if match is None or match[1] not in FILES or match[3].startswith("-"):
        return
    if match[1].startswith("open") and not _WRITES.search(match[2]):
        return
    for folder, path in _PATH.findall(match[2]):
        if path.startswith("/") or folder:
            yield os.path.normpath(Path(folder or "/") / path)
