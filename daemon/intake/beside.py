"""Beside: what lies together in one watched folder, a photo and its companions, and what lies there alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mattebox.daemon.journal.states import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mattebox.daemon.config.companions import CompanionRules
    from mattebox.daemon.journal.identity import Identity
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.rows import JobRow

# Cameras use names again: what comes a day after its photo is another's.
_LATE: Final = 86400.0
_NEVER: Final = math.inf


@dataclass(slots=True)
class _Stray:
    found: Identity
    due: float
    looked: bool = False


class Beside:
    """The files of one watched folder by what their names have in common; paths are those below the root."""

    def __init__(self, rules: CompanionRules, *, wait: float, follows: bool) -> None:
        """`wait`: seconds until a companion without its photo is looked after. follows: it may be moved."""
        self.rules = rules
        self._wait = wait
        self._follows = follows
        self._groups: dict[tuple[str, str], set[str]] = {}
        self._strays: dict[str, _Stray] = {}

    def see(self, path: str, found: Identity | None, now: float) -> bool:
        """A file is there, or gone; whether it is a companion, and never a photo to be cut."""
        if found is None:
            self._groups.get(self._key(path), set()).discard(path)
            self._strays.pop(path, None)
            return self.rules.is_sidecar(_name(path))
        self._groups.setdefault(self._key(path), set()).add(path)
        known = self._strays.get(path)
        if known is not None and known.found == found:
            return True
        self._strays.pop(path, None)
        if not self.rules.is_sidecar(_name(path)):
            return False
        self.wait_for_photo(path, found, now)
        return True

    def only(self, present: Iterable[str]) -> None:
        """A scan has found these files and no others."""
        self._groups = {}
        for path in present:
            self._groups.setdefault(self._key(path), set()).add(path)
        self._strays = {path: stray for path, stray in self._strays.items() if path in self._group(path)}

    def partner(self, path: str) -> str | None:
        """The other of a RAW and its JPEG, of which one travels."""
        name = _name(path)
        for other in self._group(path):
            theirs = _name(other)
            if self.rules.are_pair(name, theirs) or self.rules.are_pair(theirs, name):
                return other
        return None

    def travels(self, path: str) -> bool:
        """Whether this is the one of a pair that is not cut."""
        return self.rules.may_travel(_name(path))

    def goes_with(self, path: str) -> str | None:
        """The photo beside it that a file goes with; "" for a companion alone, None for a photo."""
        if not self.rules.is_sidecar(_name(path)):
            return self.partner(path) if self.travels(path) else None
        photos = (other for other in self._group(path) if self.rules.belong(_name(path), _name(other)))
        return min(photos, key=lambda other: (self.travels(other), other), default="")

    def companions(self, path: str, waits: Callable[[str], bool]) -> tuple[str, ...]:
        """The names of what goes with a photo; what other photos that wait have too goes with the last."""
        name, group = _name(path), self._group(path)
        mine = [other for other in group if self.rules.belong(_name(other), name)]
        others = [other for other in group if other != path and other not in mine and waits(other)]
        return tuple(
            sorted(
                _name(item)
                for item in mine
                if not any(self.rules.belong(_name(item), _name(other)) for other in others)
            )
        )

    def has_photo(self, path: str) -> bool:
        """Whether the photo of a companion lies there too."""
        return bool(self.goes_with(path))

    def wait_for_photo(self, path: str, found: Identity, now: float) -> None:
        """A companion is to be looked after in a while, unless its photo takes it along."""
        self._strays[path] = _Stray(found, now + self._wait if self._follows else _NEVER)

    def due(self, now: float) -> list[str]:
        """The companions that are to be looked after now."""
        return [path for path, stray in self._strays.items() if stray.due <= now]

    def look_again(self, path: str, when: float = _NEVER) -> None:
        """A companion was looked after and stays; it is not again before `when`, unless it changes."""
        stray = self._strays.get(path)
        if stray is not None:
            stray.due, stray.looked = when, True

    def forget(self, path: str) -> None:
        """A companion is gone, or is a photo like others."""
        self._strays.pop(path, None)

    def busy(self) -> bool:
        """Whether a companion was not looked after yet."""
        return any(not stray.looked and stray.due < _NEVER for stray in self._strays.values())

    def owner(self, journal: Journal, folder: str, path: str, arrived: float) -> JobRow | None:
        """The newest job of this folder whose photo has this companion, if that is not too long ago.

        arrived: when the companion came, in seconds since the epoch.
        """
        tree, _, name = path.rpartition("/")
        inner = self.rules.stem(name)
        stem = path[: len(path) - len(name) + len(inner)]
        for job in journal.newest_of_stem(folder, stem):
            if job.plan.tree == tree and self.rules.belong(name, job.plan.name):
                late = job.state in ENDED and arrived > job.updated + _LATE
                return None if job.state == "returned" or late else job
        return None

    def _group(self, path: str) -> set[str]:
        return self._groups.get(self._key(path), set())

    def _key(self, path: str) -> tuple[str, str]:
        tree, _, name = path.rpartition("/")
        return tree, self.rules.stem(name)


def _name(path: str) -> str:
    return path.rpartition("/")[2]
