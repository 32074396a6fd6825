"""colour: gray, rgb or cmyk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from mattebox.daemon.config.conditions.base import Condition, as_list

if TYPE_CHECKING:
    from mattebox.daemon.config.facts import Facts

Colours = Annotated[list[Literal["gray", "rgb", "cmyk"]], BeforeValidator(as_list), Field(min_length=1)]


def _why_not(wanted: list[str], facts: Facts) -> str | None:
    found = facts.photo.mode
    return None if found in wanted else f"its colours are {found}, not {' or '.join(wanted)}"


CONDITIONS: Final = (Condition("colour", Colours, _why_not, "gray, rgb or cmyk"),)
