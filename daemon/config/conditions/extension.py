"""extension: the file's ending."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field

from mattebox.daemon.config.conditions.base import Condition, as_list

if TYPE_CHECKING:
    from mattebox.daemon.config.facts import Facts

Extensions = Annotated[
    list[str],
    BeforeValidator(as_list),
    Field(min_length=1),
    AfterValidator(lambda endings: [ending.removeprefix(".").lower() for ending in endings]),
]


def _why_not(endings: list[str], facts: Facts) -> str | None:
    _, dot, ending = facts.name.rpartition(".")
    if dot and ending.lower() in endings:
        return None
    return f"its ending is not {' or '.join(endings)}"


def _never(endings: list[str]) -> str | None:
    odd = [ending for ending in endings if not ending or any(sign in ending for sign in "*?/. ")]
    if odd:
        return f"no file ends in {odd[0]!r}; write endings without dots and stars, such as jpg"
    return None


CONDITIONS: Final = (Condition("extension", Extensions, _why_not, "the file's ending, any case", _never),)
