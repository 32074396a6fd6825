"""Runs inside GIMP: makes images, calls the plug-in like a script would, and writes down what is there."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Gegl, Gimp, Gio  # noqa: E402 - versions are chosen first

EIGHT = (Gimp.Precision.U8_LINEAR, Gimp.Precision.U8_NON_LINEAR, Gimp.Precision.U8_PERCEPTUAL)
SCRATCH = Path(os.environ["MATTEBOX_SCRATCH"])


def call(name: str, image: Any, drawables: list[Any], **values: Any) -> tuple[str, str]:
    """Call a procedure of the plug-in; its status and, where it failed, its sentence."""
    procedure = Gimp.get_pdb().lookup_procedure(f"plug-in-mattebox-{name}")
    config = procedure.create_config()
    config.set_property("image", image)
    config.set_core_object_array("drawables", drawables)
    for key, value in values.items():
        given = Gio.File.new_for_path(value) if key == "rule_file" else value
        config.set_property(key.replace("_", "-"), given)
    status = procedure.run(config).index(0).value_nick
    return status, "" if status == "success" else Gimp.get_pdb().get_last_error()


def load(name: str) -> Any:
    """An image from a file in the scratch folder."""
    return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(str(SCRATCH / name)))


def save(image: Any, name: str) -> None:
    """Save in the format that the name's ending tells."""
    file = Gio.File.new_for_path(str(SCRATCH / name))
    assert Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, file, None)


def read(drawable: Any, form: str, place: tuple[int, int, int, int] | None = None) -> bytes:
    """The bytes of a drawable, or of a place in it."""
    rectangle = Gegl.Rectangle.new(*(place or (0, 0, drawable.get_width(), drawable.get_height())))
    data: bytes = drawable.get_buffer().get(rectangle, 1.0, form, Gegl.AbyssPolicy.NONE)
    return data


def bits(image: Any) -> int:
    """8 where the image has 8 bits a channel, else 16."""
    return 8 if image.get_precision() in EIGHT else 16


def digest(drawable: Any) -> str:
    """A fingerprint of a drawable's pixels, finer than any precision that is tested."""
    form = "RGBA float" if drawable.has_alpha() else "RGB float"
    return hashlib.sha256(read(drawable, form)).hexdigest()


def state(image: Any) -> list[Any]:
    """All that a failed call must leave as it was."""
    return [
        [
            (layer.get_name(), digest(layer), layer.get_mask() is not None and digest(layer.get_mask()))
            for layer in image.get_layers()
        ],
        [channel.get_name() for channel in image.get_channels()],
        list(Gimp.Selection.bounds(image))[-5:],
    ]


def write_down(name: str, **values: Any) -> None:
    """Hand results to the test: bytes as files, the rest as JSON."""
    for key, value in list(values.items()):
        if isinstance(value, bytes):
            (SCRATCH / f"{name}.{key}").write_bytes(value)
            values[key] = None
    (SCRATCH / f"{name}.json").write_text(json.dumps(values), encoding="utf-8")


def record_result(name: str, image: Any, layer: Any, **more: Any) -> None:
    """Write down a layer, its mask and its place."""
    depth, channels = bits(image), 1 if layer.is_gray() else 3
    write_down(
        name,
        size=[layer.get_width(), layer.get_height()],
        bits=depth,
        channels=channels,
        offsets=list(layer.get_offsets())[-2:],
        pixels=read(
            layer,
            f"{'Y' if channels == 1 else 'RGB'}".replace("Y", "Y'").replace("RGB", "R'G'B'") + f" u{depth}",
        ),
        alpha=read(layer, f"A u{depth}") if layer.has_alpha() else b"",
        mask=read(layer.get_mask(), f"Y u{depth}") if layer.get_mask() is not None else b"",
        **more,
    )
