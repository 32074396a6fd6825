"""The picture of a PSD without a merged one, composed of its layers where that is certain.

Certain are layers that hold their own pixels (photos, smart objects), fills of one colour, groups, opacity,
masks and the blend modes whose formulas are public; psd-tools composes them. Public PSDs of these kinds that
have a merged picture compose to it within two levels. Anything else is named, not guessed: texts, for one,
are blended by a gamma of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import numpy as np

from mattebox.core.errors import PhotoError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from psd_tools import PSDImage
    from psd_tools.api.layers import Layer

    from mattebox.core.photo.model import ColourMode, Header, Pixels

_STRIP_PIXELS: Final = 4_000_000
_OWN_PIXELS: Final = frozenset({"pixel", "smartobject"})
_EVERYWHERE: Final = frozenset({"NORMAL", "MULTIPLY", "PASS_THROUGH"})
_IN_LIGHT: Final = _EVERYWHERE | {
    "SCREEN",
    "OVERLAY",
    "SOFT_LIGHT",
    "HARD_LIGHT",
    "DARKEN",
    "LIGHTEN",
    "COLOR_BURN",
    "COLOR_DODGE",
    "LINEAR_BURN",
    "LINEAR_DODGE",
    "DIFFERENCE",
    "EXCLUSION",
    "SUBTRACT",
    "DIVIDE",
}


def compose(file: BinaryIO, path: Path, header: Header) -> tuple[Pixels, Pixels]:
    """Straight colours (h, w, c) in the photo's convention and the alpha (h, w) of what the layers show.

    Raises PhotoError where something stands in the way, by its name.
    """
    from psd_tools import PSDImage  # noqa: PLC0415 - only for files without a merged picture
    from psd_tools.composite.composite import composite  # noqa: PLC0415

    file.seek(0)
    psd = PSDImage.open(file)
    obstacle = next(_obstacles(psd, header.mode), None)
    if obstacle is not None:
        raise PhotoError(
            f"{path}: the PSD has no merged image, and {obstacle} cannot be shown for certain without your "
            "editor; save it with maximum compatibility."
        )
    dtype: np.dtype[Any] = np.dtype(np.uint16 if header.bits == 16 else np.uint8)
    full = int(np.iinfo(dtype).max)
    colours = {"gray": 1, "rgb": 3, "cmyk": 4}[header.mode]
    pixels: NDArray[Any] = np.empty((header.height, header.width, colours), dtype)
    alpha: NDArray[Any] = np.empty((header.height, header.width), dtype)
    step = max(1, _STRIP_PIXELS // header.width)
    for top in range(0, header.height, step):
        bottom = min(header.height, top + step)
        found, _, cover = composite(psd, viewport=(0, top, header.width, bottom), force=True)
        pixels[top:bottom] = np.rint(np.clip(found, 0, 1) * full)
        alpha[top:bottom] = np.rint(np.clip(cover[..., 0], 0, 1) * full)
    if header.mode == "cmyk":
        np.subtract(full, pixels, out=pixels)  # a PSD stores 0 as full ink
    return pixels, alpha


def _obstacles(psd: PSDImage, mode: ColourMode) -> Iterator[str]:
    """What shows in a way that only an editor knows, each by its name."""
    shown = list(_shown(psd))
    if not shown:
        yield "an empty picture"
    for layer in shown:
        yield from _obstacles_of(layer, _EVERYWHERE if mode == "cmyk" else _IN_LIGHT)


def _shown(group: Any) -> Iterator[Layer]:
    for layer in group:
        if not layer.visible:
            continue
        yield layer
        if layer.is_group():
            yield from _shown(layer)


def _obstacles_of(layer: Layer, blends: frozenset[str]) -> Iterator[str]:
    from psd_tools.constants import BlendMode, Tag  # noqa: PLC0415 - see `compose`

    record = layer._record  # noqa: SLF001 - blending ranges have no public view
    blocks = layer.tagged_blocks
    name = f"'{layer.name}'"
    ranges = record.blending_ranges
    pairs = [
        pair for pairs in [ranges.composite_ranges, *(ranges.channel_ranges or [])] for pair in pairs or []
    ]
    # A fill of one colour is drawn over all that its mask lets through.
    fills = layer.kind == "solidcolorfill" and layer._psd.color_mode.name == "RGB"  # noqa: SLF001
    adjusts = Tag.BRIGHTNESS_AND_CONTRAST in blocks  # an old kind, which psd-tools takes for pixels
    if adjusts or (not layer.is_group() and layer.kind not in _OWN_PIXELS and not fills):
        yield f"{name} ({'a text' if layer.kind == 'type' else 'an adjustment, shape or fill'})"
    if layer.clipping:
        yield f"the clipping of {name}"
    if layer.kind == "artboard":
        yield f"{name} (an artboard)"
    blend = BlendMode(layer.blend_mode).name
    if blend not in blends:
        yield f"the blend mode of {name} ({blend.lower().replace('_', ' ')})"
    if any(tag in blocks for tag in _effects()):
        yield f"the effects of {name}"
    if layer.has_vector_mask():
        yield f"the vector mask of {name}"
    fill = blocks.get_data(Tag.BLEND_FILL_OPACITY, 255)
    if (fill != 255 and blend != "NORMAL") or blocks.get_data(Tag.KNOCKOUT_SETTING, 0):
        yield f"the fill or knockout of {name}"
    if any(tuple(pair) != (0, 65535) for pair in cast("list[Any]", pairs)):
        yield f"the blending ranges of {name}"
    mask = record.mask_data
    if mask is not None and (mask.flags.parameters_applied or mask.flags.invert_mask):
        yield f"the density or feather of the mask of {name}"


def _effects() -> tuple[Any, ...]:
    from psd_tools.constants import Tag  # noqa: PLC0415 - see `compose`

    return (
        Tag.EFFECTS_LAYER,
        Tag.OBJECT_BASED_EFFECTS_LAYER_INFO,
        Tag.OBJECT_BASED_EFFECTS_LAYER_INFO_V0,
        Tag.OBJECT_BASED_EFFECTS_LAYER_INFO_V1,
    )
