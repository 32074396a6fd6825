"""Which layer of a PSD gets the mask, and which layers cannot."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from psd_tools.constants import ChannelID, SectionDivider, Tag

from mattebox.core.errors import SettingsError

if TYPE_CHECKING:
    from mattebox.core.write.psd.anatomy import Anatomy, LayerPart

FOLDERS: Final = frozenset({SectionDivider.OPEN_FOLDER, SectionDivider.CLOSED_FOLDER})
_DRAWN: Final = (
    Tag.TYPE_TOOL_OBJECT_SETTING,
    Tag.SOLID_COLOR_SHEET_SETTING,
    Tag.GRADIENT_FILL_SETTING,
    Tag.PATTERN_FILL_SETTING,
    Tag.VECTOR_STROKE_CONTENT_DATA,
)
VECTOR_MASKS: Final = (Tag.VECTOR_MASK_SETTING1, Tag.VECTOR_MASK_SETTING2)


def select_layer(parts: Anatomy, wanted: str | None, name: str) -> LayerPart:
    """The top-most visible layer with pixels whose name matches `wanted` (a name or glob).

    Without a name, texts, shapes and fills are passed over. A name of hidden layers takes their
    top-most. `name` is the file's, for sentences.
    Raises SettingsError where there is none, or where that layer cannot carry a mask.
    """
    if not parts.layers:
        raise SettingsError(
            f"{name}: the file has no layers, only a background; in your editor make a layer of it "
            "(Layer > New > Layer from Background), or write a new PSD without in_place."
        )
    layers = [layer for layer in parts.layers if layer.divider == SectionDivider.OTHER]
    if wanted is not None:
        layers = [layer for layer in layers if layer.name == wanted] or [
            layer for layer in layers if fnmatchcase(layer.name, wanted)
        ]
    layers = [layer for layer in layers if has_pixels(layer) and (wanted is not None or not is_drawn(layer))]
    shown = visible_layers(parts)
    chosen = [layer for layer in layers if layer in shown] or (layers if wanted is not None else [])
    if not chosen:
        raise SettingsError(_no_layer(parts, wanted, name))
    _check_can_carry_a_mask(chosen[-1], name)
    return chosen[-1]


def has_pixels(layer: LayerPart) -> bool:
    """Whether a layer has pixels of its own: an adjustment or an empty layer has none."""
    return bool(layer.box.width > 0 and layer.box.height > 0)


def is_drawn(layer: LayerPart) -> bool:
    """Whether its pixels are drawn from a text, a shape or a fill: no photo, unless a rule names it."""
    return any(tag in layer.record.tagged_blocks for tag in _DRAWN)


def visible_layers(parts: Anatomy) -> list[LayerPart]:
    """Layers that are switched on, and so is each group around them; from the bottom up."""
    shown = []
    hidden_groups: list[bool] = []
    for layer in reversed(parts.layers):
        if layer.divider in FOLDERS:
            hidden_groups.append(not layer.record.flags.visible)
        elif layer.divider == SectionDivider.BOUNDING_SECTION_DIVIDER:
            if hidden_groups:
                hidden_groups.pop()
        elif layer.record.flags.visible and not any(hidden_groups):
            shown.append(layer)
    return shown[::-1]


def is_background(layer: LayerPart) -> bool:
    """Whether this is the locked background: at the bottom, and without transparency."""
    return layer.is_lowest and int(ChannelID.TRANSPARENCY_MASK) not in layer.channels


def _check_can_carry_a_mask(layer: LayerPart, name: str) -> None:
    if is_background(layer):
        raise SettingsError(
            f"{name}: the layer '{layer.name}' is the background, which cannot hold a mask; in your editor "
            "make a layer of it (Layer > New > Layer from Background)."
        )
    blocks = layer.record.tagged_blocks
    if int(ChannelID.REAL_USER_LAYER_MASK) in layer.channels or any(tag in blocks for tag in VECTOR_MASKS):
        raise SettingsError(
            f"{name}: the layer '{layer.name}' has a vector mask; in your editor rasterize it "
            "(Layer > Rasterize > Vector Mask) or choose another layer."
        )


def _no_layer(parts: Anatomy, wanted: str | None, name: str) -> str:
    if wanted is None:
        return (
            f"{name}: no visible layer has pixels; in your editor show the photo's layer, "
            "or name it with the option 'layer'."
        )
    kinds = [layer for layer in parts.layers if fnmatchcase(layer.name, wanted)]
    if kinds:
        return f"{name}: '{wanted}' is a group or has no pixels; let 'layer' name a layer with pixels."
    known = ", ".join(f"'{layer.name}'" for layer in reversed(parts.layers) if has_pixels(layer)) or "none"
    return f"{name}: no layer is called '{wanted}'; layers with pixels: {known}."
