"""orientation: landscape, portrait or square, as seen upright."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from mattebox.daemon.config.conditions.base import Condition, as_list

if TYPE_CHECKING:
    from mattebox.daemon.config.facts import Facts

Orientations = Annotated[
    list[Literal["landscape", "portrait", "square"]], BeforeValidator(as_list), Field(min_length=1)
]


def _why_not(wanted: list[str], facts: Facts) -> str | None:
    photo = facts.photo
    found = "square" if photo.width == photo.height else "landscape"
    if photo.width < photo.height:
        found = "portrait"
    return None if found in wanted else f"it is {found}, not {' or '.join(wanted)}"


CONDITIONS: Final = (Condition("orientation", Orientations, _why_not, "landscape, portrait or square"),)
