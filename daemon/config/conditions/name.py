"""name and name_regex: the file's own name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BeforeValidator, Field

from mattebox.daemon.config.conditions.base import Condition, as_list, glob_matches

if TYPE_CHECKING:
    from mattebox.daemon.config.facts import Facts

Names = Annotated[list[str], BeforeValidator(as_list), Field(min_length=1)]


def _no_glob(patterns: list[str], facts: Facts) -> str | None:
    return None if glob_matches(facts.name, patterns) else f"its name does not fit {' or '.join(patterns)}"


def _no_regex(pattern: re.Pattern[str], facts: Facts) -> str | None:
    return None if pattern.search(facts.name) else f"its name does not fit /{pattern.pattern}/"


def _never(patterns: list[str]) -> str | None:
    slashed = next((pattern for pattern in patterns if "/" in pattern), None)
    return f"{slashed!r}: a name holds no slash; use path for folders" if slashed else None


CONDITIONS: Final = (
    Condition("name", Names, _no_glob, "a glob of the file's name", _never),
    Condition("name_regex", re.Pattern[str], _no_regex, "a regular expression found in the file's name"),
)
