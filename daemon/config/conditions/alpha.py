"""has_alpha: whether the photo comes with an alpha channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import StrictBool

from mattebox.daemon.config.conditions.base import Condition

if TYPE_CHECKING:
    from mattebox.daemon.config.facts import Facts


def _why_not(wanted: bool, facts: Facts) -> str | None:
    if facts.photo.has_alpha == wanted:
        return None
    return "it has no alpha" if wanted else "it has an alpha channel"


CONDITIONS: Final = (Condition("has_alpha", StrictBool, _why_not, "whether it has an alpha channel"),)
