"""Runs inside GIMP: every kind of layer in every state with every result, and what is there afterwards."""

from __future__ import annotations

from typing import Any

import in_gimp
from gi.repository import Gimp, Gio

FAST = {"model": "u2netp", "quality": "fast"}
RESULTS = ("mask", "selection", "channel", "layer")
LOCKS = ("content", "alpha", "position", "visibility")
STATES = ("plain", "hidden", "masked", "locked", "parent")
# Kinds that differ from one of these in their pixels alone are tried in two states.
WHOLE = ("raster", "text", "group", "exposure", "link", "vector")
EFFECTS = {
    "exposure": ("gegl:exposure", {"exposure": 1.5}),
    "lens": ("gegl:lens-distortion", {"main": 60.0}),
    "shadow": ("gegl:dropshadow", {"x": -9.0, "y": -7.0, "radius": 2.0}),
}


def kinds() -> list[str]:
    """Link and vector layers came with GIMP 3.2."""
    newer = ["link", "vector"] if hasattr(Gimp, "LinkLayer") else []
    return ["raster", "alpha", "text", "group", "passing", "effect-group", *EFFECTS, *newer]


def effect(layer: Any, name: str) -> None:
    """A non-destructive effect, as the Filters menu makes one."""
    operation, values = EFFECTS[name]
    made = Gimp.DrawableFilter.new(layer, operation, "")
    config = made.get_config()
    for key, value in values.items():
        config.set_property(key, value)
    layer.append_filter(made)
    made.update()


photo = in_gimp.load("photo.png")


def fresh(kind: str) -> tuple[Any, Any]:
    """An image that is larger than its photo, and a layer of this kind in it."""
    image = photo.duplicate()
    image.undo_disable()
    layer = image.get_layers()[0]
    image.resize(90, 100, 12, 9)
    if kind == "alpha":
        layer.add_alpha()
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 12, 9, 60, 81)
        Gimp.Selection.feather(image, 12)
        Gimp.Selection.invert(image)
        layer.edit_clear()
        Gimp.Selection.none(image)
    elif kind == "text":
        font = Gimp.Font.get_by_name("DejaVu Sans Bold") or Gimp.context_get_font()
        layer = added(image, Gimp.TextLayer.new(image, "Ag", font, 40.0, Gimp.Unit.pixel()), layer)
        layer.set_offsets(7, 12)
    elif kind in ("group", "passing", "effect-group"):
        group = Gimp.GroupLayer.new(image, kind)
        image.insert_layer(group, None, 0)
        image.reorder_item(layer, group, 0)
        layer = group
        if kind == "passing":
            layer.set_mode(Gimp.LayerMode.PASS_THROUGH)
        if kind == "effect-group":
            effect(layer, "lens")
    elif kind == "link":
        file = Gio.File.new_for_path(str(in_gimp.SCRATCH / "photo.png"))
        layer = added(image, Gimp.LinkLayer.new(image, file), layer)
    elif kind == "vector":
        path = Gimp.Path.new(image, "outline")
        image.insert_path(path, None, 0)
        path.bezier_stroke_new_ellipse(45, 50, 24, 34, 0)
        layer = added(image, Gimp.VectorLayer.new(image, path), layer)
        layer.set_enable_fill(True)
        layer.refresh()
    elif kind in EFFECTS:
        effect(layer, kind)
    image.undo_enable()
    return image, layer


def added(image: Any, layer: Any, photo: Any) -> Any:
    """A layer instead of the photo."""
    image.insert_layer(layer, None, 0)
    image.remove_layer(photo)
    return layer


def put_into(image: Any, layer: Any, state: str) -> None:
    """The states that may kill a plug-in, or make its result useless."""
    if state == "hidden":
        layer.set_visible(False)
    elif state == "masked":
        layer.add_mask(layer.create_mask(Gimp.AddMaskType.BLACK))
        layer.set_apply_mask(False)
        layer.set_edit_mask(True)
    elif state == "locked":
        for lock in LOCKS:
            getattr(layer, f"set_lock_{lock}")(True)
    elif state.startswith("lock-"):
        getattr(layer, f"set_lock_{state[5:]}")(True)
    elif state == "parent":
        parent = Gimp.GroupLayer.new(image, "parent")
        image.insert_layer(parent, None, 0)
        image.reorder_item(layer, parent, 0)
        for lock in ("content", "position", "visibility"):
            getattr(parent, f"set_lock_{lock}")(True)


def screen(image: Any, layer: Any) -> bytes:
    """What GIMP's canvas shows of a layer alone without its mask, as R'G'B'A u8 of the layer's place."""
    alone = image.duplicate()
    twin = next(item for item in alone.get_layers() if item.get_name() == layer.get_name())
    for item in alone.get_layers():
        item.set_visible(item.get_name() == twin.get_name())
    if twin.get_mode() == Gimp.LayerMode.PASS_THROUGH:
        twin.set_mode(Gimp.LayerMode.NORMAL)
    seen = Gimp.Layer.new_from_visible(alone, alone, "seen")
    left, top = layer.get_offsets()[-2:]
    place = (left, top, layer.get_width(), layer.get_height())
    data = in_gimp.read(seen, "R'G'B'A u8", place)
    alone.delete()
    return data


def properties(layer: Any) -> list[Any]:
    """What a cut may not change of its layer."""
    locks = [getattr(layer, f"get_lock_{lock}")() for lock in LOCKS]
    return [type(layer).__name__, in_gimp.digest(layer), locks, len(layer.get_filters()), layer.get_opacity()]


def canvas(image: Any, drawable: Any) -> bytes:
    """Values of a channel (stored with a curve in 8-bit images) or of the selection."""
    form = "Y u8" if drawable.is_selection() else "Y' u8"
    return in_gimp.read(drawable, form, (0, 0, image.get_width(), image.get_height()))


def reference(kind: str, state: str) -> None:
    """The mask of a plain layer with the pixels that the screen shows; locked alpha ties effects too."""
    image, layer = fresh(kind)
    put_into(image, layer, state)
    width, height = layer.get_width(), layer.get_height()
    shown = screen(image, layer)
    flat = Gimp.Image.new(width, height, Gimp.ImageBaseType.RGB)
    plain = Gimp.Layer.new(
        flat, "plain", width, height, Gimp.ImageType.RGBA_IMAGE, 100, Gimp.LayerMode.NORMAL
    )
    flat.insert_layer(plain, None, 0)
    buffer = plain.get_buffer()
    buffer.set(in_gimp.Gegl.Rectangle.new(0, 0, width, height), "R'G'B'A u8", shown)
    buffer.flush()
    del buffer
    plain.update(0, 0, width, height)
    status, error = in_gimp.call("mask", flat, [plain], **FAST)
    mask = plain.get_mask()
    in_gimp.write_down(
        f"{kind}-{state}-reference",
        status=status,
        error=error,
        size=[width, height],
        place=list(layer.get_offsets())[-2:],
        shown=shown,
        raw=in_gimp.read(layer, "R'G'B'A u8"),
        mask=in_gimp.read(mask, "Y u8") if mask is not None else b"",
    )
    flat.delete()
    image.delete()


def case(kind: str, state: str, result: str) -> None:
    """One call, and all that it left."""
    image, layer = fresh(kind)
    put_into(image, layer, state)
    image.clean_all()
    before, visible = properties(layer), layer.get_visible()
    values = {"result": "mask", "on_copy": True} if result == "copy" else {"result": result}
    status, error = in_gimp.call("mask", image, [layer], **values, **FAST)
    same = properties(layer) == before
    found: dict[str, Any] = {"status": status, "error": error, "same": same, "mask": b"", "canvas": b""}
    found["shown"] = [visible, layer.get_visible()]
    if status == "success":
        target = layer
        if result in ("layer", "copy"):
            siblings = layer.get_parent().get_children() if layer.get_parent() else image.get_layers()
            target = siblings[image.get_item_position(layer) - 1]
            found["new"] = [
                type(target).__name__,
                [getattr(target, f"get_lock_{lock}")() for lock in LOCKS],
                len(target.get_filters()),
                target.get_visible(),
                list(target.get_offsets())[-2:] == list(layer.get_offsets())[-2:],
            ]
            found["pixels"] = in_gimp.read(target, "R'G'B'A u8")
            found["kind"] = [properties(target)[place] for place in (0, 1, 3, 4)]
            found["own"] = [before[place] for place in (0, 1, 3, 4)]
            found["masked"] = layer.get_mask() is not None
            if kind in ("link", "vector", "text") and state == "plain":
                in_gimp.save(image, "again.xcf")
                again = in_gimp.load("again.xcf")
                found["reloaded"] = in_gimp.digest(again.get_layers()[0]) == in_gimp.digest(target)
                again.delete()
        if result in ("mask", "layer", "copy"):
            mask = target.get_mask()
            found["mask"] = in_gimp.read(mask, "Y u8")
            found["used"] = [target.get_apply_mask(), target.get_edit_mask(), target.get_show_mask()]
        else:
            drawable = image.get_selection() if result == "selection" else image.get_channels()[0]
            found["canvas"] = canvas(image, drawable)
    in_gimp.write_down(f"{kind}-{state}-{result}", **found)
    image.delete()


for kind in [kind for kind in kinds() if kind in globals()["wanted"]]:
    # Locked alpha holds the effects of layers with alpha back. (GIMP's own copy of a locked vector layer is
    # empty, so the screen's picture of one is taken without locks.)
    for state in ("plain", "locked") if kind == "effect-group" else ("plain",):
        reference(kind, state)
    locks = [f"lock-{lock}" for lock in LOCKS] if kind in ("raster", "group") else []
    for state in (*(STATES if kind in WHOLE else ("plain", "locked")), *locks):
        for result in (*RESULTS, "copy") if state == "locked" else RESULTS:
            case(kind, state, result)
