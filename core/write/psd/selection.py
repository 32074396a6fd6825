"""Which layer of a PSD gets the mask, and which layers cannot."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, BinaryIO, Final

from psd_tools.constants import ChannelID, SectionDivider, Tag

from mattebox.core.errors import SettingsError
from mattebox.core.write.psd.coverage import Shown, areas, is_one_colour, shown_layers

if TYPE_CHECKING:
    from mattebox.core.write.psd.anatomy import Anatomy, LayerPart

_DRAWN: Final = (
    Tag.TYPE_TOOL_OBJECT_SETTING,
    Tag.SOLID_COLOR_SHEET_SETTING,
    Tag.GRADIENT_FILL_SETTING,
    Tag.PATTERN_FILL_SETTING,
    Tag.VECTOR_STROKE_CONTENT_DATA,
)
VECTOR_MASKS: Final = (Tag.VECTOR_MASK_SETTING1, Tag.VECTOR_MASK_SETTING2)
# Of the largest layer's share: from here on a second one is as likely to be the photo.
_ALIKE: Final = 0.75
_LITTLE: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The layer that gets the mask, and a sentence for the report where that may be the wrong one."""

    layer: LayerPart
    note: str | None = None


def select_layer(file: BinaryIO, parts: Anatomy, wanted: str | None) -> Choice:
    """The layer of that name or glob, else the one that is the photo by what it is.

    By name: the top-most visible one with pixels; a name of hidden layers takes their top-most. Without a
    name: the layer in normal blend mode, opaque and not clipped, that shows most of the picture; texts,
    shapes, fills and layers of one colour are passed over.
    Raises SettingsError where there is none or where two are alike, PhotoError.
    """
    return _photo_layer(file, parts) if wanted is None else Choice(_named(parts, wanted))


def _named(parts: Anatomy, wanted: str) -> LayerPart:
    layers = [layer for layer in parts.layers if layer.divider == SectionDivider.OTHER]
    layers = [layer for layer in layers if layer.name == wanted] or [
        layer for layer in layers if fnmatchcase(layer.name, wanted)
    ]
    layers = [layer for layer in layers if has_pixels(layer)]
    if not layers:
        raise SettingsError(_no_layer(parts, wanted))
    shown = visible_layers(parts)
    return ([layer for layer in layers if layer in shown] or layers)[-1]


def _photo_layer(file: BinaryIO, parts: Anatomy) -> Choice:
    shown = shown_layers(parts)
    photos = [item for item in shown if has_pixels(item.layer) and not is_drawn(item.layer)]
    if not photos:
        raise SettingsError(_nothing_to_mask(parts, shown))
    found = areas(file, parts, shown)
    backdrops = {item.layer for item in photos if is_one_colour(file, parts, item.layer)}
    pictures = [item for item in photos if item.layer not in backdrops] or photos
    plain = [item for item in pictures if item.is_normal and not item.is_clipped and item.opacity == 1]
    ranked = sorted(plain or pictures, key=lambda item: found[item.layer], reverse=True)
    most = found[ranked[0].layer]
    alike = [item for item in ranked if found[item.layer] >= _ALIKE * most]
    if len(alike) > 1:
        names = ", ".join(f"'{item.layer.name}'" for item in alike)
        raise SettingsError(
            f"{parts.path}: which layer is the photo cannot be told, these are alike: {names}; "
            "name one with the option 'layer'."
        )
    layer = ranked[0].layer
    whole = sum(area for one, area in found.items() if one not in backdrops)
    share = most / whole if whole else 0.0
    if plain and share >= _LITTLE:
        return Choice(layer)
    what = f"shows {share:.0%} of the picture" if plain else "is clipped, half transparent or blended"
    return Choice(
        layer,
        f"The mask of {parts.path.name} is on the layer '{layer.name}', which {what}: "
        "if that is not the photo, name its layer with the option 'layer'.",
    )


def has_pixels(layer: LayerPart) -> bool:
    """Whether a layer has pixels of its own: an adjustment or an empty layer has none."""
    return bool(layer.box.width > 0 and layer.box.height > 0)


def is_drawn(layer: LayerPart) -> bool:
    """Whether its pixels are drawn from a text, a shape or a fill: no photo, unless a rule names it."""
    return any(tag in layer.record.tagged_blocks for tag in _DRAWN)


def visible_layers(parts: Anatomy) -> list[LayerPart]:
    """Layers that are switched on, and so is each group around them; from the bottom up."""
    return [item.layer for item in shown_layers(parts)]


def is_background(layer: LayerPart) -> bool:
    """Whether this is a background: at the bottom, and without transparency."""
    return layer.is_lowest and int(ChannelID.TRANSPARENCY_MASK) not in layer.channels


def check_background(parts: Anatomy, layer: LayerPart, rule: str) -> None:
    """Raise SettingsError where a background shall stay one."""
    if rule == "refuse":
        raise SettingsError(
            f"{parts.path}: the layer '{layer.name}' is the background, which cannot hold a mask; in your "
            "editor make a layer of it (Layer > New > Layer from Background), or set background to layer."
        )


def check_flat(parts: Anatomy, rule: str, wanted: str | None) -> None:
    """Raise SettingsError where a flat file shall stay flat, or has no layer of the name that is wanted."""
    if rule == "refuse":
        raise SettingsError(
            f"{parts.path}: the file has no layers, only a background; in your editor make a layer of it "
            "(Layer > New > Layer from Background), or set background to layer."
        )
    if wanted is not None and not fnmatchcase("Background", wanted):
        raise SettingsError(f"{parts.path}: no layer is called '{wanted}'; the file has no layers.")


def _nothing_to_mask(parts: Anatomy, shown: list[Shown]) -> str:
    drawn = any(is_drawn(item.layer) for item in shown)
    hidden = any(has_pixels(layer) and not is_drawn(layer) for layer in parts.layers)
    if drawn:
        what = "only texts, shapes and fills show"
    else:
        what = "only adjustments and empty layers show" if shown else "no layer shows"
    advice = (
        "in your editor show the photo's layer, or name it with the option 'layer'"
        if hidden
        else "it holds no photo to mask; name a layer with the option 'layer', or leave out in_place"
    )
    return f"{parts.path}: {what}; {advice}."


def _no_layer(parts: Anatomy, wanted: str) -> str:
    kinds = [layer for layer in parts.layers if fnmatchcase(layer.name, wanted)]
    if kinds:
        return f"{parts.path}: '{wanted}' is a group or has no pixels; let 'layer' name a layer with pixels."
    known = ", ".join(f"'{layer.name}'" for layer in reversed(parts.layers) if has_pixels(layer)) or "none"
    return f"{parts.path}: no layer is called '{wanted}'; layers with pixels: {known}."
