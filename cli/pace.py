"""How many photos a minute a run does, and how long the rest takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST: Final = 10
_MINUTE: Final = 60


class Pace:
    """Counts what is done, and has a line after the tenth, the hundredth, the thousandth photo."""

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`total` photos are to come; the clock starts with the first that is done, when all is loaded."""
        self._total, self._clock = total, clock
        self._done, self._next = 0, FIRST
        self._begun = 0.0

    def line(self) -> str | None:
        """One more is done: the line where it is time for one and something is left."""
        self._done += 1
        if self._done == 1:
            self._begun = self._clock()
        left = self._total - self._done
        if self._done < self._next or not left:
            return None
        self._next *= 10
        seconds = (self._clock() - self._begun) / (self._done - 1)
        if seconds <= 0:
            return None
        return (
            f"{self._done} of {self._total}: {_MINUTE / seconds:.0f} a minute, {_about(left * seconds)} left."
        )


def _about(seconds: float) -> str:
    """A time as a person says it."""
    minutes = round(seconds / _MINUTE)
    if minutes < 1:
        return "less than a minute"
    if minutes < 2 * _MINUTE:
        return "about a minute" if minutes == 1 else f"about {minutes} minutes"
    return f"about {round(minutes / _MINUTE)} hours"
