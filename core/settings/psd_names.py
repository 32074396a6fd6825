"""Names that the parts of a PSD can carry, checked before a photo is cut."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, Field

# Photoshop cannot open a file whose layer names are longer.
_MOST_UNITS: Final = 255


def _printable(name: str) -> str:
    """`name` itself. Raises ValueError for what no editor shows as a name."""
    odd = next((letter for letter in name if unicodedata.category(letter) in {"Cc", "Cs"}), None)
    if odd is not None:
        raise ValueError(f"a name holds no control characters; this one has U+{ord(odd):04X}")
    return name


def _short_in_utf16(name: str) -> str:
    units = len(name.encode("utf-16-be")) // 2
    if units > _MOST_UNITS:
        raise ValueError(
            f"Photoshop opens names of at most {_MOST_UNITS} UTF-16 units, this one has {units}; "
            "an emoji counts as two or more"
        )
    return name


def _in_mac_roman(name: str) -> str:
    """`name` with its accents composed, as its letters stand in the character set."""
    composed = unicodedata.normalize("NFC", name)
    try:
        composed.encode("mac_roman")
    except UnicodeEncodeError as error:
        letter = composed[error.start]
        raise ValueError(
            f"a path's name is stored in Mac Roman (Western European letters), which has no '{letter}'"
        ) from error
    return composed


# A layer, a group or a channel: any script; old readers see a Mac Roman form beside it.
LayerName = Annotated[
    str,
    Field(min_length=1, max_length=200),
    AfterValidator(_printable),
    AfterValidator(_short_in_utf16),
]
# A saved path: the format has no Unicode field for it.
PathName = Annotated[
    str,
    Field(min_length=1, max_length=31),
    AfterValidator(_printable),
    AfterValidator(_in_mac_roman),
]
