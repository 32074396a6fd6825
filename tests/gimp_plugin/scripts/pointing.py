"""Runs inside GIMP: points at a cup as a script does, by points, a box, the selection and a path."""

from __future__ import annotations

import in_gimp
from gi.repository import Gimp


def run(name: str, **values: object) -> None:
    """One call on a fresh image, and what became of it."""
    image = in_gimp.load("coffee.png")
    layer = image.get_layers()[0]
    if name == "selection":
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 120, 30, 360, 310)
    if name == "path":
        path = Gimp.Path.new(image, "cup")
        image.insert_path(path, None, 0)
        path.stroke_new_from_points(
            Gimp.PathStrokeType.BEZIER, [290.0, 170.0] * 3 + [260.0, 150.0] * 3, False
        )
        image.set_selected_paths([path])
    said = in_gimp.call("point", image, [layer], quality="fast", **values)
    in_gimp.record_result(f"point-{name}", image, layer, said=said)
    image.delete()


run("points", inside="290,170", outside="60,360 560,40")
run("shifted", inside="290,170", outside="60,360 560,40", shift=-4.0)
run("box", box="120,30,480,340")
run("selection", from_selection=True)
run("path", from_path=True)
run("nonsense", inside="290;170")
run("beyond", inside="290,1700")

image = in_gimp.load("coffee.png")
layer = image.get_layers()[0]
layer.fill(Gimp.FillType.WHITE)
said = in_gimp.call("point", image, [layer], quality="fast")
in_gimp.record_result("point-blank", image, layer, said=said)
image.delete()

image = in_gimp.load("coffee.png")
layer = image.get_layers()[0]
said = [in_gimp.call("point", image, [layer], quality="fast", inside="290,170")[0]]
in_gimp.record_result("point-before", image, layer, said=said)
said = [in_gimp.call("refine", image, [layer], refine="none", shift=2.0)[0]]
in_gimp.record_result("point-moved", image, layer, said=said)
image.delete()
