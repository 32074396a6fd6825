"""Condition: one key of `when:`, the type of its argument and its test."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mattebox.daemon.config.facts import Facts


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition.

    argument: the (pydantic) type of what the user writes.
    why_not: None where the condition holds for the facts, else the reason in a few words.
    never: a sentence where this argument can never match any file, else None.
    """

    name: str
    argument: Any
    why_not: Callable[[Any, Facts], str | None]
    help: str
    never: Callable[[Any], str | None] = lambda _: None


def as_list(value: Any) -> Any:
    """A lone value as a list of one, so that `extension: jpg` is as good as `extension: [jpg]`."""
    return value if isinstance(value, list | tuple | set | frozenset) else [value]


def glob_matches(text: str, patterns: Iterable[str]) -> bool:
    """Whether a whole text fits one of the patterns (*, ?, [abc]); case is folded."""
    return any(fnmatchcase(text.casefold(), pattern.casefold()) for pattern in patterns)


def bounds(
    what: str, argument: Any, measure: Callable[[Facts], float], show: Callable[[float], str]
) -> tuple[Condition, Condition]:
    """The conditions min_WHAT and max_WHAT (both inclusive) of a measured quantity."""

    def too_small(limit: float, facts: Facts) -> str | None:
        found = measure(facts)
        return f"its {what} is {show(found)}, below {show(limit)}" if found < limit else None

    def too_large(limit: float, facts: Facts) -> str | None:
        found = measure(facts)
        return f"its {what} is {show(found)}, above {show(limit)}" if found > limit else None

    return (
        Condition(f"min_{what}", argument, too_small, f"the smallest {what} taken"),
        Condition(f"max_{what}", argument, too_large, f"the largest {what} taken"),
    )
