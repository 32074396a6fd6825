"""Starting the engine host, and what it said. Standard library only, Python 3.9 and later."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mattebox.gimp_plugin.mattebox.errors import EngineError
    from mattebox.gimp_plugin.mattebox.words import _
else:
    try:
        from errors import EngineError
        from words import _
    except ImportError:  # imported as a part of mattebox, not run by GIMP
        from mattebox.gimp_plugin.mattebox.errors import EngineError
        from mattebox.gimp_plugin.mattebox.words import _

PATIENCE = 60.0  # seconds until a started host must listen
# GIMP's own Python and libraries must not leak into the engine's.
STRIPPED_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "GI_TYPELIB_PATH")
_TAIL = 8192  # bytes at the end of the log that are looked at
_LONGEST = 300  # characters of one line that are shown
_UNREADY = _(
    "The Mattebox engine was started and did not become ready, so it was ended; nothing was changed. Run "
    "'mattebox engine' in a terminal: it says why."
)
_SILENT = _("The Mattebox engine ended before it was ready and said nothing.")
_INSTALL = _("Run 'mattebox gimp install' again with a mattebox that works in a terminal.")


def log_file(folder: Path) -> Path:
    """Where the words of the last started host are."""
    return folder / "engine.log"


def last_words(folder: Path, lines: int = 5) -> list[str]:
    """The last lines that a host wrote to its standard error, without control characters; [] for none."""
    try:
        with log_file(folder).open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(file.tell() - _TAIL, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    clean = ("".join(mark if mark.isprintable() else " " for mark in line) for line in text.splitlines())
    return [line.strip()[:_LONGEST] for line in clean if line.strip()][-lines:]


def start(command: list[str], folder: Path, variables: dict[str, str]) -> None:
    """Start a host that outlives this process, and wait for its first line. Raises EngineError.

    `folder` is where plug-in and host meet; `variables` are added to the environment. What the host writes
    to its standard error is kept in the folder until the next one starts.
    """
    if Path("/.flatpak-info").exists():
        raise EngineError(
            _(
                "GIMP from Flatpak may not start other programs. Run 'mattebox engine' in a terminal, leave "
                "it open, and try again."
            )
        )
    environment = {name: value for name, value in os.environ.items() if name not in STRIPPED_VARIABLES}
    environment.update(variables)
    windows: dict[str, Any] = {}
    if sys.platform == "win32":
        windows["creationflags"] = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    try:
        with _log_file(folder) as log:
            host = subprocess.Popen(
                [*command, "--announce", "--folder", os.fspath(folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                cwd=Path.home(),
                start_new_session=True,
                **windows,
            )
    except OSError as error:
        raise EngineError(
            _(
                "The Mattebox engine cannot be started ({program}: {reason}); run 'mattebox gimp install' "
                "again."
            ).format(program=command[0], reason=error.strerror)
        ) from error
    line = _first_line(host)
    said: Any = {}
    with contextlib.suppress(ValueError, RecursionError):
        said = json.loads(line)
    if not isinstance(said, dict) or not said.keys() & {"ready", "error"}:
        words = last_words(folder)
        heard = _("The Mattebox engine ended before it was ready; it said: {words}.") if words else _SILENT
        raise EngineError(f"{heard.format(words=words[-1] if words else '')} {_INSTALL}")
    if "error" in said:
        raise EngineError(str(said["error"]))


def _first_line(host: subprocess.Popen[bytes]) -> bytes:
    """What a started host says first. Raises EngineError where it says nothing in PATIENCE."""
    lines = host.stdout
    assert lines is not None  # noqa: S101 - it was asked for
    heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen() -> None:
        with lines:
            heard.put(lines.readline())
        # A host that ends while this process still runs must not stay behind as a zombie.
        host.wait()

    threading.Thread(target=listen, daemon=True).start()
    try:
        return heard.get(timeout=PATIENCE)
    except queue.Empty:
        host.kill()
        raise EngineError(_UNREADY) from None


@contextlib.contextmanager
def _log_file(folder: Path) -> Iterator[IO[bytes] | int]:
    """An empty log that nobody else may read; nowhere, where the folder cannot be written."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        log = os.fdopen(os.open(log_file(folder), flags, 0o600), "wb")
    except OSError:
        yield subprocess.DEVNULL
        return
    with log:
        yield log
