"""What we write, read by ag-psd: a reader that shares no code with us or with psd-tools."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from psd_tools.compression import decompress
from psd_tools.constants import Compression
from tests.core.write.psd.samples import CHANNELS, Sample, build, write_samples

from mattebox.core.settings import PsdOutput
from mattebox.core.write.psd import write
from mattebox.core.write.psd.layer_photo import layer_photo

if TYPE_CHECKING:
    from mattebox.core.composition import Composition

HERE = Path(__file__).parent
MODES = {1: "gray", 3: "rgb", 4: "cmyk"}


class Read:
    """One file as ag-psd reads it."""

    def __init__(self, sample: Sample, folder: Path, node_path: str) -> None:
        """Run ag-psd on a sample; what it cannot decode it still has to take apart."""
        self.folder = folder
        folder.mkdir()
        made = sample.composition
        # ag-psd 31 decodes no 16-bit CMYK pixels, and no merged picture with 16-bit transparency or with
        # channels beyond those that it expects in gray and CMYK.
        self.packed = made.mode == "cmyk" and made.photo.bits == 16
        clear = sample.options.backdrop == "none"
        further = sample.options.mask != "layer" or (clear and made.mode == "cmyk")
        self.has_composite = not (
            self.packed or (clear and made.photo.bits == 16) or (further and made.mode != "rgb")
        )
        flags = ["--packed"] * self.packed + ["--no-composite"] * (not self.has_composite)
        subprocess.run(
            ["node", HERE / "ag_psd_dump.cjs", sample.path, folder, *flags],
            check=True,
            env={**os.environ, "NODE_PATH": node_path},
        )
        self.found: dict[str, Any] = json.loads((folder / "found.json").read_text(encoding="utf-8"))

    def samples(self, part: dict[str, Any]) -> np.ndarray[Any, Any]:
        """RGBA samples (h, w, 4) that ag-psd decoded."""
        dtype = np.dtype(f"<u{part['bytes']}")
        data = np.frombuffer((self.folder / part["file"]).read_bytes(), dtype)
        return data.reshape(part["height"], part["width"], 4)

    def unpacked(self, layer: dict[str, Any], identifier: int, size: tuple[int, int]) -> np.ndarray[Any, Any]:
        """A 16-bit channel (h, w) that ag-psd took out of the file, unpacked by psd-tools."""
        [channel] = [item for item in layer["packed"] if item["id"] == identifier]
        packed = (self.folder / channel["file"]).read_bytes()
        data = decompress(packed, Compression(channel["compression"]), *size, 16)
        return np.frombuffer(data, ">u2").reshape(size[::-1])

    def colours_and_alpha(self, layer: dict[str, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """What a layer shows, (h, w, c), and its transparency."""
        if not self.packed:
            shown = self.samples(layer["pixels"])
            return shown[..., :3], shown[..., 3]
        size = (layer["right"] - layer["left"], layer["bottom"] - layer["top"])
        colours = [self.unpacked(layer, channel, size) for channel in range(4)]
        return np.stack(colours, axis=2), self.unpacked(layer, -1, size)

    def mask(self, layer: dict[str, Any]) -> np.ndarray[Any, Any]:
        """The mask's samples."""
        box = layer["mask"]
        if not self.packed:
            return self.samples(box["pixels"])[..., 0]
        return self.unpacked(layer, -2, (box["right"] - box["left"], box["bottom"] - box["top"]))


def shown_by_ag_psd(colours: np.ndarray[Any, Any], mode: str, bits: int) -> np.ndarray[Any, Any]:
    """Our colours in the values in which `Read.colours_and_alpha` gives them."""
    if mode == "gray":
        return np.repeat(colours, 3, axis=2)
    if mode == "rgb":
        return colours
    light = np.iinfo(colours.dtype).max - colours
    if bits == 16:
        return light
    return (light[..., :3].astype(int) * light[..., 3:] // 255).astype(np.uint8)


def expected_layers(made: Composition, options: PsdOutput) -> list[tuple[str, str, bool]]:
    """Name, blend mode and hidden, from the bottom up."""
    names = options.names
    rows = [(names.original, "normal", True)] if options.original else []
    rows += [(names.background, "normal", False)] if options.backdrop != "none" else []
    rows += [(names.shadow, "multiply", False), (names.clean, "normal", True)]
    top = (names.group, "normal", False) if options.group else (names.subject, "normal", False)
    return [*rows, top]


def assert_equal_part(
    found: np.ndarray[Any, Any], layer: dict[str, Any], whole: np.ndarray[Any, Any]
) -> None:
    """A layer's samples are those of the canvas under its rectangle."""
    cut = whole[layer["top"] : layer["bottom"], layer["left"] : layer["right"]]
    np.testing.assert_array_equal(found, cut)


@pytest.mark.slow
def test_ag_psd_reads_every_kind_of_file(tmp_path: Path, node_path: str) -> None:
    """Mask values, pixels, alpha, names, blend modes, opacity and resolution equal in each sample."""
    samples = write_samples(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {sample.path.name for sample in samples}
    for sample in samples:
        read = Read(sample, tmp_path / f"{sample.path.name}.read", node_path)
        compare_document(sample, read)
        compare_layers(sample, read)
        if read.has_composite:
            compare_preview(sample, read)


def compare_document(sample: Sample, read: Read) -> None:
    """Size, depth, mode, resolution, names of channels."""
    made, options, found = sample.composition, sample.options, read.found
    assert (found["width"], found["height"]) == made.size
    assert (found["bits"], MODES[found["mode"]]) == (made.photo.bits, made.mode)
    resolution = found["resolution"]
    assert (resolution["horizontalResolution"], resolution["verticalResolution"]) == (300, 240)
    assert resolution["horizontalResolutionUnit"] == "PPI"
    names = ["Transparency"] * (options.backdrop == "none") + [options.names.channel] * (
        options.mask != "layer"
    )
    assert (found.get("channelNames") or []) == names
    assert found["channels"] == CHANNELS[made.mode] + len(names)
    assert found["hasThumbnail"]


def compare_layers(sample: Sample, read: Read) -> None:
    """Names, blend modes, opacity, ids; pixels, transparency and mask of each layer."""
    made, options = sample.composition, sample.options
    layers = read.found["layers"]
    rows = [(layer["name"], layer["blendMode"], layer["hidden"]) for layer in layers]
    assert rows == expected_layers(made, options), sample.path.name
    assert all(layer["opacity"] == 1 for layer in layers)
    assert len({layer["id"] for layer in layers}) == len(layers)
    masked = layers[-1]
    if options.mask == "alpha-channel":
        assert "mask" not in masked
    else:
        box = masked["mask"]
        assert (box["outside"], box["disabled"], box["relative"]) == (0, False, False)
        assert_equal_part(read.mask(masked), box, made.alpha)
    subject = masked["children"][0] if options.group else masked
    full = int(np.iinfo(made.alpha.dtype).max)
    ink = (0, 0, 0, full) if made.mode == "cmyk" else (0,) * CHANNELS[made.mode]
    paper = (0, 0, 0, 0) if made.mode == "cmyk" else (full,) * CHANNELS[made.mode]
    expected = {
        options.names.subject: (made.original, None),
        options.names.original: (made.original, None),
        options.names.clean: (made.colours, made.alpha),
        options.names.shadow: (np.full_like(made.original, ink), made.shadow),
        options.names.background: (np.full_like(made.original, paper), None),
    }
    for layer in [subject, *(layer for layer in layers if layer is not masked)]:
        colours, alpha = expected[layer["name"]]
        shown, opacity = read.colours_and_alpha(layer)
        assert_equal_part(shown, layer, shown_by_ag_psd(colours, made.mode, made.photo.bits))
        assert_equal_part(opacity, layer, np.full_like(made.alpha, full) if alpha is None else alpha)


def compare_preview(sample: Sample, read: Read) -> None:
    """The merged picture is the photo where the matte is full; its transparency is the layers'."""
    made = sample.composition
    shown = read.samples(read.found["composite"])
    solid = made.alpha == np.iinfo(made.alpha.dtype).max
    photo = shown_by_ag_psd(made.original, made.mode, made.photo.bits)
    np.testing.assert_array_equal(shown[..., :3][solid], photo[solid])
    if sample.options.backdrop == "none":
        clear = (made.alpha == 0) & (made.shadow == 0)
        assert np.all(shown[..., 3][clear] == 0)
        assert np.all(shown[..., 3][solid] == np.iinfo(made.alpha.dtype).max)


@pytest.mark.slow
@pytest.mark.parametrize("bits", [8, 16])
def test_ag_psd_reads_a_mask_added_in_place(tmp_path: Path, node_path: str, bits: int) -> None:
    """The mask spliced into an existing file has the matte's values, and all layers are there."""
    first = build(bits=bits, clean=True, shadow=True, dpi=(300.0, 240.0))
    write(first, PsdOutput(mask="alpha-channel"), tmp_path / "in.psd")
    photo = layer_photo(tmp_path / "in.psd", None)
    made = replace(first, photo=photo, original=photo.pixels)
    output = PsdOutput(in_place=True)
    write(made, output, tmp_path / "out.psd")
    read = Read(Sample(tmp_path / "out.psd", made, output), tmp_path / "read", node_path)
    layers = read.found["layers"]
    assert [layer["name"] for layer in layers] == ["Background", "Shadow", "Subject clean", "Subject"]
    assert_equal_part(read.mask(layers[-1]), layers[-1]["mask"], made.alpha)
    colours, _ = read.colours_and_alpha(layers[-1])
    np.testing.assert_array_equal(colours, first.original)
