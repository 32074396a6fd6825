"""The rendezvous of plug-in and engine host, a private folder: its place, its key, and who may hold it."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from mattebox.core.errors import MatteboxError
from mattebox.gimp_plugin.mattebox import protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


def package_version() -> str:
    """The version of this mattebox, or "checkout" where it runs without being installed."""
    try:
        return version("mattebox")
    except PackageNotFoundError:
        return "checkout"


class HostError(MatteboxError):
    """The engine host cannot run here."""


def require_short(folder: Path) -> None:
    """Raise HostError where a socket in this folder would have a longer path than systems take.

    sun_path holds 108 bytes on Linux and 104 on macOS and BSD, a zero at the end among them (unix(7)).
    """
    place = protocol.address(folder)
    limit = 107 if sys.platform == "linux" else 103
    if protocol.family() == "AF_UNIX" and len(os.fsencode(place)) > limit:
        raise HostError(
            f"{place}: a socket's path may have {limit} bytes at most, so plug-in and engine cannot meet "
            "there; set MATTEBOX_ENGINE to a folder with a shorter path and run 'mattebox gimp install'."
        )


class AlreadyRunningError(HostError):
    """Another host holds the folder."""


def default_folder() -> Path:
    """MATTEBOX_ENGINE, or a folder below the user's home, which GIMP from Flatpak can reach too."""
    chosen = os.environ.get("MATTEBOX_ENGINE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_path  # noqa: PLC0415 - only where the variable is not set

    return user_cache_path("mattebox", appauthor=False) / "engine"


@contextlib.contextmanager
def acquire(folder: Path) -> Iterator[bytes]:
    """Hold the folder as the one host in it, and yield the new key. Raises HostError.

    The operating system lets go of the lock when the process ends, however it ends.
    """
    require_short(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        private = protocol.is_private(folder)
    except OSError as error:
        raise HostError(f"{folder}: the engine's folder cannot be made ({error.strerror}).") from error
    if not private:
        raise HostError(
            f"{folder} can be entered by other users of this computer; run 'chmod 700' on it, or remove it."
        )
    lock = FileLock(folder / "engine.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise AlreadyRunningError("A Mattebox engine is running already.") from error
    except OSError as error:
        raise HostError(f"{folder}: the engine's folder cannot be used ({error.strerror}).") from error
    try:
        key = secrets.token_hex(32).encode("ascii")
        _write_key(folder, key)
        yield key
    finally:
        with contextlib.suppress(OSError):
            protocol.key_file(folder).unlink()
        lock.release()


def _write_key(folder: Path, key: bytes) -> None:
    path = protocol.key_file(folder)
    staged = folder / "engine.key.new"
    try:
        staged.unlink(missing_ok=True)
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
        staged.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            staged.unlink()
        raise HostError(f"{path}: the engine's key cannot be written ({error.strerror}).") from error
