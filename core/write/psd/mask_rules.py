"""The mask that a layer gets: the matte alone, or together with the mask and the vector mask that it has.

A vector mask may stand in a file as its path alone, or rendered, where a user mask stands otherwise (-2); the
user mask then stands beside it (-3), and -2 is both together.
Source: Adobe Photoshop File Formats Specification, "Layer mask / adjustment layer data".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from psd_tools.constants import ChannelID

from mattebox.core.errors import SettingsError
from mattebox.core.photo.own_alpha import multiplied
from mattebox.core.write.psd.anatomy import Anatomy, LayerPart, has_channel, read_channel
from mattebox.core.write.psd.masked_layer import Mask
from mattebox.core.write.psd.planes import Box, covered_box, on_canvas

if TYPE_CHECKING:
    from mattebox.core.photo import Pixels

_MASK: Final = int(ChannelID.USER_LAYER_MASK)
_REAL_MASK: Final = int(ChannelID.REAL_USER_LAYER_MASK)


def mask_of(file: BinaryIO, parts: Anatomy, layer: LayerPart, alpha: Pixels, rule: str) -> Mask:
    """The matte `alpha` (h, w) as the layer's mask by the rule for a mask that it has.

    rule: replace, intersect, add or refuse. Raises SettingsError, PhotoError.
    """
    old = layer.record.mask_data
    if old is None or not has_channel(layer, ChannelID.USER_LAYER_MASK):
        return cropped(alpha, 0)
    if old.flags.user_mask_from_render:
        return _beside_a_vector_mask(file, parts, layer, alpha, rule)
    if rule == "replace":
        return cropped(alpha, 0)
    _check_rule(parts, layer, rule)
    there, outside = _stored(file, parts, layer, alpha)
    if rule == "intersect":
        return cropped(np.minimum(there, alpha), 0)
    return cropped(np.maximum(there, alpha), outside)


def cropped(alpha: Pixels, outside: int) -> Mask:
    """A mask without the margin that the value outside stands for; that value is 0 or 255 in a file."""
    box = covered_box(alpha != outside)
    return Mask(alpha[box.top : box.bottom, box.left : box.right], box, 255 if outside else 0)


def _beside_a_vector_mask(file: BinaryIO, parts: Anatomy, layer: LayerPart, alpha: Pixels, rule: str) -> Mask:
    there, _ = _stored(file, parts, layer, alpha)
    masked = has_channel(layer, ChannelID.REAL_USER_LAYER_MASK)
    old: Any = layer.record.mask_data
    if old.flags.parameters_applied or (masked and rule in {"replace", "add"}):
        raise SettingsError(
            f"{parts.path}: the vector mask of '{layer.name}' cannot be told apart from its other mask, its "
            "density or feather; in your editor rasterize it (Layer > Rasterize > Vector Mask) or choose "
            "another layer."
        )
    if not masked:
        return _with_rendered(alpha, multiplied(there, alpha))
    _check_rule(parts, layer, rule)
    user = _real(file, parts, layer, alpha)
    both = np.minimum(user, alpha)
    # What is stored is the vector mask times the user mask: the one is exchanged in the product.
    share = np.divide(both, user, out=np.zeros(both.shape, np.float64), where=user > 0)
    rendered: Pixels = np.empty_like(alpha)
    rendered[...] = np.rint(there * share)
    return _with_rendered(both, rendered)


def _with_rendered(user: Pixels, rendered: Pixels) -> Mask:
    mask, together = cropped(user, 0), cropped(rendered, 0)
    return Mask(mask.samples, mask.box, 0, rendered=together)


def _check_rule(parts: Anatomy, layer: LayerPart, rule: str) -> None:
    old: Any = layer.record.mask_data
    if rule == "refuse":
        raise SettingsError(
            f"{parts.path}: the layer '{layer.name}' has a mask already; set existing_mask to replace, "
            "intersect or add, or remove the mask in your editor."
        )
    if old.flags.parameters_applied or old.flags.invert_mask:
        raise SettingsError(
            f"{parts.path}: the mask of '{layer.name}' has a density, a feather or is inverted; in your "
            "editor apply that to the mask, or set existing_mask to replace."
        )


def _stored(file: BinaryIO, parts: Anatomy, layer: LayerPart, alpha: Pixels) -> tuple[Pixels, int]:
    """What the file has as the mask, on the canvas, and its value outside."""
    old: Any = layer.record.mask_data
    outside = int(np.iinfo(alpha.dtype).max) if old.background_color else 0
    box = Box(old.left, old.top, old.right, old.bottom)
    return on_canvas(read_channel(file, parts, layer, _MASK), box, alpha, outside), outside


def _real(file: BinaryIO, parts: Anatomy, layer: LayerPart, alpha: Pixels) -> Pixels:
    """The user mask beside a rendered vector mask, on the canvas."""
    old: Any = layer.record.mask_data
    outside = int(np.iinfo(alpha.dtype).max) if old.real_background_color else 0
    box = Box(old.real_left, old.real_top, old.real_right, old.real_bottom)
    return on_canvas(read_channel(file, parts, layer, _REAL_MASK), box, alpha, outside)
