"""Runs inside GIMP: loads PSDs that Mattebox wrote, and hands back their layers and what they show."""

from __future__ import annotations

import json

import in_gimp
from gi.repository import Gimp

for name in json.loads((in_gimp.SCRATCH / "psds.json").read_text(encoding="utf-8")):
    image = in_gimp.load(name)
    layers = image.get_layers()
    masked = next(layer for layer in layers if layer.get_mask() is not None)
    in_gimp.record_result(
        name,
        image,
        masked,
        names=[layer.get_name() for layer in layers],
        visible=[layer.get_visible() for layer in layers],
    )
    # What GIMP composites of the layers, as one layer of the canvas' size.
    in_gimp.record_result(f"{name}-shown", image, Gimp.Layer.new_from_visible(image, image, "shown"))
    image.delete()
