"""Runs inside GIMP: the names of what the procedures take."""

from __future__ import annotations

import in_gimp
from gi.repository import Gimp

names = ("mask", "refine", "again")
found = {}
for name in names:
    procedure = Gimp.get_pdb().lookup_procedure(f"plug-in-mattebox-{name}")
    found[f"plug-in-mattebox-{name}"] = [argument.get_name() for argument in procedure.get_arguments()]
in_gimp.write_down("arguments", **found)
