"""has_profile: whether the photo carries an ICC profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import StrictBool

from mattebox.daemon.config.conditions.base import Condition

if TYPE_CHECKING:
    from mattebox.daemon.config.facts import Facts


def _why_not(wanted: bool, facts: Facts) -> str | None:
    if facts.photo.has_icc == wanted:
        return None
    return "it has no ICC profile" if wanted else "it has an ICC profile"


CONDITIONS: Final = (Condition("has_profile", StrictBool, _why_not, "whether it carries an ICC profile"),)
