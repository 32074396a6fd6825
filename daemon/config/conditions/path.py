"""path: the file's place below the watched folder."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BeforeValidator, Field

from mattebox.daemon.config.conditions.base import Condition, as_list

if TYPE_CHECKING:
    from mattebox.daemon.config.facts import Facts

Paths = Annotated[list[str], BeforeValidator(as_list), Field(min_length=1)]


def _why_not(patterns: list[str], facts: Facts) -> str | None:
    if any(path_pattern(pattern).fullmatch(facts.path) for pattern in patterns):
        return None
    return f"its path does not fit {' or '.join(patterns)}"


class PathPattern:
    """A path glob: ** crosses folders, * and ? do not; case is folded.

    It keeps the set of places that it can be at, so that its time is linear in the path, however many
    signs it has: an expression of as many `.*` would take each of them at every place of the others.
    """

    def __init__(self, pattern: str) -> None:
        """`pattern` is written from the watched folder on, with forward slashes."""
        parts = re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", pattern.strip("/"))
        self._parts = [part for part in parts if part]

    def fullmatch(self, path: str) -> bool:
        """Whether the whole path fits."""
        places = {0}
        for part in self._parts:
            places = _after(part, path, places)
            if not places:
                return False
        return len(path) in places


@lru_cache(maxsize=256)
def path_pattern(pattern: str) -> PathPattern:
    """The path glob of that text."""
    return PathPattern(pattern)


def _after(part: str, path: str, places: set[int]) -> set[int]:
    """Where one part of a glob, begun at any of these places of the path, can end."""
    first, end = min(places), len(path)
    match part:
        case "**/":
            return places | {place + 1 for place in range(first, end) if path[place] == "/"}
        case "/**":
            slash = min((place for place in places if path[place : place + 1] == "/"), default=end)
            return set(range(slash + 1, end + 1))
        case "**":
            return set(range(first, end + 1))
        case "*":
            reached = set(places)
            for place in range(first, end):
                if place in reached and path[place] != "/":
                    reached.add(place + 1)
            return reached
        case "?":
            return {place + 1 for place in places if place < end and path[place] != "/"}
        case _:
            literal = re.compile(re.escape(part), re.IGNORECASE)
            return {place + len(part) for place in places if literal.match(path, place)}


def _never(patterns: list[str]) -> str | None:
    for pattern in patterns:
        if ".." in pattern.split("/"):
            return f"{pattern!r} leaves the watched folder; a path is written from that folder on"
        if pattern.startswith(("/", "~")) or "\\" in pattern:
            return f"{pattern!r}: a path is written from the watched folder on, with forward slashes"
    return None


CONDITIONS: Final = (
    Condition("path", Paths, _why_not, "a glob of the path below the folder; ** crosses folders", _never),
)
