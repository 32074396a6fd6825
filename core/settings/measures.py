"""Lengths, margins, colours and positions as people write them: 8%, 40px, white, top-left."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from mattebox.core.settings.base import Settings

_LENGTH: Final = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*+(%|px)?\s*")
_HEX: Final = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})")
_RGB: Final = re.compile(r"rgb\(\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*\)")
_SIZE: Final = re.compile(r"\s*([0-9]+)\s*[x×,]\s*([0-9]+)\s*")  # noqa: RUF001 - people write the sign

# The sixteen names of HTML 4 and a few that packshots ask for.
COLOURS: Final[dict[str, tuple[int, int, int]]] = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
    "lightgray": (211, 211, 211),
    "lightgrey": (211, 211, 211),
    "whitesmoke": (245, 245, 245),
    "beige": (245, 245, 220),
    "red": (255, 0, 0),
    "maroon": (128, 0, 0),
    "orange": (255, 165, 0),
    "yellow": (255, 255, 0),
    "olive": (128, 128, 0),
    "lime": (0, 255, 0),
    "green": (0, 128, 0),
    "aqua": (0, 255, 255),
    "teal": (0, 128, 128),
    "blue": (0, 0, 255),
    "navy": (0, 0, 128),
    "fuchsia": (255, 0, 255),
    "purple": (128, 0, 128),
    "pink": (255, 192, 203),
}
_ACROSS: Final = {"left": 0.0, "right": 100.0}
_DOWN: Final = {"top": 0.0, "bottom": 100.0}


class LengthValue(Settings):
    """A length in pixels, or in percent of what the setting names."""

    value: float = Field(ge=0)
    unit: Literal["%", "px"] = "px"

    def pixels(self, whole: float) -> float:
        """The length in pixels, where 100 % are `whole`."""
        return self.value * whole / 100 if self.unit == "%" else self.value


def parse_length(value: Any) -> Any:
    """A text such as "8%", "40px" or 40 as a length's data; anything else unchanged. Raises ValueError."""
    if isinstance(value, bool):
        raise ValueError("a length is a number of pixels or a percentage such as 8%")  # noqa: TRY004 - pydantic's
    if isinstance(value, (int, float)):
        return {"value": value, "unit": "px"}
    if isinstance(value, str):
        match = _LENGTH.fullmatch(value)
        if not match:
            raise ValueError(f"{value!r} is no length; write pixels (40 or 40px) or a percentage (8%)")
        return {"value": float(match[1]), "unit": match[2] or "px"}
    return value


Length = Annotated[
    LengthValue, BeforeValidator(parse_length, json_schema_input_type=LengthValue | float | str)
]


class MarginValue(Settings):
    """A length for each side."""

    top: Length = LengthValue(value=0)
    right: Length = LengthValue(value=0)
    bottom: Length = LengthValue(value=0)
    left: Length = LengthValue(value=0)


def parse_margin(value: Any) -> Any:
    """One length for all sides, two (upright, across) or four (top, right, bottom, left), or by name."""
    if isinstance(value, (str, int, float)):
        parts = value.split() if isinstance(value, str) else [value]
        value = [parse_length(part) for part in parts or [value]]
    if isinstance(value, (list, tuple)):
        if len(value) not in {1, 2, 4}:
            raise ValueError("a margin has one length, two (top and bottom, left and right) or four")
        top, right, bottom, left = (value * 4)[:4] if len(value) < 4 else value
        return {"top": top, "right": right, "bottom": bottom, "left": left}
    return value


Margin = Annotated[
    MarginValue,
    BeforeValidator(parse_margin, json_schema_input_type=MarginValue | float | str | list[float | str]),
]


def parse_colour(value: Any) -> Any:
    """A name, "#rgb", "#rrggbb" or "rgb(r, g, b)" as three numbers. Raises ValueError."""
    if not isinstance(value, str):
        return value
    text = value.strip().lower()
    if text in COLOURS:
        return COLOURS[text]
    match = _HEX.fullmatch(text)
    if match:
        digits = match[1] if len(match[1]) == 6 else "".join(2 * digit for digit in match[1])
        return tuple(int(digits[place : place + 2], 16) for place in (0, 2, 4))
    match = _RGB.fullmatch(text)
    if match:
        return tuple(int(part) for part in match.groups())
    raise ValueError(f"{value!r} is no colour; write #rrggbb, rgb(r, g, b) or a name ({', '.join(COLOURS)})")


_Level = Annotated[int, Field(ge=0, le=255)]
Colour = Annotated[
    tuple[_Level, _Level, _Level],
    BeforeValidator(parse_colour, json_schema_input_type=tuple[_Level, _Level, _Level] | str),
]


def parse_size(value: Any) -> Any:
    """2000 or "2000x1500" as width and height. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (value, value)
    if isinstance(value, str):
        match = _SIZE.fullmatch(value)
        if match:
            return (int(match[1]), int(match[2]))
        if value.strip().isdigit():
            return (int(value), int(value))
        raise ValueError(f"{value!r} is no size; write [2000, 1500], 2000x1500 or 2000 for a square")
    return value


_Side = Annotated[int, Field(ge=1, le=60_000)]
Size = Annotated[
    tuple[_Side, _Side],
    BeforeValidator(parse_size, json_schema_input_type=tuple[_Side, _Side] | _Side | str),
]


def parse_position(value: Any) -> Any:
    """Words: "center", "bottom", "top-left", ... as percent from left and top. Raises ValueError."""
    if not isinstance(value, str):
        return value
    across = down = 50.0
    for word in value.strip().lower().replace("_", "-").split("-"):
        if word in _ACROSS:
            across = _ACROSS[word]
        elif word in _DOWN:
            down = _DOWN[word]
        elif word not in {"center", "centre", "middle"}:
            raise ValueError(f"{value!r} is no position; write center, top, bottom-left, ... or [50, 100]")
    return (across, down)


_Percent = Annotated[float, Field(ge=0, le=100)]
Position = Annotated[
    tuple[_Percent, _Percent],
    BeforeValidator(parse_position, json_schema_input_type=tuple[_Percent, _Percent] | str),
]


def parse_percent(value: Any) -> Any:
    """A text such as "85%" or 85 as 85."""
    return value.strip().removesuffix("%") if isinstance(value, str) else value


Percent = Annotated[float, BeforeValidator(parse_percent, json_schema_input_type=float | str)]
