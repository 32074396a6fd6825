"""bits: 8 or 16 a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from mattebox.daemon.config.conditions.base import Condition, as_list

if TYPE_CHECKING:
    from mattebox.daemon.config.facts import Facts

Depths = Annotated[list[Literal[8, 16]], BeforeValidator(as_list), Field(min_length=1)]


def _why_not(wanted: list[int], facts: Facts) -> str | None:
    found = facts.photo.bits
    return None if found in wanted else f"it has {found} bits a channel"


CONDITIONS: Final = (Condition("bits", Depths, _why_not, "bits a channel, 8 or 16"),)
