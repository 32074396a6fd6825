"""What can be written: one frozen class a format, told apart by `format`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from mattebox.core.settings.base import Settings
from mattebox.core.settings.psd_names import LayerName, PathName  # noqa: TC001 - pydantic reads them

_HIDDEN: Final = "colours under full transparency: clear (small files) or keep (to paint the mask back)"
_GPS: Final = "keep the place where the photo was taken"


class PngOutput(Settings):
    """PNG with straight alpha, 8 or 16 bits."""

    format: Literal["png"] = "png"
    compression: Literal["fast", "small"] = Field("fast", description="speed or size; the pixels are equal")
    hidden: Literal["clear", "keep"] = Field("clear", description=_HIDDEN)
    gps: bool = Field(True, description=_GPS)


class WebpOutput(Settings):
    """WebP with straight alpha."""

    format: Literal["webp"] = "webp"
    lossless: bool = Field(True, description="every pixel as it is; else by quality")
    quality: int = Field(90, ge=0, le=100, description="of the colours, where lossless is off")
    effort: int = Field(50, ge=0, le=100, description="how hard lossless looks for a small file")
    method: int = Field(2, ge=0, le=6, description="0 quick to 6 small")
    hidden: Literal["clear", "keep"] = Field("clear", description=_HIDDEN)
    gps: bool = Field(True, description=_GPS)


class JxlOutput(Settings):
    """JPEG XL with straight alpha, 8 or 16 bits."""

    format: Literal["jxl"] = "jxl"
    lossless: bool = Field(True, description="every pixel as it is; else by quality")
    quality: int = Field(90, ge=0, le=100, description="where lossless is off")
    effort: int = Field(3, ge=1, le=9, description="1 quick to 9 small")
    hidden: Literal["clear", "keep"] = Field("clear", description=_HIDDEN)
    gps: bool = Field(True, description=_GPS)


class TiffOutput(Settings):
    """TIFF with unassociated alpha."""

    format: Literal["tiff"] = "tiff"
    compression: Literal["deflate", "none"] = Field("deflate", description="lossless either way")
    hidden: Literal["clear", "keep"] = Field("clear", description=_HIDDEN)
    gps: bool = Field(True, description=_GPS)


class JpegOutput(Settings):
    """JPEG on a background: the format has no alpha."""

    format: Literal["jpeg"] = "jpeg"
    quality: int = Field(92, ge=1, le=100)
    subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = Field("4:4:4", description="of the colours")
    progressive: bool = Field(False, description="a picture that appears in passes")
    gps: bool = Field(True, description=_GPS)


class MaskOutput(Settings):
    """The matte alone, as a gray PNG."""

    format: Literal["mask"] = "mask"
    bits: Literal["auto", 8, 16] = Field("auto", description="auto: those of the photo")
    compression: Literal["fast", "small"] = Field("fast", description="speed or size")


class PsdNames(Settings):
    """What the parts of a layered PSD are called, in any script."""

    subject: LayerName = "Subject"
    clean: LayerName = "Subject clean"
    shadow: LayerName = "Shadow"
    outline: LayerName = "Outline"
    background: LayerName = "Background"
    original: LayerName = "Original"
    group: LayerName = "Cutout"
    path: PathName = Field("Subject", description="in Mac Roman (Western European) letters")
    channel: LayerName = "Matte"


class PsdOutput(Settings):
    """A layered PSD: the untouched photo with a user layer mask above a background layer.

    A side above 30,000 pixels or a size above 2 GB makes the file a PSB.
    """

    format: Literal["psd"] = "psd"
    mask: Literal["layer", "alpha-channel", "both"] = Field(
        "layer", description="where the matte goes: the layer's user mask, a channel of the document, both"
    )
    clipping_path: bool = Field(
        False, description="add a clipping path for print, traced from the matte's half-way line"
    )
    compression: Literal["rle", "zip"] = Field(
        "rle", description="of 8-bit layers: rle is fast, zip small; 16-bit layers are always zip"
    )
    depth: Literal["auto", 8, 16] = Field(
        "auto", description="bits a channel; auto: the photo's; 8 for Krita 5.1, which misreads 16-bit masks"
    )
    group: bool = Field(False, description="put the subject into a group and the mask onto the group")
    clean: bool = Field(True, description="add a hidden layer with clean edge colours, where there are any")
    original: bool = Field(False, description="add the untouched photo as a hidden layer at the bottom")
    backdrop: Literal["white", "none"] = Field(
        "white", description="what lies at the bottom where no background was asked for"
    )
    in_place: bool = Field(
        False,
        description="a photo that is a PSD keeps its layers, and one of them gets the matte as its mask",
    )
    layer: str | None = Field(
        None,
        min_length=1,
        description="in place: that layer, by name or glob; else the one that is the photo",
    )
    background: Literal["layer", "refuse"] = Field(
        "layer", description="in place: a locked background or a flat picture becomes a layer, or is refused"
    )
    existing_mask: Literal["replace", "intersect", "add", "refuse"] = Field(
        "refuse", description="in place: what happens to a mask that the layer has already"
    )
    names: PsdNames = Field(PsdNames(), description="what the layers are called")
    gps: bool = Field(True, description=_GPS)

    @model_validator(mode="after")
    def _in_place_goes_with_its_options(self) -> Self:
        said = self.layer is not None or self.existing_mask != "refuse" or self.background != "layer"
        if said and not self.in_place:
            raise ValueError("layer, existing_mask and background belong to in_place: true")
        if self.in_place and self.depth != "auto":
            raise ValueError("depth belongs to new PSDs: with in_place: true a file keeps its own")
        return self


Output = Annotated[
    PngOutput | WebpOutput | JxlOutput | TiffOutput | JpegOutput | MaskOutput | PsdOutput,
    Field(discriminator="format"),
]

# The ending that each format's files get, without the dot.
ENDINGS: Final[dict[str, str]] = {
    "png": "png",
    "webp": "webp",
    "jxl": "jxl",
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
