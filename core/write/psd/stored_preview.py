"""The preview of an existing PSD after a mask was added: computed anew only where that is certain.

It is certain where all that shows is plain layers, and their composite is the preview that the file
holds already, within one level. Anything else an editor may show otherwise than we would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from psd_tools.constants import BlendMode, ChannelID, Clipping, SectionDivider, Tag

from mattebox.core.write.psd.anatomy import has_channel, read_channel, read_merged
from mattebox.core.write.psd.coverage import FOLDERS
from mattebox.core.write.psd.layers import Layer
from mattebox.core.write.psd.planes import Box, Plane, on_canvas
from mattebox.core.write.psd.preview import merged_alpha, merged_planes
from mattebox.core.write.psd.selection import VECTOR_MASKS, has_pixels, visible_layers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mattebox.core.photo import ColourMode, Pixels
    from mattebox.core.write.psd.anatomy import Anatomy, LayerPart

_BLENDS: Final = frozenset({BlendMode.NORMAL, BlendMode.MULTIPLY})
# All layers are held at once, each as large as the canvas.
_MOST_SAMPLES: Final = 1_000_000_000
_EFFECTS: Final = (
    Tag.EFFECTS_LAYER,
    Tag.OBJECT_BASED_EFFECTS_LAYER_INFO,
    Tag.OBJECT_BASED_EFFECTS_LAYER_INFO_V0,
    Tag.OBJECT_BASED_EFFECTS_LAYER_INFO_V1,
)


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """What shows once the mask is there; clear: it is transparent in places, and needs a channel for that."""

    layers: tuple[Layer, ...]
    mode: ColourMode
    clear: bool

    def planes(self, parts: Anatomy) -> list[Plane]:
        """The planes of the merged picture as the file stores them, its transparency last."""
        return _merged(self.layers, self.mode, parts, clear=self.clear)


def fresh_flat(parts: Anatomy, merged: Sequence[Pixels], mask: Pixels) -> Preview | None:
    """What a flat picture shows with `mask` on its first layer; None where it has channels of its own."""
    if parts.header.channels != len(merged) or parts.mode is None:
        return None
    pixels: Pixels = np.empty((*merged[0].shape, len(merged)), parts.dtype)
    for channel, plane in enumerate(merged):
        pixels[..., channel] = plane
    if parts.mode == "cmyk":
        np.subtract(np.iinfo(parts.dtype).max, pixels, out=pixels)
    whole = Box(0, 0, parts.header.width, parts.header.height)
    return Preview((Layer("", whole, pixels, mask),), parts.mode, clear=not _is_full(mask))


def fresh_layers(file: BinaryIO, parts: Anatomy, masked: LayerPart, mask: Pixels) -> Preview | None:
    """What shows with `mask` (h, w, of the canvas) on `masked`; None where that is not certain."""
    if parts.mode is None:
        return None
    shown = visible_layers(parts)
    colours = parts.colours
    canvas = parts.header.height * parts.header.width
    if (
        parts.header.channels != colours + parts.is_transparent
        or not _groups_are_plain(parts)
        or not all(_is_plain(layer) for layer in shown)
        or canvas * (colours + 1) * len(shown) * parts.dtype.itemsize > _MOST_SAMPLES
    ):
        return None
    before = [_shown_layer(file, parts, layer, None) for layer in shown]
    if not _equals_stored(file, parts, _merged(before, parts.mode, parts, clear=parts.is_transparent)):
        return None
    after = [
        _shown_layer(file, parts, layer, mask) if layer is masked else old
        for layer, old in zip(shown, before, strict=True)
    ]
    size = (parts.header.width, parts.header.height)
    opaque = all(_is_full(block) for block in merged_alpha(after, size, parts.dtype).blocks())
    return Preview(tuple(after), parts.mode, clear=parts.is_transparent or not opaque)


def _merged(layers: Sequence[Layer], mode: ColourMode, parts: Anatomy, *, clear: bool) -> list[Plane]:
    size = (parts.header.width, parts.header.height)
    planes = merged_planes(layers, mode, size, parts.dtype)
    return [*planes, merged_alpha(layers, size, parts.dtype)] if clear else planes


def _is_full(samples: Pixels) -> bool:
    return bool((samples == np.iinfo(samples.dtype).max).all())


def _groups_are_plain(parts: Anatomy) -> bool:
    for layer in parts.layers:
        if layer.divider not in FOLDERS or not layer.record.flags.visible:
            continue
        setting = layer.record.tagged_blocks.get_data(Tag.SECTION_DIVIDER_SETTING)
        through = setting is not None and setting.blend_mode == BlendMode.PASS_THROUGH
        masks = has_channel(layer, ChannelID.USER_LAYER_MASK) or _has_any(layer, VECTOR_MASKS)
        if not through or masks or layer.record.opacity != 255 or _has_any(layer, _EFFECTS):
            return False
    return True


def _is_plain(layer: LayerPart) -> bool:
    record = layer.record
    blocks = record.tagged_blocks
    mask = record.mask_data
    ranges = record.blending_ranges
    blend_ifs = [ranges.composite_ranges or [], *(ranges.channel_ranges or [])]
    return (
        layer.divider == SectionDivider.OTHER
        and has_pixels(layer)
        and record.blend_mode in _BLENDS
        and record.clipping == Clipping.BASE
        and not _has_any(layer, (*_EFFECTS, *VECTOR_MASKS))
        and not has_channel(layer, ChannelID.REAL_USER_LAYER_MASK)
        and blocks.get_data(Tag.BLEND_FILL_OPACITY, 255) == 255
        and not blocks.get_data(Tag.KNOCKOUT_SETTING, 0)
        and all(tuple(pair) == (0, 65535) for pairs in blend_ifs for pair in pairs)
        and (mask is None or not (mask.flags.parameters_applied or mask.flags.invert_mask))
    )


def _has_any(layer: LayerPart, tags: Sequence[Tag]) -> bool:
    return any(tag in layer.record.tagged_blocks for tag in tags)


def _shown_layer(file: BinaryIO, parts: Anatomy, layer: LayerPart, mask: Pixels | None) -> Layer:
    """A plain layer on the canvas, its opacity and its mask (or `mask`) in its transparency."""
    canvas: Pixels = np.empty((parts.header.height, parts.header.width), parts.dtype)
    full = int(np.iinfo(parts.dtype).max)
    pixels: Pixels = np.empty((*canvas.shape, parts.colours), parts.dtype)
    for channel in range(pixels.shape[2]):
        plane = on_canvas(read_channel(file, parts, layer, channel), layer.box, canvas, full)
        pixels[..., channel] = full - plane if parts.mode == "cmyk" else plane
    if has_channel(layer, ChannelID.TRANSPARENCY_MASK):
        shape = read_channel(file, parts, layer, ChannelID.TRANSPARENCY_MASK)
    else:
        shape = np.full((layer.box.height, layer.box.width), full, parts.dtype)
    alpha = on_canvas(shape, layer.box, canvas, 0)
    there = _own_mask(file, parts, layer, canvas) if mask is None else mask
    if there is not None:
        alpha = _product(alpha, there, full)
    if layer.record.opacity != 255:
        faint: Pixels = np.full(alpha.shape, layer.record.opacity * (full // 255), parts.dtype)
        alpha = _product(alpha, faint, full)
    multiply = layer.record.blend_mode == BlendMode.MULTIPLY
    whole = Box(0, 0, parts.header.width, parts.header.height)
    return Layer(layer.name, whole, pixels, alpha, multiply=multiply)


def _own_mask(file: BinaryIO, parts: Anatomy, layer: LayerPart, canvas: Pixels) -> Pixels | None:
    data = layer.record.mask_data
    if data is None or data.flags.mask_disabled or not has_channel(layer, ChannelID.USER_LAYER_MASK):
        return None
    outside = int(np.iinfo(parts.dtype).max) if data.background_color else 0
    box = Box(data.left, data.top, data.right, data.bottom)
    return on_canvas(read_channel(file, parts, layer, ChannelID.USER_LAYER_MASK), box, canvas, outside)


def _product(one: Pixels, other: Pixels, full: int) -> Pixels:
    dtype: np.dtype[Any] = one.dtype
    product: NDArray[Any] = (one.astype(np.uint32) * other + full // 2) // full
    return product.astype(dtype)


def _equals_stored(file: BinaryIO, parts: Anatomy, planes: Sequence[Plane]) -> bool:
    """Whether the merged picture in the file is this one, within one level."""
    for whole, plane in zip(read_merged(file, parts), planes, strict=True):
        top = 0
        for block in plane.blocks():
            there = whole[top : top + len(block)].astype(np.int32)
            if np.abs(there - block).max() > 1:
                return False
            top += len(block)
    return True
