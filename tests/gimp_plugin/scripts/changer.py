#!/usr/bin/env python3
"""A plug-in that GIMP starts with itself: changes an image, as a user would, while another works on it."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, os.environ["MATTEBOX_SCRATCH"])
import in_gimp
from gi.repository import Gimp


def give_mask(_: Any, layer: Any) -> None:
    """The user paints a mask of their own."""
    layer.add_mask(layer.create_mask(Gimp.AddMaskType.BLACK))
    (in_gimp.SCRATCH / "mask.mask").write_text(in_gimp.digest(layer.get_mask()))


CHANGES: dict[str, Any] = {
    "nothing": lambda _image, _layer: None,
    "scale": lambda image, _: image.scale(64, 64),
    "crop": lambda image, _: image.crop(300, 300, 10, 10),
    "delete": lambda image, layer: image.remove_layer(layer),
    "gray": lambda image, _: image.convert_grayscale(),
    "deep": lambda image, _: image.convert_precision(Gimp.Precision.U16_NON_LINEAR),
    "move": lambda _, layer: layer.set_offsets(5, 7),
    "fill": lambda _, layer: layer.edit_fill(Gimp.FillType.WHITE),
    "mask": give_mask,
    "selection": lambda image, _: image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 50, 50),
    "filter": lambda _, layer: layer.append_filter(Gimp.DrawableFilter.new(layer, "gegl:invert-gamma", "")),
}


class Changer(Gimp.PlugIn):  # type: ignore[misc]  # gi has no types
    """One procedure that runs as long as GIMP does."""

    def do_set_i18n(self, _name: str) -> bool:
        """No words."""
        return False

    def do_query_procedures(self) -> list[str]:
        """Its name."""
        return ["plug-in-changer"]

    def do_create_procedure(self, name: str) -> Any:
        """Persistent: GIMP goes on when it is ready."""
        procedure = Gimp.Procedure.new(self, name, Gimp.PDBProcType.PERSISTENT, run, None)
        procedure.set_documentation("Changes images", "Changes images", None)
        return procedure


def run(procedure: Any, _config: Any, _data: Any) -> Any:
    """Wait for files that name a change, make it, and say that it is made."""
    procedure.persistent_ready()
    scratch: Path = in_gimp.SCRATCH
    while scratch.exists():
        for wish in scratch.glob("*.change"):
            image, layer = json.loads(wish.with_suffix(".ids").read_text())
            CHANGES[wish.stem](Gimp.Image.get_by_id(image), Gimp.Item.get_by_id(layer))
            wish.rename(wish.with_suffix(".done"))
        procedure.get_plug_in().persistent_process(50)
        time.sleep(0.02)
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


if __name__ == "__main__":
    Gimp.main(Changer.__gtype__, sys.argv)
