"""Settling: a file is ready when nothing about it changed for a while, by a clock that never jumps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Hashable

    from mattebox.daemon.journal.identity import Identity

# Waiting between looks grows from here where nothing is waited for before the first.
_SHORTEST: Final = 0.1


@dataclass(slots=True)
class _Seen:
    found: Identity
    since: float
    first: float
    not_before: float
    looks: int = 0


class Settling:
    """Pure bookkeeping of files that are not ready yet; times are those of a monotonic clock."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, _Seen] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._seen

    def observe(self, key: Hashable, found: Identity | None, now: float, settle: float) -> bool:
        """Whether a file is ready: the same for `settle` seconds. None (it is gone) forgets it."""
        if found is None:
            self._seen.pop(key, None)
            return False
        seen = self._seen.get(key)
        if seen is None or seen.found != found:
            first = seen.first if seen else now
            self._seen[key] = _Seen(found, now, first, now + settle)
            return False
        return now >= seen.not_before

    def due(self, now: float) -> list[Hashable]:
        """The files that are worth another look at their identity, in the order in which they came."""
        return [key for key, seen in self._seen.items() if seen.not_before <= now]

    def back_off(self, key: Hashable, now: float, settle: float) -> int:
        """A ready file turned out not to be: wait, longer each time; how often that was."""
        seen = self._seen[key]
        seen.looks += 1
        seen.not_before = now + min(max(settle, _SHORTEST) * 2**seen.looks, max(60.0, settle))
        return seen.looks

    def unchanged_for(self, key: Hashable, now: float) -> float:
        """Seconds since the file last changed."""
        return now - self._seen[key].since

    def oldest(self, now: float) -> float:
        """Seconds since the longest-waiting file was first seen; 0 without files."""
        return max((now - seen.first for seen in self._seen.values()), default=0.0)

    def next_due(self) -> float | None:
        """When the next file may be ready."""
        return min((seen.not_before for seen in self._seen.values()), default=None)

    def forget(self, key: Hashable) -> None:
        """Stop watching a file."""
        self._seen.pop(key, None)
