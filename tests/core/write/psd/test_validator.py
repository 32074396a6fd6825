"""The validator finds what is wrong, and every kind of file that we write is right and shows its preview."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.core.write.psd.compositor import merged, stored
from tests.core.write.psd.samples import build, write_samples
from tests.core.write.psd.test_in_place import masked
from tests.core.write.psd.validator import inspect

from mattebox.core.settings import PsdOutput
from mattebox.core.write.psd import write

if TYPE_CHECKING:
    from pathlib import Path


def assert_preview_shows_the_layers(path: Path) -> None:
    """The stored merged picture is within one level of what the tests' compositor makes of the layers."""
    found = inspect(path)
    assert found.faults == []
    colours, alpha = merged(found)
    shown, clear = stored(found)
    level = 1 / (2**found.depth - 1)
    assert np.abs(colours - shown).max() <= 1.001 * level, path.name
    if clear is not None:
        assert np.abs(alpha - clear).max() <= 1.001 * level, path.name
    else:
        assert alpha.min() == 1, path.name


def test_every_kind_of_file_keeps_to_the_specification_and_shows_its_preview(tmp_path: Path) -> None:
    """Each mode, depth and option: no fault, and the preview is the layers'."""
    samples = write_samples(tmp_path)
    assert len(samples) > 50
    for sample in samples:
        assert_preview_shows_the_layers(sample.path)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("mode", ["gray", "rgb", "cmyk"])
@pytest.mark.parametrize("options", [{}, {"backdrop": "none"}, {"original": True}], ids=str)
def test_the_preview_of_an_edited_file_shows_the_layers(
    tmp_path: Path, mode: str, bits: int, options: dict[str, object]
) -> None:
    """In place too, where the preview is made anew, transparent or not."""
    write(build(mode, bits, clean=True, shadow=True), PsdOutput(**options), tmp_path / "in.psd")
    _, notes = masked(tmp_path / "in.psd", tmp_path / "out.psd", layer="Subject", existing_mask="replace")
    assert notes == ()
    assert_preview_shows_the_layers(tmp_path / "out.psd")


def test_krita_honours_the_mask_of_the_group(tmp_path: Path) -> None:
    """The group is in normal mode: masks on pass-through groups are what programs differ in."""
    write(build(), PsdOutput(group=True), tmp_path / "x.psd")
    [head] = [layer for layer in inspect(tmp_path / "x.psd").layers if layer.divider == 1]
    assert (head.blend, head.group_blend, -2 in head.channels) == (b"norm", b"norm", True)


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """Bytes with some of them exchanged."""
    return data[:at] + new + data[at + len(new) :]


@pytest.mark.broken_psd
@pytest.mark.parametrize(
    "damage",
    [
        "a byte more",
        "a byte less",
        "channels",
        "layer length",
        "row length",
        "blend mode",
        "mask box",
        "id twice",
    ],
)
def test_the_validator_finds(tmp_path: Path, damage: str) -> None:
    """What it is there for: each of these is a fault, and the file without it has none."""
    write(build(size=(24, 18)), PsdOutput(), tmp_path / "x.psd")
    data = (tmp_path / "x.psd").read_bytes()
    assert inspect(tmp_path / "x.psd").faults == []
    section = 34 + struct.unpack(">I", data[30:34])[0]
    if damage == "a byte more":
        data += b"\0"
    elif damage == "a byte less":
        data = data[:-1]
    elif damage == "channels":
        data = patched(data, 12, struct.pack(">H", 5))
    elif damage == "layer length":
        data = patched(
            data, section + 4, struct.pack(">I", struct.unpack(">I", data[section + 4 : section + 8])[0] + 4)
        )
    elif damage == "row length":
        at = section + 4 + struct.unpack(">I", data[section : section + 4])[0] + 2
        data = patched(data, at, struct.pack(">H", 1))
    elif damage == "blend mode":
        data = data.replace(b"8BIMnorm", b"8BIMnorn", 1)
    elif damage == "mask box":
        record = data.index(b"8BIMnorm", data.index(b"8BIMnorm") + 8)
        data = patched(data, record + 20, struct.pack(">i", 9999))
    else:
        first = data.index(b"8BIMlyid")
        second = data.index(b"8BIMlyid", first + 8)
        data = patched(data, second + 12, data[first + 12 : first + 16])
    (tmp_path / "x.psd").write_bytes(data)
    assert inspect(tmp_path / "x.psd").faults != []
