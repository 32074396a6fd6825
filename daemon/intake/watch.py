"""Watching: events say where to look, and are never the truth; what they miss, the rescans find."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

if TYPE_CHECKING:
    from mattebox.daemon.inbox import Inbox

# Reading a file gives these, also our own reading.
_READING: Final = frozenset({"opened", "closed_no_write"})
# Other machines' writes give no events on these, or the kernel cannot watch them at all.
NETWORK_SYSTEMS: Final = frozenset(
    "nfs nfs4 cifs smb3 smbfs smb2 9p afs ceph glusterfs lustre davfs virtiofs vboxsf prl_fs fuse.sshfs "  # noqa: SIM905 - a table of words
    "fuse.vmhgfs-fuse vmhgfs fuse.rclone fuse.s3fs fuse.goofys fuse.davfs2 fuse.gvfsd-fuse fuse.mergerfs "
    "fuse.curlftpfs fuse.glusterfs fuse.portal drvfs".split()
)


class FolderEvent(NamedTuple):
    """Something happened in a folder: at `path`, or (None) somewhere in it."""

    folder: str
    path: str | None


class Watch:
    """One folder's native watch; it is rebuilt when `healthy` says no."""

    def __init__(self, name: str, root: Path, *, recursive: bool, inbox: Inbox) -> None:
        """Start to watch. Raises OSError where the system refuses (no folder, no free watches)."""
        # watchdog warns of its own book-keeping, a page for each folder that was seen twice while it was
        # made; nobody can act on it, and where warnings are errors it would end the thread that reads.
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.")
        self._root = root
        self._identity = _root_identity(root)
        before = _watchdog_threads()
        self._observer = Observer()
        try:
            self._observer.schedule(_Handler(name, inbox), str(root), recursive=recursive)
            self._observer.start()
        except BaseException:
            # Some of its threads and descriptors may be there already.
            self.stop()
            raise
        self._threads = _watchdog_threads() - before

    def healthy(self) -> bool:
        """Whether the threads live and the root is still the folder that is watched."""
        with suppress(OSError):
            # The observer and its emitters outlive the thread that reads the kernel's events.
            return all(thread.is_alive() for thread in self._threads) and (
                _root_identity(self._root) == self._identity
            )
        return False

    def stop(self) -> None:
        """End the threads."""
        with suppress(Exception):
            self._observer.stop()
            self._observer.join(timeout=5)


class OverflowAlarm(logging.Handler):
    """Hears watchdog's only sign of lost events, a line in its log, and asks for a scan of everything.

    It also hears of a thread of watchdog's that ends by an error: the watch is then built anew, and a
    traceback would tell a person nothing.
    """

    def __init__(self, inbox: Inbox) -> None:
        super().__init__(logging.WARNING)
        self._inbox = inbox
        logging.getLogger("watchdog").addHandler(self)
        self._hook = threading.excepthook
        threading.excepthook = self._ended

    def emit(self, record: logging.LogRecord) -> None:
        """Ask for a scan; the line itself is not shown."""
        _ = record
        self._inbox.put(FolderEvent("", None))

    def stop(self) -> None:
        """Listen no more."""
        logging.getLogger("watchdog").removeHandler(self)
        threading.excepthook = self._hook

    def _ended(self, what: threading.ExceptHookArgs) -> None:
        if type(what.thread).__module__.startswith("watchdog."):
            self._inbox.put(FolderEvent("", None))
        else:
            self._hook(what)


class _Handler(FileSystemEventHandler):
    def __init__(self, name: str, inbox: Inbox) -> None:
        self._name = name
        self._inbox = inbox

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in _READING:
            # A file that was moved inside has its final name in dest_path alone.
            path = event.dest_path or event.src_path
            self._inbox.put(FolderEvent(self._name, os.fsdecode(path)))


def is_network(path: Path, table: Path = Path("/proc/self/mountinfo")) -> bool:
    """Whether a path lies on a network file system, by the mount table; False where there is none."""
    try:
        lines = os.fsdecode(table.read_bytes()).splitlines()
    except OSError:
        return False
    real = os.path.realpath(path)
    best, system = "", ""
    for line in lines:
        left, _, right = line.partition(" - ")
        fields = left.split()
        if len(fields) < 5 or not right:
            continue
        mount = fields[4].encode("utf-8", "surrogateescape").decode("unicode_escape", "replace")
        inside = real == mount or real.startswith(mount.rstrip("/") + "/")
        # The last mount on a place is the one that is seen.
        if inside and len(mount) >= len(best):
            best, system = mount, right.split()[0]
    return system in NETWORK_SYSTEMS


def _watchdog_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if type(thread).__module__.startswith("watchdog.")}


def _root_identity(root: Path) -> tuple[int, int]:
    status = root.stat()
    return status.st_dev, status.st_ino
