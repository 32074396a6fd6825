"""Runs inside GIMP: several results of one call, and masks that go on a copy of their layer."""

from __future__ import annotations

from typing import Any

import in_gimp
from gi.repository import Gimp

FAST = {"model": "u2netp", "quality": "fast"}
ALL = {"and_selection": True, "and_channel": True}


def fresh(*, alpha: bool = False) -> tuple[Any, Any]:
    """The photo on a larger canvas, and its layer; with alpha it is transparent in its corners."""
    image = in_gimp.load("photo.png")
    image.undo_disable()
    layer = image.get_layers()[0]
    image.resize(90, 100, 12, 9)
    if alpha:
        layer.add_alpha()
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 12, 9, 60, 81)
        Gimp.Selection.feather(image, 12)
        Gimp.Selection.invert(image)
        layer.edit_clear()
        Gimp.Selection.none(image)
    image.undo_enable()
    image.clean_all()
    return image, layer


def canvas(image: Any, drawable: Any) -> bytes:
    """Values of a channel (stored with a curve in 8-bit images) or of the selection."""
    form = "Y u8" if drawable.is_selection() else "Y' u8"
    return in_gimp.read(drawable, form, (0, 0, image.get_width(), image.get_height()))


def found(image: Any, layer: Any) -> dict[str, Any]:
    """All that a call left."""
    channels, mask = image.get_channels(), layer.get_mask()
    return {
        "selected": list(Gimp.Selection.bounds(image))[-4:] if not Gimp.Selection.is_empty(image) else [],
        "selection": canvas(image, image.get_selection()),
        "channels": len(channels),
        "channel": canvas(image, channels[0]) if channels else b"",
        "mask": in_gimp.read(mask, "Y u8") if mask is not None else b"",
        "names": [item.get_name() for item in image.get_layers()],
        "visible": [item.get_visible() for item in image.get_layers()],
        "current": [item.get_name() for item in image.get_selected_layers()],
    }


for name, values in (
    ("mask", {"result": "mask", **ALL}),
    ("mask-alone", {"result": "mask"}),
    ("layer", {"result": "layer", **ALL}),
    ("channel", {"result": "channel", **ALL}),
    ("selection", {"result": "selection"}),
):
    image, layer = fresh(alpha=True)
    status, error = in_gimp.call("mask", image, [layer], **values, **FAST)
    masked = image.get_layers()[0] if name == "layer" else layer
    in_gimp.write_down(f"several-{name}", status=status, error=error, **found(image, masked))
    image.delete()

# Of two layers, each with its channel; the selection holds both.
image, layer = fresh()
second = layer.copy()
image.insert_layer(second, None, 0)
second.set_offsets(2, 3)
status, error = in_gimp.call("mask", image, [layer, second], **ALL, **FAST)
in_gimp.write_down("several-two", status=status, error=error, **found(image, layer))
image.delete()

image, layer = fresh()
image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 10, 20, 20)
before = in_gimp.state(image)
status, error = in_gimp.call("mask", image, [layer], and_selection=True, existing="refuse", **FAST)
in_gimp.write_down("several-kept", status=status, error=error, same=in_gimp.state(image) == before)
image.delete()

image, layer = fresh()
said = [*in_gimp.call("point", image, [layer], quality="fast", inside="33,30", on_copy=True, **ALL)]
copy = image.get_layers()[0]
in_gimp.write_down("several-point", said=said, own=layer.get_mask() is not None, **found(image, copy))
said = [*in_gimp.call("refine", image, [copy], refine="none", shift=1.0, and_channel=True)]
in_gimp.write_down("several-refine", said=said, **found(image, copy))
image.delete()
