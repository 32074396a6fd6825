"""Runs inside GIMP: two procedures whose engine cannot be had, and what a batch hears of it."""

from __future__ import annotations

import in_gimp

image = in_gimp.load("photo.png")
layer = image.get_layers()[0]
before = in_gimp.state(image)
said = [in_gimp.call(name, image, [layer]) for name in ("mask", "again")]
in_gimp.write_down(globals()["trouble"], said=said, same=in_gimp.state(image) == before)
image.delete()
