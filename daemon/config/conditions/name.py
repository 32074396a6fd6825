"""name and name_regex: the file's own name."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Final

import regex
from pydantic import AfterValidator, BeforeValidator, Field

from mattebox.daemon.config.conditions.base import Condition, as_list, glob_matches

if TYPE_CHECKING:
    from mattebox.daemon.config.facts import Facts

# A name of 255 signs takes microseconds; an expression with repeats within repeats may take for ever.
_LONGEST: Final = 0.2
# How often each expression has reached that limit in this process; then it is not tried any more, for a
# scan asks every rule about every file.
_TOO_SLOW: Final[Counter[str]] = Counter()
_TRIES: Final = 3
Names = Annotated[list[str], BeforeValidator(as_list), Field(min_length=1)]


def _no_glob(patterns: list[str], facts: Facts) -> str | None:
    return None if glob_matches(facts.name, patterns) else f"its name does not fit {' or '.join(patterns)}"


@lru_cache(maxsize=256)
def _bounded(pattern: str) -> regex.Pattern[str]:
    """The expression for a search with a time limit, which re has not."""
    return regex.compile(pattern)


def _can_be_bounded(pattern: re.Pattern[str]) -> re.Pattern[str]:
    try:
        _bounded(pattern.pattern)
    except regex.error as error:
        raise ValueError("this regular expression is not understood") from error
    return pattern


def _no_regex(pattern: re.Pattern[str], facts: Facts) -> str | None:
    text = pattern.pattern
    if _TOO_SLOW[text] < _TRIES:
        try:
            found = _bounded(text).search(facts.name, timeout=_LONGEST)
        except TimeoutError:
            _TOO_SLOW[text] += 1
        else:
            return None if found else f"its name does not fit /{text}/"
    return f"/{text}/ takes too long to look for; write it without a repeat inside of a repeat"


Expression = Annotated[re.Pattern[str], AfterValidator(_can_be_bounded)]


def _never(patterns: list[str]) -> str | None:
    slashed = next((pattern for pattern in patterns if "/" in pattern), None)
    return f"{slashed!r}: a name holds no slash; use path for folders" if slashed else None


CONDITIONS: Final = (
    Condition("name", Names, _no_glob, "a glob of the file's name", _never),
    Condition("name_regex", Expression, _no_regex, "a regular expression found in the file's name"),
)
