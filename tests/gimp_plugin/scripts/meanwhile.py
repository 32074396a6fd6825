"""Runs inside GIMP: cuts an image in each case, during which changer.py does what a user would do."""

from __future__ import annotations

import json

import in_gimp
from gi.repository import Gimp

for case in globals()["changes"]:
    image = in_gimp.load("large.png")
    layer = image.get_layers()[0]
    layer.set_name("photo")
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 100, 20, 300, 400)
    ids = in_gimp.SCRATCH / f"{case}.ids"
    ids.with_suffix(".new").write_text(json.dumps([image.get_id(), layer.get_id()]))
    ids.with_suffix(".new").replace(ids)
    values = {"inside_selection": True} if case == "selection" else {}
    status, error = in_gimp.call("mask", image, [layer], model="u2net", quality="balanced", **values)
    left = image.get_layers() if image.is_valid() else []
    masks = [item.get_mask() is not None and in_gimp.digest(item.get_mask()) for item in left]
    given = in_gimp.SCRATCH / f"{case}.mask"
    expected = [given.read_text()] if given.exists() else [False] * len(left)
    in_gimp.write_down(f"meanwhile-{case}", status=status, error=error, untouched=masks == expected)
    if image.is_valid():
        image.delete()
