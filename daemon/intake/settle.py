"""Settling: a file is ready when nothing about it changed for a while, by a clock that never jumps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from mattebox.daemon.journal.identity import Identity

# Waiting between checks grows from here where nothing is waited for before the first.
_SHORTEST: Final = 0.1


@dataclass(slots=True)
class _Observation:
    found: Identity
    since: float
    first: float
    not_before: float
    checks: int = 0


class Settling:
    """Pure bookkeeping of files that are not ready yet; times are those of a monotonic clock."""

    def __init__(self) -> None:
        self._observations: dict[Hashable, _Observation] = {}

    def __len__(self) -> int:
        return len(self._observations)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._observations

    def observe(self, key: Hashable, found: Identity | None, now: float, settle: float) -> bool:
        """Whether a file is ready: the same for `settle` seconds. None (it is gone) forgets it."""
        if found is None:
            self._observations.pop(key, None)
            return False
        observation = self._observations.get(key)
        if observation is None or observation.found != found:
            first = observation.first if observation else now
            self._observations[key] = _Observation(found, now, first, now + settle)
            return False
        return now >= observation.not_before

    def due(self, now: float) -> Iterator[Hashable]:
        """The files whose identity is worth another check, in the order in which they came."""
        # Of thousands that wait only the first few are taken at a time; some are forgotten meanwhile.
        for key in list(self._observations):
            observation = self._observations.get(key)
            if observation is not None and observation.not_before <= now:
                yield key

    def back_off(self, key: Hashable, now: float, settle: float) -> int:
        """A ready file turned out not to be: wait, longer each time; how often that was."""
        observation = self._observations[key]
        observation.checks += 1
        observation.not_before = now + min(max(settle, _SHORTEST) * 2**observation.checks, max(60.0, settle))
        return observation.checks

    def unchanged_for(self, key: Hashable, now: float) -> float:
        """Seconds since the file last changed."""
        return now - self._observations[key].since

    def oldest(self, now: float) -> float:
        """Seconds since the longest-waiting file was first seen; 0 without files."""
        return max((now - observation.first for observation in self._observations.values()), default=0.0)

    def next_due(self, now: float) -> float | None:
        """When the next file may be ready; some time that is over, where one may be already."""
        soonest = None
        for observation in self._observations.values():
            if observation.not_before <= now:
                return observation.not_before
            if soonest is None or observation.not_before < soonest:
                soonest = observation.not_before
        return soonest

    def forget(self, key: Hashable) -> None:
        """Stop watching a file."""
        self._observations.pop(key, None)
