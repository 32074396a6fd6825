"""Names of files: how long one may be, and how a name that we derive is made to fit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

LONGEST: Final = 255
# What is longer than this after the last dot is a part of the name, not its ending.
_LONGEST_ENDING: Final = 32


def fit(stem: str, ending: str = "", *, most: int = LONGEST) -> str:
    """`stem` + `ending` in at most `most` bytes: where it would be longer, the stem loses whole characters.

    The ending (which holds its own dot) stays as it is, unless it alone would be too long. Where nothing
    would be left of the stem, it is an underscore.
    """
    room = most - len(os.fsencode(ending))
    if room < 1:
        return fit(stem + ending, most=most)
    raw = os.fsencode(stem)
    if len(raw) > room:
        # As many characters as bytes fit at most; then one at a time.
        stem = stem[:room]
        while len(os.fsencode(stem)) > room:
            stem = stem[:-1]
    return f"{stem or '_'}{ending}"


def split(name: str) -> tuple[str, str]:
    """A name's stem and its ending with the dot; "" where it has none, or one too long to be an ending."""
    stem, dot, ending = name.rpartition(".")
    if not stem or len(os.fsencode(ending)) > _LONGEST_ENDING:
        return name, ""
    return stem, f"{dot}{ending}"


def longest_in(folder: Path) -> int:
    """How many bytes a name in a folder may have: 255, or less where its file system says so."""
    try:
        return min(LONGEST, os.pathconf(folder, "PC_NAME_MAX"))
    except (AttributeError, OSError, ValueError):
        return LONGEST
