"""Runs inside GIMP: selections, existing masks, several layers, groups, every result, and what is refused."""

from __future__ import annotations

from typing import Any

import in_gimp
from gi.repository import Gegl, Gimp

FAST = {"model": "u2netp", "quality": "fast"}


def fresh() -> tuple[Any, Any]:
    """The photo and its layer."""
    image = in_gimp.load("photo.png")
    return image, image.get_layers()[0]


def give_mask(layer: Any) -> bytes:
    """A mask that runs from 0 to 255 from left to right, with the values that were written."""
    width, height = layer.get_width(), layer.get_height()
    data = bytes(255 * column // (width - 1) for column in range(width)) * height
    mask = layer.create_mask(Gimp.AddMaskType.WHITE)
    buffer = mask.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, width, height), "Y u8", data)
    buffer.flush()
    del buffer
    layer.add_mask(mask)
    return data


def box(image: Any, left: int, top: int, width: int, height: int) -> None:
    """Select a rectangle."""
    image.select_rectangle(Gimp.ChannelOps.REPLACE, left, top, width, height)


def canvas_mask(image: Any, drawable: Any) -> bytes:
    """The stored values of a channel (with a curve in 8-bit images) or the selection (without one)."""
    form = "Y u8" if drawable.get_id() == image.get_selection().get_id() else "Y' u8"
    return in_gimp.read(drawable, form, (0, 0, image.get_width(), image.get_height()))


for how in ("replace", "intersect", "add", "subtract", "refuse"):
    image, layer = fresh()
    old = give_mask(layer)
    before = in_gimp.state(image)
    status, error = in_gimp.call("mask", image, [layer], existing=how, **FAST)
    same = in_gimp.state(image) == before
    in_gimp.record_result(f"existing-{how}", image, layer, status=status, error=error, same=same, old=old)
    image.delete()

image, layer = fresh()
status, error = in_gimp.call("mask", image, [layer], existing="subtract", **FAST)
in_gimp.record_result("existing-none-subtract", image, layer, status=status, error=error)
image.delete()

image, layer = fresh()
layer.set_offsets(-20, 11)
image.resize(90, 70, 0, 0)
box(image, 5, 15, 60, 50)
status, error = in_gimp.call("mask", image, [layer], inside_selection=True, **FAST)
in_gimp.record_result(
    "inside", image, layer, status=status, error=error, still=list(Gimp.Selection.bounds(image))[-4:]
)
box(image, 80, 0, 10, 5)
before = in_gimp.state(image)
status, error = in_gimp.call("mask", image, [layer], inside_selection=True, **FAST)
in_gimp.write_down("outside", status=status, error=error, same=in_gimp.state(image) == before)
for result in ("selection", "channel"):
    Gimp.Selection.none(image)
    status, error = in_gimp.call("mask", image, [layer], result=result, **FAST)
    drawable = image.get_selection() if result == "selection" else image.get_channels()[0]
    in_gimp.write_down(
        f"result-{result}",
        status=status,
        error=error,
        canvas=canvas_mask(image, drawable),
        channels=len(image.get_channels()),
        selected=[item.get_name() for item in image.get_selected_layers()],
    )
image.delete()

image, layer = fresh()
box(image, 0, 0, 40, 100)
status, error = in_gimp.call("mask", image, [layer], result="selection", existing="intersect", **FAST)
in_gimp.write_down(
    "selection-intersect", status=status, error=error, canvas=canvas_mask(image, image.get_selection())
)
image.delete()

for name in ("ellipse", "ellipse-16"):
    image, layer = fresh()
    if name.endswith("16"):
        image.convert_precision(Gimp.Precision.U16_NON_LINEAR)
    layer.set_offsets(8, -5)
    status, error = in_gimp.call("mask", image, [layer], **FAST)
    in_gimp.record_result(f"inside-{name}-plain", image, layer, status=status, error=error)
    layer.remove_mask(Gimp.MaskApplyMode.DISCARD)
    image.select_ellipse(Gimp.ChannelOps.REPLACE, 20, 5, 30, 50)
    Gimp.Selection.feather(image, 6)
    place = (8, -5, layer.get_width(), layer.get_height())
    selection = in_gimp.read(image.get_selection(), f"Y u{in_gimp.bits(image)}", place)
    status, error = in_gimp.call("mask", image, [layer], inside_selection=True, **FAST)
    in_gimp.record_result(f"inside-{name}", image, layer, status=status, error=error, selection=selection)
    image.delete()

for name, values in (
    ("nothing-found", {}),
    ("nothing-found-selection", {"result": "selection"}),
    ("nothing-found-effect", {}),
):
    image, layer = fresh()
    layer.fill(Gimp.FillType.WHITE)
    box(image, 10, 10, 20, 20)
    if name.endswith("effect"):
        layer.append_filter(Gimp.DrawableFilter.new(layer, "gegl:exposure", ""))
    image.clean_all()
    before = in_gimp.state(image)
    status, error = in_gimp.call("mask", image, [layer], **values, **FAST)
    same = in_gimp.state(image) == before and not image.is_dirty()
    in_gimp.write_down(name, status=status, error=error, same=same)
    image.delete()

image, layer = fresh()
layer.add_mask(layer.create_mask(Gimp.AddMaskType.BLACK))
before = in_gimp.state(image)
status, error = in_gimp.call("refine", image, [layer])
in_gimp.write_down("nothing-to-refine", status=status, error=error, same=in_gimp.state(image) == before)
image.delete()

# One of two layers holds a subject: it gets its mask, the other one stays as it was.
image, layer = fresh()
blank = layer.copy()
image.insert_layer(blank, None, 0)
blank.fill(Gimp.FillType.WHITE)
blank.set_name("blank")
status, error = in_gimp.call("mask", image, [blank, layer], **FAST)
in_gimp.record_result(
    "one-of-two", image, layer, status=status, error=error, blank=blank.get_mask() is not None
)
image.delete()

for form in ("plain", "alpha", "masked"):
    image, layer = fresh()
    if form == "alpha":
        layer.add_alpha()
    if form == "masked":
        give_mask(layer)
    before = in_gimp.digest(layer)
    status, error = in_gimp.call("mask", image, [layer], result="layer", **FAST)
    new = image.get_layers()[0]
    in_gimp.record_result(
        f"layer-{form}",
        image,
        new,
        status=status,
        error=error,
        same=in_gimp.digest(layer) == before,
        names=[item.get_name() for item in image.get_layers()],
        visible=[item.get_visible() for item in image.get_layers()],
    )
    image.delete()

image, layer = fresh()
image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 64, False, False, "")
before = in_gimp.state(image)
status, error = in_gimp.call("mask", image, [layer], result="layer", **FAST)
in_gimp.write_down("layer-indexed", status=status, error=error, same=in_gimp.state(image) == before)
image.delete()

image, layer = fresh()
second = layer.copy()
image.insert_layer(second, None, 0)
second.set_offsets(13, -7)
status, error = in_gimp.call("mask", image, [layer, second], **FAST)
in_gimp.record_result("several-first", image, layer, status=status, error=error)
in_gimp.record_result("several-second", image, second)
# A repeated call gets the mask that GIMP has selected meanwhile.
status, error = in_gimp.call("mask", image, [layer.get_mask()], **FAST)
in_gimp.record_result("mask-as-drawable", image, layer, status=status, error=error)
image.delete()

image, layer = fresh()
group = Gimp.GroupLayer.new(image, "group")
image.insert_layer(group, None, 0)
image.reorder_item(layer, group, 0)
status, error = in_gimp.call("mask", image, [group], **FAST)
in_gimp.record_result("group", image, group, status=status, error=error, inner=layer.get_mask() is not None)
image.delete()

image, layer = fresh()
give_mask(layer)
status, error = in_gimp.call("refine", image, [layer])
in_gimp.record_result("refine-mask", image, layer, status=status, error=error)
image.delete()
image, layer = fresh()
before = in_gimp.state(image)
status, error = in_gimp.call("refine", image, [layer])
in_gimp.write_down("refine-nothing", status=status, error=error, same=in_gimp.state(image) == before)
status, error = in_gimp.call("refine", image, [layer], source="selection")
in_gimp.write_down("refine-no-selection", status=status, error=error, same=in_gimp.state(image) == before)
box(image, 20, 10, 40, 50)
status, error = in_gimp.call("refine", image, [layer], source="selection")
in_gimp.record_result("refine-selection", image, layer, status=status, error=error)
channel = Gimp.Channel.new(image, "c", image.get_width(), image.get_height(), 50.0, Gegl.Color.new("red"))
image.insert_channel(channel, None, 0)
before = in_gimp.state(image)
status, error = in_gimp.call("mask", image, [channel], **FAST)
in_gimp.write_down("channel-refused", status=status, error=error, same=in_gimp.state(image) == before)
image.delete()

for name, rule in (("rule", "second"), ("rule-unknown", "third")):
    image, layer = fresh()
    before = in_gimp.state(image)
    path = str(in_gimp.SCRATCH / "rules.yaml")
    status, error = in_gimp.call("mask", image, [layer], rule_file=path, rule=rule)
    in_gimp.record_result(name, image, layer, status=status, error=error, same=in_gimp.state(image) == before)
    image.delete()

for name in ("again", "mask"):
    image, layer = fresh()
    status, error = in_gimp.call(name, image, [layer])
    in_gimp.record_result(f"{name}-defaults", image, layer, status=status, error=error)
    image.delete()

# Last, so that what GIMP prints of it is at the end: what the engine doubts, and what keeps a layer shown.
image, layer = fresh()
layer.set_name("doubtful")
layer.set_lock_visibility(True)
status, error = in_gimp.call("mask", image, [layer], result="layer", **FAST)
in_gimp.write_down("remarks", status=status, error=error)
image.delete()
