"""The engine's answers become part of the image, in one undo step.

Everything that can fail (memory for masks, layers and channels) is made before the image is touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gi.repository import Gimp

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.gimp_plugin.mattebox.client import Answer
    from mattebox.gimp_plugin.mattebox.options import WishError, Wishes
    from mattebox.gimp_plugin.mattebox.pixels import Sight
else:
    from wishes import WishError

_OPERATIONS = {
    "replace": Gimp.ChannelOps.REPLACE,
    "refuse": Gimp.ChannelOps.REPLACE,
    "intersect": Gimp.ChannelOps.INTERSECT,
    "add": Gimp.ChannelOps.ADD,
    "subtract": Gimp.ChannelOps.SUBTRACT,
}


def apply(wishes: Wishes, image: Any, results: list[tuple[Sight, Answer]]) -> None:
    """Put every answer where it is wished."""
    steps = [_prepared(wishes, sight, answer, index) for index, (sight, answer) in enumerate(results)]
    image.undo_group_start()
    try:
        for step in steps:
            step()
    finally:
        image.undo_group_end()


def _prepared(wishes: Wishes, sight: Sight, answer: Answer, index: int) -> Callable[[], None]:
    layer, image = sight.layer, sight.image
    if wishes.result == "mask":
        mask = sight.new_mask(layer, answer.mask)
        return lambda: _put_mask(layer, mask)
    if wishes.result == "layer":
        new = sight.new_layer(answer.colours or b"")
        mask = sight.new_mask(new, answer.mask)
        return lambda: _put_layer(image, layer, new, mask)
    channel = sight.new_channel(f"{layer.get_name()} subject", answer.mask)
    if wishes.result == "channel":
        return lambda: _put_channel(image, channel)
    operation = _OPERATIONS[wishes.existing]
    if index and operation == Gimp.ChannelOps.REPLACE:
        operation = Gimp.ChannelOps.ADD
    return lambda: _put_selection(image, channel, operation)


def _must(done: bool) -> None:
    if not done:
        raise WishError(f"GIMP refused: {Gimp.get_pdb().get_last_error()}")


def _put_mask(layer: Any, mask: Any) -> None:
    if layer.get_mask() is not None:
        _must(layer.remove_mask(Gimp.MaskApplyMode.DISCARD))
    _must(layer.add_mask(mask))
    layer.set_edit_mask(False)


def _put_layer(image: Any, layer: Any, new: Any, mask: Any) -> None:
    _must(image.insert_layer(new, layer.get_parent(), image.get_item_position(layer)))
    _put_mask(new, mask)
    layer.set_visible(False)


def _put_channel(image: Any, channel: Any) -> None:
    selected = image.get_selected_layers()
    _must(image.insert_channel(channel, None, 0))
    # A new channel is selected by GIMP; the next step of the user is for the layers.
    image.set_selected_layers(selected)


def _put_selection(image: Any, channel: Any, operation: Any) -> None:
    selected = image.get_selected_layers()
    _must(image.insert_channel(channel, None, 0))
    _must(image.select_item(operation, channel))
    image.remove_channel(channel)
    image.set_selected_layers(selected)
