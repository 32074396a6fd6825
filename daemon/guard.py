"""The boundary: what a disk, a share or a peer refuses is told once, tried again later, and ends nothing."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from http.client import HTTPException
from typing import TYPE_CHECKING, Final

from mattebox.core.errors import MatteboxError, reason_of
from mattebox.daemon.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from mattebox.daemon.events import Events

# What the world around the daemon may say no with; anything else is a mistake of ours.
REFUSALS: Final = (OSError, MatteboxError, ValueError, sqlite3.Error, HTTPException)
# The places and the disks, not the photo: waiting may help, and no attempt is spent.
_NAMES: Final = (
    "ENOSPC EDQUOT EROFS EACCES EPERM ENODEV ENXIO ESTALE EIO ENOTCONN EHOSTDOWN EHOSTUNREACH ETIMEDOUT "
    "EMFILE ENFILE"
)
ENVIRONMENT: Final = frozenset(getattr(errno, name) for name in _NAMES.split() if hasattr(errno, name))
_FIRST_PAUSE: Final = 1.0
_MOST_PAUSE: Final = 60.0


def refusal(error: Exception) -> str:
    """Why something was refused, and which file, as a sentence; Python's own way of writing it is not one."""
    if isinstance(error, MatteboxError):
        return str(error)
    name = ""
    if isinstance(error, OSError) and isinstance(error.filename, str | bytes):
        name = f"{os.fsdecode(error.filename)}: "
    return f"{name}{reason_of(error)}."


def has_errno(error: BaseException | None, numbers: Container[int | None]) -> bool:
    """Whether an error, or what it came from, is the system's with one of these numbers."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in numbers:
            return True
        error = error.__cause__ or error.__context__
    return False


class Boundary:
    """One thing that is done again and again: whether it is held up, and when it is tried next.

    held: why it could not be done, or "".
    """

    def __init__(
        self,
        hold: Callable[[str], None],
        release: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`hold` hears once of each kind of refusal, `release` once that it is over."""
        self.held = ""
        self.refusals = 0
        self._hold = hold
        self._release = release
        self._clock = clock
        self._kind: tuple[type, int | None] | None = None
        self._until = 0.0

    @property
    def waits(self) -> bool:
        """Whether it is too early to try again."""
        return self._clock() < self._until

    def run(self, do: Callable[[], object]) -> bool:
        """Do it, unless it is too early; whether it was done. The journal's refusals are raised."""
        if self.waits:
            return False
        try:
            do()
        except JournalError:
            raise
        except REFUSALS as error:
            self.refused(error)
            return False
        self.over()
        return True

    def refused(self, error: Exception) -> None:
        """Note a refusal: it is told if it is the first of its kind, and the wait grows."""
        self._until = self._clock() + min(_FIRST_PAUSE * 2**self.refusals, _MOST_PAUSE)
        self.refusals = min(self.refusals + 1, 16)
        kind = (type(error), error.errno if isinstance(error, OSError) else None)
        if kind != self._kind:
            self._kind, self.held = kind, refusal(error)
            self._hold(self.held)

    def over(self) -> None:
        """Note that it was done: told if it could not be before."""
        self._until, self.refusals = 0.0, 0
        if self._kind is not None:
            self._kind, self.held = None, ""
            self._release()


class Guards:
    """The boundaries of one run, by what is done and for which folder."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._boundaries: dict[tuple[str, str], Boundary] = {}
        self._told: set[tuple[str, str, str]] = set()

    def run(self, what: str, do: Callable[[], object], folder: str = "") -> bool:
        """Do what may be refused; `what` says what cannot be done then. Whether it was done.

        The journal's refusals are raised: they hold up everything.
        """
        return self.of(what, folder).run(do)

    def tell_once(self, event: str, folder: str, why: str) -> None:
        """Tell what is so for long once in this run."""
        if (event, folder, why) not in self._told:
            self._told.add((event, folder, why))
            self._events.emit(event, folder, why=why)

    def of(self, what: str, folder: str = "") -> Boundary:
        """The boundary around one thing."""
        found = self._boundaries.get((what, folder))
        if found is None:
            found = Boundary(
                lambda why: self._events.emit("held", folder, why=f"{what}; it is tried again: {why}"),
                lambda: self._events.emit("back", folder, what=what),
            )
            self._boundaries[what, folder] = found
        return found
