"""The fields of the widely copied interface `POST /v1.0/removebg`, as settings of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mattebox.core.errors import SettingsError
from mattebox.core.settings import JpegOutput, MaskOutput, PngOutput, WebpOutput
from mattebox.core.settings.assign import cut_settings, finish_settings
from mattebox.web.service.errors import RequestError
from mattebox.web.service.made import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from mattebox.core.settings import Output, ReadLimits

# Which names hold files, and what they are called here.
FILES: Final = {
    "image_file": "photo",
    "image_file_b64": "photo-b64",
    "bg_image_file": "background",
}
# Megapixels of each size's result; None: the photo's own.
SIZES: Final[dict[str, float | None]] = {
    "preview": 0.25,
    "small": 0.25,
    "regular": 0.25,
    "medium": 1.5,
    "hd": 4.0,
    "full": None,
    "4k": None,
    "50mp": None,
    "auto": None,
}
FORMATS: Final = ("auto", "png", "jpg", "webp", "zip")
TYPES: Final = ("auto", "person", "product", "car", "animal", "graphic", "transportation")
SHADOWS: Final = {"none": "none", "auto": "drop", "drop": "drop", "3d": "contact", "car": "contact"}
# What clients send for a value that was not given.
_NOTHING: Final = frozenset({"", "undefined", "null", "none"})
_HEX: Final = re.compile(r"#?([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)
_PLACE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(px|%)?")
_FULL_ROI: Final = ("0%", "0%", "100%", "100%")


@dataclass(frozen=True, slots=True)
class RemovebgWish:
    """One request's fields, checked. roi: left, top, right, bottom. megapixels: the most, or None."""

    megapixels: float | None
    format: str
    finish: dict[str, Any] = field(default_factory=dict)
    roi: tuple[str, ...] = ()
    channels: str = "rgba"
    sharp: bool = False
    placed: bool = False
    background: Path | None = None
    quality: str = "balanced"
    model: str = "u2net"
    limits: ReadLimits | None = None

    def plan(self, photo: Path) -> Plan:
        """The settings for the photo, whose header is read where sizes in them depend on it.

        Raises PhotoError, SettingsError.
        """
        cut: dict[str, Any] = {"model": self.model, "quality": self.quality}
        if self.limits is not None:
            cut["limits"] = self.limits.model_dump()
        if self.sharp:
            cut["refine"] = "hard"
        finish = dict(self.finish)
        if self.megapixels is not None:
            finish["megapixels"] = self.megapixels
        if self.roi or self.placed:
            from mattebox.core.photo import probe  # noqa: PLC0415 - in the worker: loads arrays

            facts = probe(photo, self.limits) if self.limits is not None else probe(photo)
            if self.roi:
                strokes = photo.with_name("strokes")
                _write_strokes(self.roi, facts.width, facts.height, strokes)
                cut["prompts"] = {"strokes": strokes}
            if self.placed:
                finish["canvas"] = (facts.width, facts.height)
        if self.background is not None:
            finish["background"] = {"image": self.background}
        return Plan(cut_settings(cut), finish_settings(finish), self._outputs(), self.format == "zip")

    def _outputs(self) -> tuple[Output, ...]:
        if self.channels == "alpha":
            return (MaskOutput(bits=8),)
        if self.format == "jpg":
            return (JpegOutput(quality=95),)
        if self.format == "webp":
            return (WebpOutput(),)
        if self.format == "zip":
            return PngOutput(hidden="keep"), MaskOutput(bits=8)
        return (PngOutput(),)


def wish_of(fields: Mapping[str, str], files: Mapping[str, Path], **own: Any) -> RemovebgWish:
    """The wish that a client's fields say; fields that are not known here are not looked at.

    own: what the server decides (model, quality, limits). Raises RequestError.
    """
    given = {name: text.strip() for name, text in fields.items() if text.strip().lower() not in _NOTHING}
    size = _one_of("size", given.get("size", "preview").lower(), SIZES)
    kind = _one_of("format", given.get("format", "auto").lower(), (*FORMATS, "jpeg")).replace("jpeg", "jpg")
    _one_of("type", given.get("type", "auto").lower(), (*TYPES, "other"))
    channels = _one_of("channels", given.get("channels", "rgba").lower(), ("rgba", "alpha"))
    finish, placed = _layout(given)
    background = files.get("bg_image_file")
    colour = _colour(given["bg_color"]) if "bg_color" in given else None
    if colour is not None and background is not None:
        raise RequestError(400, "multiple_backgrounds", "Give either bg_color or a background image.")
    if colour is not None:
        # Never as a text alone, which may be the name of a picture, too.
        finish["background"] = {"colour": colour}
    shadow = _shadow(given)
    if shadow is not None:
        finish["shadow"] = shadow
    opaque = colour is not None or background is not None
    if kind == "auto":
        kind = "jpg" if opaque else "png"
    if kind == "jpg" and not opaque:
        # The format has no transparency; the interface's is white then.
        finish["background"] = "white"
    wish = RemovebgWish(
        SIZES[size],
        kind,
        finish,
        _roi(given["roi"]) if "roi" in given else (),
        channels,
        not _truth("semitransparency", given.get("semitransparency", "true")),
        placed,
        background,
        **own,
    )
    try:
        finish_settings(finish)
    except SettingsError as error:
        raise RequestError(400, "invalid_parameter", _in_their_names(str(error))) from error
    return wish


def _layout(given: Mapping[str, str]) -> tuple[dict[str, Any], bool]:
    """Crop, margin, scale and position as finish settings, and whether the canvas is the photo's size."""
    finish: dict[str, Any] = {}
    crop = _truth("crop", given.get("crop", "false"))
    scale, position = given.get("scale", "original").lower(), given.get("position", "original").lower()
    if crop:
        finish["crop"] = "subject"
        if "crop_margin" in given:
            finish["margin"] = given["crop_margin"]
        return finish, False
    if scale == "original" and position == "original":
        return finish, False
    finish["crop"] = "subject"
    if scale == "original":
        finish["fit"] = "none"
    else:
        finish["scale"] = scale
    if position not in ("original", "center", "centre"):
        parts = [part.removesuffix("%") for part in position.split()]
        finish["position"] = (parts * 2)[:2]
    return finish, True


def _shadow(given: Mapping[str, str]) -> dict[str, Any] | None:
    kind = given.get("shadow_type")
    if kind is None and not _truth("add_shadow", given.get("add_shadow", "false")):
        return None
    shadow: dict[str, Any] = {"kind": SHADOWS[_one_of("shadow_type", (kind or "auto").lower(), SHADOWS)]}
    if "shadow_opacity" in given:
        shadow["opacity"] = given["shadow_opacity"]
    return shadow


def _colour(text: str) -> str | None:
    """A colour as ours; None where it is wholly transparent."""
    match = _HEX.fullmatch(text)
    if match is None:
        return text.lower()
    digits = match[1].lower()
    if len(digits) < 6:
        digits = "".join(2 * digit for digit in digits)
    if digits[6:] == "00":
        return None
    if digits[6:] not in ("", "ff"):
        raise RequestError(
            400, "invalid_bg_color", "bg_color: a background that is half transparent is not made here."
        )
    return f"#{digits[:6]}"


def _roi(text: str) -> tuple[str, ...]:
    parts = text.lower().replace(",", " ").split()
    if len(parts) != 4 or not all(_PLACE.fullmatch(part) for part in parts):
        raise RequestError(
            400, "invalid_roi", "roi: write four places, such as '10% 20% 90% 100%' or '0px 0px 300px 200px'."
        )
    return () if tuple(parts) == _FULL_ROI else tuple(parts)


def _write_strokes(roi: tuple[str, ...], width: int, height: int, target: Path) -> None:
    """A picture of the photo's size: black, which is no subject, outside of the region; else transparent."""
    from PIL import Image  # noqa: PLC0415 - in the worker alone

    places = []
    for text, whole in zip(roi, (width, height, width, height), strict=True):
        match = _PLACE.fullmatch(text)
        assert match is not None  # noqa: S101 - _roi has asked
        number = float(match[1])
        places.append(round(min(whole, number * whole / 100 if match[2] == "%" else number)))
    left, right = sorted(places[0::2])
    top, bottom = sorted(places[1::2])
    if left >= right or top >= bottom:
        raise SettingsError("roi: there is nothing of the photo in this region.")
    picture = Image.new("LA", (width, height), (0, 255))
    picture.paste((0, 0), (left, top, right, bottom))
    picture.save(target, "PNG", compress_level=1)


def _one_of(name: str, word: str, known: Any) -> str:
    if word not in known:
        raise RequestError(400, "invalid_parameter", f"{name}: {word[:40]!r} is none of {', '.join(known)}.")
    return word


def _truth(name: str, text: str) -> bool:
    word = _one_of(name, text.lower(), ("true", "false", "1", "0", "yes", "no"))
    return word in ("true", "1", "yes")


_THEIRS: Final = (
    ("finish.margin", "crop_margin"),
    ("finish.scale", "scale"),
    ("finish.position", "position"),
    ("finish.background.colour", "bg_color"),
    ("finish.background", "bg_color"),
    ("finish.shadow.opacity", "shadow_opacity"),
)


def _in_their_names(sentence: str) -> str:
    for ours, theirs in _THEIRS:
        sentence = sentence.replace(ours, theirs)
    return sentence
