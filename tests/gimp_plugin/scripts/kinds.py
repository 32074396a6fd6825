"""Runs inside GIMP: images with a profile of their own, text layers, floating selections, locked layers."""

from __future__ import annotations

from typing import Any

import in_gimp
from gi.repository import Gimp, Gio

FAST = {"model": "u2netp", "quality": "fast"}
PROFILES = {
    "adobe": Gimp.ColorProfile.new_rgb_adobe,
    "gray": Gimp.ColorProfile.new_d50_gray_lab_trc,
}


def fresh() -> tuple[Any, Any]:
    """The photo and its layer."""
    image = in_gimp.load("photo.png")
    return image, image.get_layers()[0]


def export(image: Any, name: str) -> None:
    """GIMP's own PNG with the image's profile in it."""
    procedure = Gimp.get_pdb().lookup_procedure("file-png-export")
    config = procedure.create_config()
    config.set_property("image", image)
    config.set_property("file", Gio.File.new_for_path(str(in_gimp.SCRATCH / name)))
    config.set_property("include-color-profile", True)
    assert procedure.run(config).index(0) == Gimp.PDBStatusType.SUCCESS


def stored(layer: Any) -> bytes:
    """The layer's bytes just as GIMP keeps them."""
    return in_gimp.read(layer, None)


for name in ("adobe-U8", "adobe-U16", "adobe-U8-alpha", "gray-U8", "gray-U16"):
    image, layer = fresh()
    kind, depth, *more = name.split("-")
    if kind == "gray":
        image.convert_grayscale()
    assert image.set_color_profile(PROFILES[kind]())
    if depth == "U16":
        image.convert_precision(Gimp.Precision.U16_NON_LINEAR)
    if more:
        layer.add_alpha()
    before = stored(layer)
    export(image, f"profile-{name}.png")
    status, error = in_gimp.call("mask", image, [layer], **FAST)
    in_gimp.record_result(
        f"profile-{name}", image, layer, status=status, error=error, same=stored(layer) == before
    )
    if kind == "adobe":
        status, error = in_gimp.call("mask", image, [layer], result="layer", **FAST)
        new = image.get_layers()[0]
        in_gimp.record_result(
            f"clean-{name}", image, new, status=status, error=error, own=before, new=stored(new)
        )
    image.delete()

image, layer = fresh()
font = Gimp.Font.get_by_name("DejaVu Sans Bold") or Gimp.context_get_font()
text = Gimp.TextLayer.new(image, "Ag", font, 40.0, Gimp.Unit.pixel())
image.insert_layer(text, None, 0)
text.set_offsets(7, 12)
before = in_gimp.digest(text)
status, error = in_gimp.call("mask", image, [text], **FAST)
in_gimp.record_result(
    "text",
    image,
    text,
    status=status,
    error=error,
    same=in_gimp.digest(text) == before,
    still=text.is_text_layer() and text.get_text(),
)
status, error = in_gimp.call("mask", image, [text], result="layer", **FAST)
in_gimp.record_result(
    "text-clean", image, image.get_layers()[0], status=status, error=error, still=text.get_text()
)
image.delete()

image, layer = fresh()
image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 10, 40, 50)
floating = Gimp.Selection.float(image, [layer], 3, 2)
before = in_gimp.state(image)
status, error = in_gimp.call("mask", image, [floating], **FAST)
in_gimp.write_down("floating", status=status, error=error, same=in_gimp.state(image) == before)
status, error = in_gimp.call("mask", image, [layer], **FAST)
in_gimp.record_result("under-floating", image, layer, status=status, error=error)
Gimp.floating_sel_anchor(floating)
image.delete()

image, layer = fresh()
layer.set_visible(False)
for lock in ("content", "alpha", "position", "visibility"):
    getattr(layer, f"set_lock_{lock}")(True)
status, error = in_gimp.call("mask", image, [layer], **FAST)
in_gimp.record_result("locked", image, layer, status=status, error=error, still=layer.get_visible())
image.delete()
