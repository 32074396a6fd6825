"""Runs inside GIMP: an engine that cannot be had, a licence that forbids, and what a batch hears."""

from __future__ import annotations

from pathlib import Path

import in_gimp

record = Path(globals()["record"])
for trouble, text in globals()["troubles"].items():
    if text is None:
        record.unlink()
    else:
        record.write_text(text, encoding="utf-8")
    image = in_gimp.load("photo.png")
    layer = image.get_layers()[0]
    before = in_gimp.state(image)
    said = [in_gimp.call(name, image, [layer]) for name in ("mask", "again")]
    in_gimp.write_down(f"trouble-{trouble}", said=said, same=in_gimp.state(image) == before)
    image.delete()
