"""FinishSettings: what happens to a cutout before it is written."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from mattebox.core.settings.base import Settings
from mattebox.core.settings.measures import (
    Colour,
    Length,
    LengthValue,
    Margin,
    MarginValue,
    Percent,
    Position,
    Size,
    parse_colour,
)
from mattebox.core.settings.presets import load_preset

_BLUR: Final = "4%"
_IMAGE: Final = re.compile(
    r"(/|\\|\.(jpe?g|png|tiff?|webp|bmp|gif|psd|psb|avif|hei[cf]|hif|jxl|jp2))", re.IGNORECASE
)


class BackgroundValue(Settings):
    """What lies behind the subject: nothing, a colour, an image file or the blurred original."""

    colour: Colour | None = Field(None, description="an sRGB colour")
    image: Path | None = Field(None, description="a file that covers the canvas; relative to the YAML file")
    blur: Length | None = Field(None, description="the original, blurred; percent of its longer side")

    @model_validator(mode="after")
    def _one(self) -> BackgroundValue:
        if sum(value is not None for value in (self.colour, self.image, self.blur)) > 1:
            raise ValueError("a background is one of colour, image and blur")
        return self


def parse_background(value: Any, info: ValidationInfo) -> Any:
    """A text: "none", "white", "#fff", "blur" or a file's name as a background's data. Raises ValueError."""
    if isinstance(value, str):
        text = value.strip()
        if text.lower() == "none":
            return {}
        if text.lower() == "blur":
            return {"blur": _BLUR}
        value = {"image": text} if _IMAGE.search(text) else {"colour": _colour(text)}
    if isinstance(value, dict) and isinstance(value.get("image"), str):
        return {**value, "image": str(_base(info) / Path(value["image"]).expanduser())}
    return {} if value is None else value


def _colour(text: str) -> Any:
    try:
        return parse_colour(text)
    except ValueError as error:
        raise ValueError(f"{error}; or write none, blur or the name of an image file") from None


def _base(info: ValidationInfo) -> Path:
    """The folder that relative paths start from: what the caller validates with, else the current one."""
    context = info.context if isinstance(info.context, dict) else {}
    return Path(context.get("base", ""))


Background = Annotated[
    BackgroundValue,
    BeforeValidator(parse_background, json_schema_input_type=BackgroundValue | str | None),
]


class ShadowValue(Settings):
    """A soft black shadow below the subject; percents are of the subject's longer side."""

    kind: Literal["none", "drop", "contact", "both", "keep"] = Field(
        "none", description="keep: the one that the subject cast in the photo"
    )
    angle: float = Field(120, ge=-360, le=360, description="where the light is: 0 right, 90 above")
    distance: Length = Field(LengthValue(value=3, unit="%"), description="of the drop shadow")
    blur: Length = Field(LengthValue(value=3, unit="%"), description="its softness")
    opacity: Percent = Field(35, ge=0, le=100, description="percent")


def parse_shadow(value: Any) -> Any:
    """A shadow's kind alone as its data."""
    if value is None or value is False:
        return {}
    return {"kind": value.strip().lower()} if isinstance(value, str) else value


Shadow = Annotated[
    ShadowValue, BeforeValidator(parse_shadow, json_schema_input_type=ShadowValue | str | None)
]


class OutlineValue(Settings):
    """A line around the subject, as on a sticker; percents are of the subject's longer side."""

    width: Length = LengthValue(value=1.5, unit="%")
    colour: Colour = (255, 255, 255)


def parse_outline(value: Any) -> Any:
    """A width, or a colour, alone as an outline's data; "none" as none."""
    if isinstance(value, str):
        text = value.strip().lower()
        if text == "none":
            return None
        return {"width": text} if text[:1].isdigit() else {"colour": text}
    return {"width": value} if isinstance(value, (int, float)) and not isinstance(value, bool) else value


Outline = Annotated[
    OutlineValue | None,
    BeforeValidator(parse_outline, json_schema_input_type=OutlineValue | str | float | None),
]


class FinishSettings(Settings):
    """What happens to a cutout before it is written; nothing by default."""

    preset: str | None = Field(None, description="a named set of the settings below, or a .yaml file of them")
    crop: Literal["none", "subject"] = Field(
        "none", description="what the frame is: the photo or the subject"
    )
    margin: Margin = Field(
        MarginValue(), description="around the frame; percent of the canvas, or of the frame's longer side"
    )
    canvas: Size | None = Field(None, description="width and height of the finished picture")
    fit: Literal["contain", "shrink", "cover", "none"] = Field(
        "contain", description="how the frame gets the canvas's size; shrink never enlarges"
    )
    megapixels: float | None = Field(
        None, gt=0, description="the finished picture is made smaller to have at most so many"
    )
    position: Position = Field((50, 50), description="of the frame on the canvas: percent from left and top")
    scale: Percent = Field(100, gt=0, le=100, description="of the room on the canvas that the frame fills")
    background: Background = BackgroundValue()
    shadow: Shadow = ShadowValue()
    outline: Outline = None
    enhance: Literal["none", "auto"] = Field("none", description="gentle levels and white balance")
    dpi: float | None = Field(None, gt=1, le=10_000, description="density to write; default: the photo's")

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("preset"), str):
            return data
        with suppress(ValueError):
            return {**load_preset(data["preset"], _base(info)), **data}
        return data  # the key's own test tells what is wrong, and where

    @field_validator("preset", mode="after")
    @classmethod
    def _preset_is_there(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is not None:
            load_preset(name, _base(info))
        return name
