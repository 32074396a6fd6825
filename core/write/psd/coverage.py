"""How much of what a PSD shows each of its layers shows, on a coarse grid of points.

A layer hides what lies below it as far as it is opaque, drawn in the normal blend mode and let through by
its masks and its groups. Adjustments and other blend modes hide nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from psd_tools.constants import BlendMode, ChannelID, Clipping, SectionDivider, Tag

from mattebox.core.write.psd.anatomy import has_channel, read_channel
from mattebox.core.write.psd.planes import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Pixels
    from mattebox.core.write.psd.anatomy import Anatomy, LayerPart

    Grid = NDArray[np.float32]

FOLDERS: Final = frozenset({SectionDivider.OPEN_FOLDER, SectionDivider.CLOSED_FOLDER})
_FILLS: Final = (Tag.SOLID_COLOR_SHEET_SETTING, Tag.GRADIENT_FILL_SETTING, Tag.PATTERN_FILL_SETTING)
_POINTS: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A layer that is switched on, in groups that are: `groups` from the outermost in."""

    layer: LayerPart
    groups: tuple[LayerPart, ...] = ()

    @property
    def is_clipped(self) -> bool:
        """Whether the layer below bounds it."""
        return self.layer.record.clipping != Clipping.BASE

    @property
    def is_normal(self) -> bool:
        """Whether it is drawn over what lies below, itself and each group around it."""
        return self.layer.record.blend_mode == BlendMode.NORMAL and all(
            group_blend(group) in {BlendMode.NORMAL, BlendMode.PASS_THROUGH} for group in self.groups
        )

    @property
    def opacity(self) -> float:
        """Its own opacity times its fill's and its groups', 0 to 1."""
        fill = self.layer.record.tagged_blocks.get_data(Tag.BLEND_FILL_OPACITY, 255)
        share = self.layer.record.opacity / 255 * (fill if isinstance(fill, int) else 255) / 255
        for group in self.groups:
            share *= group.record.opacity / 255
        return float(share)


def shown_layers(parts: Anatomy) -> list[Shown]:
    """Layers that are switched on, and so is each group around them; from the bottom up."""
    shown = []
    groups: list[LayerPart] = []
    for layer in reversed(parts.layers):
        if layer.divider in FOLDERS:
            groups.append(layer)
        elif layer.divider == SectionDivider.BOUNDING_SECTION_DIVIDER:
            if groups:
                groups.pop()
        elif layer.record.flags.visible and all(group.record.flags.visible for group in groups):
            shown.append(Shown(layer, tuple(groups)))
    return shown[::-1]


def group_blend(group: LayerPart) -> BlendMode:
    """The blend mode of a group: its divider's, where that tells one."""
    setting = group.record.tagged_blocks.get_data(Tag.SECTION_DIVIDER_SETTING)
    found = getattr(setting, "blend_mode", None)
    return BlendMode(found) if found is not None else BlendMode(group.record.blend_mode)


def areas(file: BinaryIO, parts: Anatomy, shown: list[Shown]) -> dict[LayerPart, float]:
    """The share of the canvas, 0 to 1, on which each layer shows. Raises PhotoError."""
    rows, columns = _points(parts.header.height), _points(parts.header.width)
    left: Grid = np.ones((len(rows), len(columns)), np.float32)
    found: dict[LayerPart, float] = {}
    for item in reversed(shown):
        if not item.is_normal:
            found[item.layer] = 0.0
            continue
        cover = left * _cover(file, parts, item, shown, (rows, columns))
        found[item.layer] = float(cover.sum())
        left -= cover
    return {layer: area / left.size for layer, area in found.items()}


def is_one_colour(file: BinaryIO, parts: Anatomy, layer: LayerPart) -> bool:
    """Whether a layer has one value in each colour channel: a backdrop, no photo. Raises PhotoError."""
    for channel in range(parts.colours):
        samples = read_channel(file, parts, layer, channel)
        if (samples != samples[0, 0]).any():
            return False
    return True


def _points(count: int) -> NDArray[np.intp]:
    step = max(1, count // _POINTS)
    return np.arange(step // 2, count, step)


def _cover(
    file: BinaryIO,
    parts: Anatomy,
    item: Shown,
    shown: list[Shown],
    at: tuple[NDArray[np.intp], NDArray[np.intp]],
) -> Grid:
    """How far a layer covers each point, 0 to 1."""
    layer = item.layer
    cover = _own(file, parts, layer, at)
    if item.is_clipped:
        base = next((one.layer for one in reversed(shown[: shown.index(item)]) if not one.is_clipped), None)
        if base is not None:
            cover = cover * _own(file, parts, base, at)
    for group in item.groups:
        cover = cover * _user_mask(file, parts, group, at)
    return cover * np.float32(item.opacity)


def _own(
    file: BinaryIO, parts: Anatomy, layer: LayerPart, at: tuple[NDArray[np.intp], NDArray[np.intp]]
) -> Grid:
    """A layer's transparency and mask at each point."""
    mask = _user_mask(file, parts, layer, at)
    if layer.box.width <= 0 or layer.box.height <= 0:
        fills = any(tag in layer.record.tagged_blocks for tag in _FILLS)
        return mask * np.float32(fills)  # a fill covers all, an adjustment or an empty layer nothing
    if has_channel(layer, ChannelID.TRANSPARENCY_MASK):
        samples = read_channel(file, parts, layer, ChannelID.TRANSPARENCY_MASK)
    else:
        samples = np.full((layer.box.height, layer.box.width), np.iinfo(parts.dtype).max, parts.dtype)
    return mask * _at_points(samples, layer.box, 0.0, at)


def _user_mask(
    file: BinaryIO, parts: Anatomy, layer: LayerPart, at: tuple[NDArray[np.intp], NDArray[np.intp]]
) -> Grid:
    data = layer.record.mask_data
    if data is None or data.flags.mask_disabled or not has_channel(layer, ChannelID.USER_LAYER_MASK):
        return np.ones((len(at[0]), len(at[1])), np.float32)
    box = Box(data.left, data.top, data.right, data.bottom)
    samples = read_channel(file, parts, layer, ChannelID.USER_LAYER_MASK)
    return _at_points(samples, box, float(data.background_color > 0), at)


def _at_points(
    samples: Pixels, box: Box, outside: float, at: tuple[NDArray[np.intp], NDArray[np.intp]]
) -> Grid:
    rows, columns = at
    out: NDArray[Any] = np.full((len(rows), len(columns)), outside, np.float32)
    inside_rows = (rows >= box.top) & (rows < box.bottom)
    inside_columns = (columns >= box.left) & (columns < box.right)
    part = samples[np.ix_(rows[inside_rows] - box.top, columns[inside_columns] - box.left)]
    out[np.ix_(inside_rows, inside_columns)] = part / np.float32(np.iinfo(samples.dtype).max)
    return out
