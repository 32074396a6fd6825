"""Runs inside GIMP: every mode and precision, with and without alpha, at various places; XCF and PSD."""

from __future__ import annotations

import json
from typing import Any

import in_gimp
from gi.repository import Gegl, Gimp

KINDS = {
    "rgb": Gimp.ImageBaseType.RGB,
    "gray": Gimp.ImageBaseType.GRAY,
    "indexed": Gimp.ImageBaseType.INDEXED,
}


def make(case: dict[str, Any]) -> tuple[Any, Any]:
    """The photo as an image of the case's mode and precision, its layer at the case's place."""
    image = in_gimp.load("photo.png")
    layer = image.get_layers()[0]
    if case["alpha"]:
        layer.add_alpha()
        # A soft hole: transparent, half and opaque pixels in one layer.
        width, height = layer.get_width(), layer.get_height()
        rows = b"".join(bytes([min(255, 4 * row)]) * width for row in range(height))
        mask = layer.create_mask(Gimp.AddMaskType.WHITE)
        buffer = mask.get_buffer()
        buffer.set(Gegl.Rectangle.new(0, 0, width, height), "Y u8", rows)
        buffer.flush()
        del buffer
        layer.add_mask(mask)
        layer.remove_mask(Gimp.MaskApplyMode.APPLY)
    if case["mode"] == "gray":
        image.convert_grayscale()
    if case["mode"] == "indexed":
        palette = Gimp.ConvertPaletteType.GENERATE
        image.convert_indexed(Gimp.ConvertDitherType.NONE, palette, 64, False, False, "")
    elif case["precision"] != "U8_NON_LINEAR":
        image.convert_precision(getattr(Gimp.Precision, case["precision"]))
    left, top = case["offset"]
    layer.set_offsets(left, top)
    image.resize(*case["canvas"], 0, 0)
    return image, layer


for case in json.loads((in_gimp.SCRATCH / "cases.json").read_text(encoding="utf-8")):
    image, layer = make(case)
    before = in_gimp.digest(layer)
    status, error = in_gimp.call("mask", image, [layer], model="u2netp", quality="fast")
    in_gimp.record_result(
        case["name"], image, layer, status=status, error=error, same=in_gimp.digest(layer) == before
    )
    if status == "success":
        for ending in case["save"]:
            in_gimp.save(image, f"{case['name']}.{ending}")
            again = in_gimp.load(f"{case['name']}.{ending}")
            in_gimp.record_result(f"{case['name']}-{ending}", again, again.get_layers()[0])
            again.delete()
    image.delete()
