"""The engine's answers become part of the image, in one undo step.

Everything that can fail (memory for masks, layers and channels) is made before the image is touched.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from gi.repository import Gimp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mattebox.gimp_plugin.mattebox import messages
    from mattebox.gimp_plugin.mattebox.client import Answer
    from mattebox.gimp_plugin.mattebox.errors import RefusedError
    from mattebox.gimp_plugin.mattebox.options import Options
    from mattebox.gimp_plugin.mattebox.pixels import LayerView
    from mattebox.gimp_plugin.mattebox.unchanged import require_place, require_unchanged
    from mattebox.gimp_plugin.mattebox.words import _
else:
    import messages
    from errors import RefusedError
    from unchanged import require_place, require_unchanged
    from words import _

_OPERATIONS = {
    "replace": Gimp.ChannelOps.REPLACE,
    "refuse": Gimp.ChannelOps.REPLACE,
    "intersect": Gimp.ChannelOps.INTERSECT,
    "add": Gimp.ChannelOps.ADD,
    "subtract": Gimp.ChannelOps.SUBTRACT,
}


def apply(options: Options, image: Any, results: list[tuple[LayerView, Answer]]) -> list[str]:
    """Put every answer where the options say, and return what else the user should know.

    Raises RefusedError where a layer is not what was read any more, or nothing was found in any.
    """
    for view, _answer in results:
        require_unchanged(view.layer, image, view.state)
    found = [(view, answer) for view, answer in results if not answer.report.get("empty")]
    if not found:
        name = results[0][0].layer.get_name()
        raise RefusedError(messages.nothing_found(name, options.source, options.inside))
    steps = [
        step for index, (view, answer) in enumerate(found) for step in _prepared(options, view, answer, index)
    ]
    # Writing takes its time too; from here on it is a moment.
    for view, _answer in found:
        require_place(view.layer, image, view.state)
    image.undo_group_start()
    try:
        for step in steps:
            step()
    finally:
        image.undo_group_end()
    return _remarks(options, results)


def _remarks(options: Options, results: list[tuple[LayerView, Answer]]) -> list[str]:
    names = [view.layer.get_name() for view, answer in results if answer.report.get("empty")]
    remarks = [messages.left_out(names)] if names else []
    if options.results.hides:
        shown = [view.layer.get_name() for view, _answer in results if view.layer.get_lock_visibility()]
        remarks += [messages.stays_shown(shown)] if shown else []
    if options.source == "network":
        alone = len(results) == 1
        doubts = (messages.doubt(view.layer.get_name(), answer.report, alone) for view, answer in results)
        remarks += [line for line in doubts if line]
    return remarks


def _prepared(options: Options, view: LayerView, answer: Answer, index: int) -> Iterator[Callable[[], None]]:
    layer, image, results = view.layer, view.image, options.results
    if results.hides:
        new = view.new_copy() if results.on_copy else view.new_layer(answer.colours or b"")
        yield partial(_put_layer, image, layer, new, view.new_mask(new, answer.mask))
        if results.on_copy:
            yield partial(view.lock, new)
    elif results.of_layer:
        yield partial(_put_mask, layer, view.new_mask(layer, answer.mask))
    name = f"{layer.get_name()} subject"
    if results.channel:
        yield partial(_put_channel, image, view.new_channel(name, answer.product))
    if results.selection:
        operation = _OPERATIONS[options.existing]
        if index and operation == Gimp.ChannelOps.REPLACE:
            operation = Gimp.ChannelOps.ADD
        yield partial(_put_selection, image, view.new_channel(name, answer.product), operation)


def _require(done: bool) -> None:
    if not done:
        raise RefusedError(_("GIMP refused: {reason}").format(reason=Gimp.get_pdb().get_last_error()))


def _put_mask(layer: Any, mask: Any) -> None:
    if layer.get_mask() is not None:
        _require(layer.remove_mask(Gimp.MaskApplyMode.DISCARD))
    _require(layer.add_mask(mask))
    layer.set_edit_mask(False)


def _put_layer(image: Any, layer: Any, new: Any, mask: Any) -> None:
    _require(image.insert_layer(new, layer.get_parent(), image.get_item_position(layer)))
    _put_mask(new, mask)
    layer.set_visible(False)


def _put_channel(image: Any, channel: Any) -> None:
    selected = image.get_selected_layers()
    _require(image.insert_channel(channel, None, 0))
    # A new channel is selected by GIMP; the next step of the user is for the layers.
    image.set_selected_layers(selected)


def _put_selection(image: Any, channel: Any, operation: Any) -> None:
    selected = image.get_selected_layers()
    _require(image.insert_channel(channel, None, 0))
    _require(image.select_item(operation, channel))
    image.remove_channel(channel)
    image.set_selected_layers(selected)
