"""Layer records: what a file says about a layer ahead of its pixels.

Source: Adobe Photoshop File Formats Specification, "Layer records" and "Layer mask data".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psd_tools.constants import BlendMode, ChannelID, SectionDivider, Tag
from psd_tools.psd.layer_and_mask import (
    ChannelInfo,
    LayerBlendingRanges,
    LayerFlags,
    LayerRecord,
    MaskData,
)
from psd_tools.psd.tagged_blocks import TaggedBlocks

from mattebox.core.write.psd.planes import Plane, array_plane, constant_plane, cut_out
from mattebox.core.write.psd.resources import pascal

if TYPE_CHECKING:
    import numpy as np

    from mattebox.core.photo import ColourMode
    from mattebox.core.write.psd.layers import Layer

_CHANNELS: Final = {"gray": 1, "rgb": 3, "cmyk": 4}


def layer_record(layer: Layer, mode: ColourMode, identity: int) -> LayerRecord:
    """The record of one layer; the lengths of its channels are filled in once they are written."""
    divider = layer.role == "group-end"
    identifiers = [ChannelID.TRANSPARENCY_MASK, *map(ChannelID, range(_CHANNELS[mode]))]
    if layer.mask is not None:
        identifiers.append(ChannelID.USER_LAYER_MASK)
    return LayerRecord(
        top=layer.box.top,
        left=layer.box.left,
        bottom=layer.box.bottom,
        right=layer.box.right,
        channel_info=[ChannelInfo(identifier) for identifier in identifiers],
        blend_mode=_blend_mode(layer),
        flags=LayerFlags(visible=layer.visible, pixel_data_irrelevant=layer.role != "pixels"),
        mask_data=_mask_data(layer),
        blending_ranges=_blending_ranges(mode),
        name=pascal(layer.name),
        tagged_blocks=_tagged_blocks(layer, identity, divider=divider),
    )


def stored_planes(layer: Layer, mode: ColourMode, dtype: np.dtype[Any]) -> list[Plane | None]:
    """The channels in the order of the record; None has no pixels."""
    planes: list[Plane | None]
    if layer.role == "pixels":
        planes = [_transparency(layer, dtype), *layer.colour_planes(mode, dtype)]
    else:
        planes = [None] * (1 + _CHANNELS[mode])
    if layer.mask is not None:
        planes.append(array_plane(cut_out(layer.mask, layer.mask_box)))
    return planes


def _transparency(layer: Layer, dtype: np.dtype[Any]) -> Plane:
    if layer.alpha is not None:
        return array_plane(cut_out(layer.alpha, layer.box))
    full = 256**dtype.itemsize - 1
    return constant_plane(layer.box.width, layer.box.height, full, dtype)


def _blend_mode(layer: Layer) -> BlendMode:
    return BlendMode.MULTIPLY if layer.multiply else BlendMode.NORMAL


def _mask_data(layer: Layer) -> MaskData | None:
    if layer.mask is None:
        return None
    box = layer.mask_box
    return MaskData(top=box.top, left=box.left, bottom=box.bottom, right=box.right, background_color=0)


def _blending_ranges(mode: ColourMode) -> LayerBlendingRanges:
    whole = [(0, 65535), (0, 65535)]
    return LayerBlendingRanges(whole, [whole] * (_CHANNELS[mode] + 1))


def _tagged_blocks(layer: Layer, identity: int, *, divider: bool) -> TaggedBlocks:
    blocks = TaggedBlocks()
    blocks.set_data(Tag.UNICODE_LAYER_NAME, layer.name)
    blocks.set_data(Tag.LAYER_ID, identity)
    if divider:
        blocks.set_data(Tag.SECTION_DIVIDER_SETTING, SectionDivider.BOUNDING_SECTION_DIVIDER)
    elif layer.role == "group":
        blocks.set_data(
            # Krita leaves the mask of a pass-through group out; around one layer both look the same.
            Tag.SECTION_DIVIDER_SETTING,
            SectionDivider.OPEN_FOLDER,
            b"8BIM",
            BlendMode.NORMAL,
        )
    return blocks
