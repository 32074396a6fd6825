"""Which choices of the dialog have an effect beside the others; those without one are gray.

Standard library only, Python 3.9 and later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Value = Callable[[str], Any]

# `value` gives a choice's value by its name, `forbidding` names networks that are not for commercial use.
EFFECTS: dict[str, Callable[[Value, Collection[str]], bool]] = {
    "existing": lambda value, _: value("result") in ("mask", "selection") or value("and-selection"),
    "and-selection": lambda value, _: value("result") != "selection",
    "and-channel": lambda value, _: value("result") != "channel",
    "on-copy": lambda value, _: value("result") == "mask",
    "model": lambda value, _: value("rule-file") is None,
    "quality": lambda value, _: value("rule-file") is None,
    "refine": lambda value, _: value("rule-file") is None,
    "rule": lambda value, _: value("rule-file") is not None,
    "accept-licence": lambda value, forbidding: value("rule-file") is None and value("model") in forbidding,
}


def has_effect(name: str, value: Value, forbidding: Collection[str]) -> bool:
    """Whether a choice has an effect beside the others."""
    return name not in EFFECTS or EFFECTS[name](value, forbidding)
