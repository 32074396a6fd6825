"""exif: EXIF fields by glob, such as {Model: "Canon*"}; all of them must fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, Field

from mattebox.daemon.config.conditions.base import Condition, as_list, glob_matches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mattebox.daemon.config.facts import Facts


def _as_text(value: Any) -> Any:
    # An unquoted number (ISOSpeedRatings: 100) means its text.
    return [str(item) if isinstance(item, int | float) else item for item in as_list(value)]


Fields = Annotated[
    dict[str, Annotated[list[str], BeforeValidator(_as_text), Field(min_length=1)]], Field(min_length=1)
]


def fields_why_not(wanted: Mapping[str, list[str]], found: Mapping[str, object], block: str) -> str | None:
    """The first of the wanted fields that is missing or does not fit, in words, or None."""
    by_name = {name.casefold(): value for name, value in found.items()}
    for name, patterns in wanted.items():
        value = by_name.get(name.casefold())
        if value is None:
            return f"it has no {block} field {name}"
        texts = [str(item).strip("\0 ") for item in as_list(value)]
        if not any(glob_matches(text, patterns) for text in (*texts, " ".join(texts))):
            return f"its {block} {name} is {' '.join(texts)!r}, not {' or '.join(patterns)}"
    return None


def _why_not(wanted: dict[str, list[str]], facts: Facts) -> str | None:
    return fields_why_not(wanted, facts.photo.exif, "EXIF")


CONDITIONS: Final = (Condition("exif", Fields, _why_not, "EXIF fields by glob, all of which must fit"),)
