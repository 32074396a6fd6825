"""Decoders' own prints kept off the user's terminal: libraw and OpenCV write to the process's stderr."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# libraw's default callbacks (LibRaw's libraw_datastream and utils), OpenCV's log.
_PRINTED: Final = re.compile(
    rb"^(?:.*: (?:data corrupted at|unexpected end of file).*|\[ ?(?:WARN|ERROR|INFO):\d.*)\n?",
    re.MULTILINE,
)
_STDERR: Final = 2


class _Silence:
    """One redirection for all threads that decode: the first in makes it, the last out takes it back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._saved = -1
        self._kept: IO[bytes] | None = None

    def enter(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside > 1:
                return
            self._kept = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the last one out
            sys.stderr.flush()
            self._saved = os.dup(_STDERR)
            os.dup2(self._kept.fileno(), _STDERR)

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside or self._kept is None:
                return
            sys.stderr.flush()
            os.dup2(self._saved, _STDERR)
            os.close(self._saved)
            self._kept.seek(0)
            # What other threads wrote meanwhile is theirs, and comes a little later.
            rest = _PRINTED.sub(b"", self._kept.read())
            self._kept.close()
            self._kept = None
            if rest:
                os.write(_STDERR, rest)


_SILENCE: Final = _Silence()


@contextmanager
def silenced() -> Iterator[None]:
    """Nothing that decoders print inside of it reaches stderr; everything else does, at its end."""
    try:
        os.fstat(_STDERR)
    except OSError:  # a service without a stderr
        yield
        return
    _SILENCE.enter()
    try:
        yield
    finally:
        _SILENCE.leave()
