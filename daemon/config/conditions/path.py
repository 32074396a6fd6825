"""path: the file's place below the watched folder."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BeforeValidator, Field

from mattebox.daemon.config.conditions.base import Condition, as_list

if TYPE_CHECKING:
    from mattebox.daemon.config.facts import Facts

_SIGNS: Final = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
Paths = Annotated[list[str], BeforeValidator(as_list), Field(min_length=1)]


def _why_not(patterns: list[str], facts: Facts) -> str | None:
    if any(path_pattern(pattern).fullmatch(facts.path) for pattern in patterns):
        return None
    return f"its path does not fit {' or '.join(patterns)}"


@lru_cache(maxsize=256)
def path_pattern(pattern: str) -> re.Pattern[str]:
    """A path glob as a regular expression: ** crosses folders, * and ? do not; case is folded."""
    parts = re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", pattern.strip("/"))
    text = "".join(_SIGNS.get(part, re.escape(part)) for part in parts)
    return re.compile(text, re.IGNORECASE | re.DOTALL)


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
