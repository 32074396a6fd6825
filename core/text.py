"""Text for a screen or a log: what a file's name holds can neither break a line nor turn it around."""

from __future__ import annotations

import unicodedata
from typing import Final

# Controls, line and paragraph separators, and halves of characters that no terminal can show.
_UNSHOWN: Final = frozenset({"Cc", "Zl", "Zp", "Cs"})
# Marks that change the direction in which what follows is read.
_DIRECTIONS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str) -> str:
    """One line of text: control characters, and bytes that are no UTF-8, are shown as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(sign) for sign in text)


def _shown(sign: str) -> str:
    if unicodedata.category(sign) in _UNSHOWN or sign in _DIRECTIONS:
        return sign.encode("unicode_escape").decode("ascii")
    return sign
