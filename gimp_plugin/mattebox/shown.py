"""What a layer shows: its pixels with its effects, as GIMP itself renders them on the canvas.

GIMP applies a layer's mask after its effects and cuts everything off at the layer's own edges, so a mask
fits what this gives, whatever the effects move; drop shadows beyond the layer's edges end there.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from gi.repository import Gimp

if TYPE_CHECKING:
    from collections.abc import Iterator


def has_effects(layer: Any) -> bool:
    """Whether an effect of the layer itself is switched on; those inside of a group are in its pixels."""
    return any(effect.get_visible() for effect in layer.get_filters())


@contextlib.contextmanager
def rendered(layer: Any, image: Any) -> Iterator[Any]:
    """A drawable of the layer's size that holds what the layer shows; it has alpha, and ends with the block.

    It is made in an image of its own, so that the user's image and its undo history stay as they are.
    """
    size = (layer.get_width(), layer.get_height())
    stage = Gimp.Image.new_with_precision(*size, image.get_base_type(), image.get_precision())
    try:
        stage.undo_disable()
        profile = image.get_color_profile()
        if profile is not None:
            stage.set_color_profile(profile)
        if stage.get_base_type() == Gimp.ImageBaseType.INDEXED:
            stage.set_palette(image.get_palette())
        copy = Gimp.Layer.new_from_drawable(layer, stage)
        stage.insert_layer(copy, None, 0)
        for unlock in (copy.set_lock_content, copy.set_lock_position, copy.set_lock_visibility):
            unlock(False)
        if copy.get_mask() is not None:
            copy.remove_mask(Gimp.MaskApplyMode.DISCARD)
        copy.set_offsets(0, 0)
        copy.set_visible(True)
        copy.set_opacity(100.0)
        copy.set_mode(Gimp.LayerMode.NORMAL)
        yield Gimp.Layer.new_from_visible(stage, stage, "")
    finally:
        stage.delete()
