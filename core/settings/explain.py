"""Pydantic's errors as sentences for the user."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from mattebox.core.settings.sentences import sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import ValidationError


def explain(error: ValidationError, model: type[BaseModel], prefix: str = "") -> str:
    """The first mistake that `error` found in data for `model`, as one sentence without a full stop.

    prefix: the path of the data's own place, such as cut or output; the sentence begins with the whole path.
    """
    mistakes = error.errors(include_url=False)
    # A misspelt key is the cause where a key is missing too.
    unknown = (mistake for mistake in mistakes if mistake["type"] == "extra_forbidden")
    first: dict[str, Any] = dict(next(unknown, mistakes[0]))
    parts = _parts(model, first["loc"], unknown=first["type"] == "extra_forbidden")
    place = ".".join(part for part in (prefix, *map(str, parts)) if part)
    if first["type"] == "extra_forbidden":
        *above, last = parts
        known = {name for one in models_at(model, above) for name in one.model_fields}
        return f"{place}: there is no such key{nearest(str(last), known)}"
    said = sentence(first)
    return f"{place}: {said}" if place else said


def as_sentence(clause: str) -> str:
    """A clause with its full stop, unless it ends as a question."""
    return clause if clause.endswith("?") else f"{clause}."


def models_at(model: type[BaseModel], path: Sequence[str | int]) -> list[type[BaseModel]]:
    """The models that can stand at a path below `model`; none where the path leads nowhere."""
    found = [model]
    for part in path:
        found = [
            below
            for one in found
            if part in one.model_fields
            for below in _models_in(one.model_fields[str(part)].annotation)
        ]
    return found


def nearest(word: str, known: Iterable[str]) -> str:
    """'; did you mean X?' where a known word is near, else the list of known words, else nothing."""
    words = sorted(known)
    close = get_close_matches(word, words, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known are {', '.join(words)}" if words else ""


def _parts(
    model: type[BaseModel], location: Sequence[str | int], *, unknown: bool = False
) -> list[str | int]:
    """A mistake's place without pydantic's names of a setting's variants; an `unknown` key is kept."""
    parts: list[str | int] = []
    for part in location[: len(location) - unknown]:
        if isinstance(part, int) or any(part in one.model_fields for one in models_at(model, parts)):
            parts.append(part)
    return [*parts, location[-1]] if unknown else parts


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
