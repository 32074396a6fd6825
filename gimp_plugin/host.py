"""The engine host: keeps networks loaded for plug-ins, and ends by itself when nobody needs it."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import time
from multiprocessing import AuthenticationError
from multiprocessing.connection import Listener
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.errors import reason_of
from mattebox.gimp_plugin.connection import PluginConnection
from mattebox.gimp_plugin.mattebox import protocol, timeouts
from mattebox.gimp_plugin.rendezvous import HostError, acquire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from mattebox.core.engine import Engine

_TICK: Final = 0.5
_BACKLOG: Final = 16
# Photos that are open for pointing, and the bytes of all of them but a single one.
OPEN_PHOTOS: Final = 4
OPEN_BYTES: Final = 2 << 30
_SHORTEST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
# What accept() says of a listening socket that is none any more; everything else passes. A closed
# Listener gives no number.
_BROKEN: Final = frozenset({None, errno.EBADF, errno.EINVAL, errno.ENOTSOCK, errno.EOPNOTSUPP})


class Host:
    """Listens in a private folder and cuts for everyone who holds the key, one layer at a time."""

    def __init__(self, folder: Path, make_engine: Callable[[Any], Engine], *, idle: float) -> None:
        """`make_engine` gets a models.progress.Progress; `idle` is in seconds, 0 means for ever."""
        self.folder = folder
        self._make_engine = make_engine
        self._idle = idle
        self._stop = threading.Event()
        self._engine_lock = threading.Lock()
        self._connections: set[PluginConnection] = set()
        self._last_use = time.monotonic()
        self._engine: Engine | None = None
        self._fetching: PluginConnection | None = None
        self._places: dict[PluginConnection, int] = {}
        self._places_lock = threading.Lock()
        self.last_seconds: float | None = None

    def stop(self) -> None:
        """Ask run() to end; safe in a signal handler."""
        self._stop.set()

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until stopped, idle or dislodged; `ready` is called once it listens. Raises HostError."""
        with acquire(self.folder) as key:
            place = protocol.address(self.folder)
            while self._listens(place, key, ready):
                # The plug-in that started this process waits for one line, not for one a listener.
                ready = _say_nothing

    def status(self) -> dict[str, Any]:
        """What `mattebox engine --status` tells."""
        names = self._engine.loaded if self._engine else ()
        return {
            "pid": os.getpid(),
            "networks": list(names),
            "talks": len(self._connections) - 1,
            "open_photos": len(self._places),
            "busy": self.is_busy(),
            "last_cut_seconds": self.last_seconds,
        }

    @contextlib.contextmanager
    def engine(self, connection: PluginConnection) -> Iterator[Engine]:
        """The engine, for one connection at a time; fetches of weights are reported to it."""
        with self._engine_lock:
            self._fetching = connection
            try:
                if self._engine is None:
                    self._engine = self._make_engine(_FetchProgress(self))
                yield self._engine
            finally:
                self._fetching = None
                self._last_use = time.monotonic()

    def admit(self, connection: PluginConnection, size: int) -> None:
        """Keep a place for a photo of so many bytes. Raises TooManyPhotosError where there is none."""
        from mattebox.gimp_plugin.open_photo import TooManyPhotosError  # noqa: PLC0415 - loads arrays

        with self._places_lock:
            self._places.pop(connection, None)
            held = sum(self._places.values())
            if len(self._places) >= OPEN_PHOTOS or (self._places and held + size > OPEN_BYTES):
                raise TooManyPhotosError(
                    f"{len(self._places)} layers are open for pointing already, which is as much as the "
                    "engine keeps in memory; close one of their windows first."
                )
            self._places[connection] = size

    def settle(self, connection: PluginConnection) -> None:
        """Let go of the place where no photo was opened."""
        if connection.photo is None:
            with self._places_lock:
                self._places.pop(connection, None)

    def report_fetch(self, text: str) -> None:
        """Pass a line about a fetch on to the connection that waits; raises Stopped where it is gone."""
        if self._fetching is not None:
            self._fetching.on_step(text)

    def is_busy(self) -> bool:
        """Whether somebody waits for a cutout."""
        return any(connection.busy for connection in self._connections.copy())

    def _is_idle(self) -> bool:
        if self.is_busy() or self._places:
            self._last_use = time.monotonic()
        return bool(self._idle) and time.monotonic() - self._last_use > self._idle

    def _listens(self, place: str, key: bytes, ready: Callable[[], None]) -> bool:
        """Serve with one listener; whether another one is wanted, since its thread died. Raises HostError."""
        listener = _listen(place)
        try:
            mark = _identity(place)
            accepting = threading.Thread(target=self._accept, args=(listener, key), daemon=True)
            accepting.start()
            ready()
            while not self._stop.wait(_TICK) and not self._is_idle() and _identity(place) == mark:
                if not accepting.is_alive():
                    return True
            return False
        finally:
            if _identity(place) == mark:
                with contextlib.suppress(OSError):
                    listener.close()

    def _accept(self, listener: Listener, key: bytes) -> None:
        """Give each connection a thread until stopped; ends where the listener is broken.

        What passes (too many open files or threads, a caller who left, little memory) is waited out:
        those who are in the listener's queue meanwhile are served after it.
        """
        pause = _SHORTEST_PAUSE
        while not self._stop.is_set():
            wire = None
            try:
                wire = listener.accept()
                threading.Thread(target=self._serve, args=(wire, key), daemon=True).start()
            except (OSError, RuntimeError, MemoryError) as error:
                if wire is not None:
                    wire.close()
                if isinstance(error, OSError) and error.errno in _BROKEN:
                    return
                self._stop.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                pause = _SHORTEST_PAUSE

    def _serve(self, wire: Connection, key: bytes) -> None:
        with wire:
            try:
                timeouts.set_limits(wire, timeouts.STALL)
                protocol.prove(wire, key, first=True)
            except (AuthenticationError, TimeoutError, EOFError, OSError):
                return
            connection = PluginConnection(wire, self)
            self._connections.add(connection)
            self._last_use = time.monotonic()
            try:
                connection.run()
            finally:
                self._connections.discard(connection)
                connection.photo = None
                self.settle(connection)


class _FetchProgress:
    """A models.progress.Progress that reports to the plug-in how a fetch goes."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._label, self._total, self._done, self._reported = "", 0, 0, -1

    def begin(self, label: str, total: int | None) -> None:
        self._label, self._total, self._done, self._reported = label, total or 0, 0, -1
        self._host.report_fetch(f"Fetching {label}")

    def advance(self, count: int) -> None:
        self._done += count
        share = 100 * self._done // self._total if self._total else 0
        if share != self._reported:
            self._reported = share
            self._host.report_fetch(f"Fetching {self._label}: {share} %")

    def end(self) -> None:
        """The step that follows says what comes next."""

    def note(self, line: str) -> None:
        self._host.report_fetch(line)


def _say_nothing() -> None:
    """Nobody waits for this word any more."""


def _listen(place: str) -> Listener:
    if sys.platform != "win32" and os.path.lexists(place):
        # The lock is ours, so a socket that lies here belongs to a host that was killed.
        with contextlib.suppress(OSError):
            Path(place).unlink()
    try:
        listener = Listener(place, family=protocol.family(), backlog=_BACKLOG)
        if sys.platform != "win32":
            Path(place).chmod(0o600)
    except OSError as error:
        raise HostError(
            f"{place}: the engine cannot listen there ({reason_of(error)}); remove what is there, or set "
            "MATTEBOX_ENGINE to another folder with a short path."
        ) from error
    return listener


def _identity(place: str) -> tuple[int, int] | None:
    if sys.platform == "win32":
        return (0, 0)
    try:
        status = os.lstat(place)
    except OSError:
        return None
    return status.st_dev, status.st_ino
