"""What can be written: one frozen class a format, told apart by `format`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter

from mattebox.core.settings.base import Settings


class PngOutput(Settings):
    """PNG with straight alpha, 8 or 16 bits."""

    format: Literal["png"] = "png"


class WebpOutput(Settings):
    """WebP with straight alpha."""

    format: Literal["webp"] = "webp"


class TiffOutput(Settings):
    """TIFF with unassociated alpha."""

    format: Literal["tiff"] = "tiff"


class JpegOutput(Settings):
    """JPEG on a background: the format has no alpha."""

    format: Literal["jpeg"] = "jpeg"


class MaskOutput(Settings):
    """The matte alone, as a gray PNG."""

    format: Literal["mask"] = "mask"


class PsdOutput(Settings):
    """A layered PSD: the untouched photo with a user layer mask above a background layer."""

    format: Literal["psd"] = "psd"


Output = Annotated[
    PngOutput | WebpOutput | TiffOutput | JpegOutput | MaskOutput | PsdOutput,
    Field(discriminator="format"),
]

# The ending that each format's files get, without the dot.
ENDINGS: Final[dict[str, str]] = {
    "png": "png",
    "webp": "webp",
    "tiff": "tif",
    "jpeg": "jpg",
    "psd": "psd",
    "mask": "mask.png",
}
FORMATS: Final = tuple(ENDINGS)
_ALIASES: Final[dict[str, str]] = {
    **{ending: name for name, ending in ENDINGS.items() if name != "mask"},
    "tiff": "tiff",
    "jpeg": "jpeg",
    "psb": "psd",
}
_ADAPTER: Final[TypeAdapter[Output]] = TypeAdapter(Output)


def format_of_ending(ending: str) -> str | None:
    """The format that a file ending (without the dot, any case) stands for, or None."""
    return _ALIASES.get(ending.lower())


def parse_output(data: dict[str, Any]) -> Output:
    """An output from plain data such as {"format": "png"}; pydantic's ValidationError if it is none."""
    return _ADAPTER.validate_python(data)
