"""PSDs in Lab, indexed colours, bitmap and duotone are read as what they show."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from tests.core.write.psd.test_in_place import mask_of, masked
from tests.core.write.psd.validator import inspect

from mattebox.core.errors import PhotoError, SettingsError
from mattebox.core.photo import probe, read_photo
from mattebox.core.write.psd.layer_photo import layer_photo

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (43, 31)


def flat(
    path: Path, mode: int, depth: int, planes: Any, colours: bytes = b"", resources: bytes = b""
) -> Path:
    """A flat PSD of raw planes, (c, h, bytes or samples)."""
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 1, len(planes), SIZE[1], SIZE[0], depth, mode)
    stored = planes.astype(">u2") if depth == 16 else planes
    sections = struct.pack(">I", len(colours)) + colours + struct.pack(">I", len(resources)) + resources
    path.write_bytes(head + sections + bytes(4) + bytes(2) + stored.tobytes())
    return path


def srgb_and_lab() -> tuple[Any, Any]:
    """Random sRGB colours (h, w, 3), and Little CMS' Lab of them as a PSD stores it, (3, h, w) uint8."""
    rng = np.random.default_rng(5)
    shown = rng.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB", renderingIntent=1
    )
    lab = np.asarray(ImageCms.applyTransform(Image.fromarray(shown), to_lab)).astype(np.uint8)
    # Pillow keeps a and b as signed bytes.
    return shown, np.stack([lab[..., 0], lab[..., 1] ^ 0x80, lab[..., 2] ^ 0x80])


@pytest.mark.parametrize("depth", [8, 16])
def test_lab_is_read_as_srgb(tmp_path: Path, depth: int) -> None:
    """The colours are those of Little CMS' conversion, to within what 8-bit Lab can hold; it is said."""
    shown, lab = srgb_and_lab()
    stored = lab if depth == 8 else lab.astype(np.uint16) * 257
    photo = read_photo(flat(tmp_path / "a.psd", 9, depth, stored))
    assert (photo.mode, photo.bits, photo.alpha, photo.icc) == ("rgb", depth, None, None)
    away = np.abs(photo.pixels / (257 if depth == 16 else 1) - shown.astype(float))
    assert np.median(away) <= 2
    assert np.percentile(away, 99) <= 9, "one step of 8-bit Lab is several levels of dark sRGB"
    assert photo.warnings == ("The photo is in Lab; its colours were converted to sRGB.",)


@pytest.mark.parametrize("depth", [8, 16])
def test_lab_stays_lab_in_place(tmp_path: Path, depth: int) -> None:
    """The mask is put onto the Lab file itself: its planes are those that were there."""
    _, lab = srgb_and_lab()
    stored = lab if depth == 8 else lab.astype(np.uint16) * 257
    flat(tmp_path / "a.psd", 9, depth, stored)
    alpha, notes = masked(tmp_path / "a.psd", tmp_path / "out.psd")
    found = inspect(tmp_path / "out.psd")
    assert found.mode == 9
    np.testing.assert_array_equal([found.layers[0].channels[number] for number in range(3)], stored)
    np.testing.assert_array_equal(found.merged, stored)
    np.testing.assert_array_equal(mask_of(tmp_path / "out.psd", "Layer 0"), alpha)
    assert any("stored preview" in note for note in notes)
    again = layer_photo(tmp_path / "out.psd", "Layer 0")
    np.testing.assert_array_equal(again.pixels, read_photo(tmp_path / "a.psd").pixels)


@pytest.mark.parametrize("clear", [None, 3])
def test_indexed_colours_are_those_of_the_table(tmp_path: Path, clear: int | None) -> None:
    """Each pixel is its index' colour; the transparent index, where the file has one, is the alpha."""
    rng = np.random.default_rng(6)
    table = rng.integers(0, 256, (3, 256), np.uint8)
    indices = rng.integers(0, 9, (1, SIZE[1], SIZE[0]), np.uint8)
    resources = b"" if clear is None else b"8BIM" + struct.pack(">HHIH", 1047, 0, 2, clear)
    path = flat(tmp_path / "a.psd", 2, 8, indices, table.tobytes(), resources)
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.pixels, table.T[indices[0]])
    with Image.open(path) as image:
        np.testing.assert_array_equal(photo.pixels, np.asarray(image.convert("RGB")))
    assert probe(path).has_alpha == (clear is not None)
    if clear is not None:
        np.testing.assert_array_equal(photo.alpha, np.where(indices[0] == clear, 0, 255))


def test_a_bitmap_is_black_where_its_bits_are_set(tmp_path: Path) -> None:
    """Rows are padded to whole bytes; it is read as gray of 8 bits."""
    ink = np.random.default_rng(7).integers(0, 2, (SIZE[1], SIZE[0]), np.uint8)
    path = flat(tmp_path / "a.psd", 0, 1, np.packbits(ink, axis=1)[None])
    photo = read_photo(path)
    assert (photo.mode, photo.bits) == ("gray", 8)
    np.testing.assert_array_equal(photo.pixels[..., 0], np.where(ink == 1, 0, 255))


def test_a_duotone_is_read_as_its_gray_and_that_is_said(tmp_path: Path) -> None:
    """The inks' curves are Photoshop's own; the plane itself is a gray picture."""
    gray = np.random.default_rng(8).integers(0, 256, (1, SIZE[1], SIZE[0]), np.uint8)
    photo = read_photo(flat(tmp_path / "a.psd", 8, 8, gray, bytes(524)))
    np.testing.assert_array_equal(photo.pixels[..., 0], gray[0])
    assert "without its inks" in photo.warnings[0]


@pytest.mark.parametrize(("mode", "depth"), [(7, 8), (3, 32), (1, 1)])
def test_other_modes_are_refused_in_one_sentence(tmp_path: Path, mode: int, depth: int) -> None:
    """Multichannel, 32 bits, and what no editor writes."""
    planes = np.zeros((4, SIZE[1], SIZE[0] * max(1, depth // 8)), np.uint8)
    with pytest.raises(PhotoError, match="a PSD of this mode or depth is not read"):
        read_photo(flat(tmp_path / "a.psd", mode, depth, planes))


def test_a_mode_without_layers_is_refused_in_place(tmp_path: Path) -> None:
    """An indexed picture cannot have a layer mask; the sentence says what to do."""
    path = flat(tmp_path / "a.psd", 2, 8, np.zeros((1, SIZE[1], SIZE[0]), np.uint8), bytes(768))
    with pytest.raises(
        SettingsError, match="has no layers that can be masked in place; in your editor make it RGB"
    ):
        layer_photo(path, None)
