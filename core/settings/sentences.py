"""What pydantic found wrong with one value, in words for the person who wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_SHOWN: Final = 80
_WORDS: Final[dict[str, str]] = {
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "finite_number": "write a number that has an end",
    "float_parsing": "write a number, without a unit",
    "float_type": "write a number, without a unit",
    "int_from_float": "write a whole number",
    "int_parsing": "write a whole number, without a unit",
    "int_parsing_size": "this number is too large",
    "int_type": "write a whole number",
    "list_type": "write a list, such as [one, two]",
    "mapping_type": "write keys with values, such as {key: value}",
    "dict_type": "write keys with values, such as {key: value}",
    "model_attributes_type": "write keys with values, such as {key: value}",
    "missing": "this key is missing",
    "model_type": "write keys with values, such as {key: value}",
    "path_type": "write a path",
    "set_type": "write a list, such as [one, two]",
    "string_type": "write a text, in quotes",
    "string_unicode": "write a text",
    "tuple_type": "write a list, such as [one, two]",
}
_MEASURED: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "greater_than": lambda ctx: f"write more than {ctx['gt']:g}",
    "greater_than_equal": lambda ctx: f"write at least {ctx['ge']:g}",
    "less_than": lambda ctx: f"write less than {ctx['lt']:g}",
    "less_than_equal": lambda ctx: f"write at most {ctx['le']:g}",
    "literal_error": lambda ctx: f"write {ctx['expected']}".replace("'", ""),
    "too_long": lambda ctx: f"write at most {ctx['max_length']}",
    "too_short": lambda ctx: f"write at least {ctx['min_length']}",
    "string_too_long": lambda ctx: f"write at most {ctx['max_length']} letters",
    "string_too_short": lambda ctx: f"write at least {ctx['min_length']} letters",
}


def sentence(mistake: Mapping[str, Any]) -> str:
    """One of pydantic's error dictionaries as a clause without a full stop, with what was given.

    Source of the types and their contexts: pydantic's documentation, "Validation errors".
    """
    kind, context = str(mistake["type"]), mistake.get("ctx", {})
    if kind in _MEASURED:
        words = _MEASURED[kind](context)
    else:
        words = _WORDS.get(kind, str(mistake["msg"]).removeprefix("Value error, "))
    given = mistake.get("input")
    hint = ""
    if (
        kind == "less_than_equal"
        and context["le"] == 1
        and isinstance(given, int | float)
        and 1 < given <= 100
    ):
        hint = f"; for {given:g} % write {given / 100:g}"
    return f"{words[:1].lower()}{words[1:].rstrip('.')}{hint}{_shown(given)}"


def _shown(given: object) -> str:
    """What was given, where that is short; Python refuses to write out whole numbers of 4,300 digits."""
    huge = isinstance(given, int) and given.bit_length() > 4 * _SHOWN
    if huge or not isinstance(given, str | int | float) or len(str(given)) >= _SHOWN:
        return ""
    return f" (given: {given!r})"


def real_location(location: Sequence[str | int], data: object) -> tuple[str | int, ...]:
    """The location without the names of variants that pydantic puts into it, found by walking `data`.

    What stands last stays where `data` is a mapping there: it may be a key that is missing.
    """
    found: list[str | int] = []
    for number, part in enumerate(location):
        last = number == len(location) - 1
        if isinstance(data, dict) and (part in data or (last and isinstance(part, str))):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            continue
        found.append(part)
    return tuple(found)


def alternatives(sentences: Iterable[str]) -> str:
    """What several variants ask of one value, as one clause: "write at least 1 or write 'auto'"."""
    told = list(dict.fromkeys(sentences))
    given = next((text[text.rindex(" (given:") :] for text in told if " (given:" in text), "")
    return " or ".join(text.removesuffix(given) for text in told) + given
