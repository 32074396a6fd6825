"""Pydantic's errors as sentences for the user."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel, ValidationError


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The first mistake that `error` found in data for `model`, as one sentence without a full stop."""
    first = error.errors(include_url=False)[0]
    return explain_one(dict(first), model.model_fields)


def explain_one(mistake: dict[str, Any], known: Iterable[str]) -> str:
    """One of pydantic's error dictionaries as a sentence; `known` are the keys that would be right."""
    place = ".".join(str(part) for part in mistake["loc"])
    if mistake["type"] == "extra_forbidden":
        return f"{place}: there is no such key{nearest(str(mistake['loc'][-1]), known)}"
    message = str(mistake["msg"]).removeprefix("Value error, ")
    given = mistake.get("input")
    shown = f" (given: {given!r})" if isinstance(given, str | int | float | bool) else ""
    return f"{place}: {message[:1].lower()}{message[1:]}{shown}"


def nearest(word: str, known: Iterable[str]) -> str:
    """'; did you mean X?' where a known word is near, else the list of known words, else nothing."""
    words = sorted(known)
    close = get_close_matches(word, words, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known are {', '.join(words)}" if words else ""
