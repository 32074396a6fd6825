"""TIFFs as cameras, scanners and programs write them: which page, which kind of sample, which words."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from mattebox.core.errors import LimitError, PhotoError
from mattebox.core.photo import read_photo
from mattebox.core.photo.colour import to_srgb
from mattebox.core.segment.view import network_view

sys.path.insert(0, str(Path(__file__).parent))
from bombs import picture, tiff


def shades(wide: int = 30, high: int = 20) -> np.ndarray:
    """A picture, each pixel different."""
    rows, columns = np.mgrid[0:high, 0:wide]
    return np.stack([rows * 12, columns * 8, (rows + columns) * 5], axis=2).astype(np.uint8)


@pytest.mark.parametrize("sub", [False, True], ids=["pages", "subifd"])
def test_a_reduced_first_page_is_not_the_picture(tmp_path: Path, sub: bool) -> None:
    """Of a TIFF that begins with a reduced page the largest other one is read, also from a SubIFD."""
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(shades(9, 6), photometric="rgb", subfiletype=1, subifds=1 if sub else 0)
        writer.write(shades(60, 40), photometric="rgb")
    photo = read_photo(path)
    assert np.array_equal(photo.pixels, shades(60, 40))


def test_of_equal_pages_the_first_is_read_and_the_others_told(tmp_path: Path) -> None:
    """A document of three pages gives its first one, and a note."""
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for index in range(3):
            writer.write(shades() + np.uint8(index), photometric="rgb")
    photo = read_photo(path)
    assert np.array_equal(photo.pixels, shades())
    assert photo.warnings == ("Only the first of 3 pages or frames was used.",)


def test_pages_that_come_back_are_counted_once(tmp_path: Path) -> None:
    """A directory that is its own next one is one page."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, shades(), photometric="rgb", metadata=None)
    with tifffile.TiffFile(path) as file:
        page = file.pages.first.aspage()
        start, count = page.offset, len(page.tags)
    data = bytearray(path.read_bytes())
    data[start + 2 + 12 * count : start + 6 + 12 * count] = start.to_bytes(4, "little")
    path.write_bytes(data)
    assert read_photo(path).warnings == ()


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floats_are_linear_light(tmp_path: Path, kind: type) -> None:
    """Floats become 16 bits with a linear profile; what is above white is white, and a note says so."""
    light = np.linspace(0, 1.5, 64)[None, :, None].repeat(3, axis=2).repeat(4, axis=0).astype(kind)
    tifffile.imwrite(tmp_path / "a.tif", light, photometric="rgb")
    photo = read_photo(tmp_path / "a.tif")
    assert photo.bits == 16
    assert np.array_equal(photo.pixels, np.rint(np.clip(light.astype(np.float32), 0, 1) * 65535))
    assert any("floating-point" in note for note in photo.warnings)
    half = int(np.argmin(np.abs(light[0, :, 0].astype(float) - 0.2140)))
    assert abs(int(network_view(photo)[0, half, 0]) - 127) <= 8


def test_a_floats_own_profile_stays(tmp_path: Path) -> None:
    """A float TIFF with a profile, as Photoshop writes them, keeps that one."""
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tifffile.imwrite(
        tmp_path / "a.tif", np.full((8, 8, 3), 0.5, np.float32), photometric="rgb", iccprofile=icc
    )
    assert read_photo(tmp_path / "a.tif").icc == icc


def test_not_a_number_and_infinity_are_black_and_white(tmp_path: Path) -> None:
    """Values that are none never reach the pixels as noise."""
    values = np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    assert read_photo(tmp_path / "a.tif").pixels.ravel().tolist() == [0, 65535, 0, 32768]


def test_a_deep_palette_keeps_its_colours(tmp_path: Path) -> None:
    """A palette of 16-bit indexes gives 16-bit colours, one of 8 bits 8."""
    table = np.random.default_rng(0).integers(0, 65536, (3, 65536)).astype(np.uint16)
    index = np.arange(600, dtype=np.uint16).reshape(20, 30)
    tifffile.imwrite(tmp_path / "a.tif", index, photometric="palette", colormap=table)
    assert np.array_equal(read_photo(tmp_path / "a.tif").pixels, table.T[index])
    small = (np.arange(256)[None] * np.array([[257], [128], [5]])).astype(np.uint16)
    tifffile.imwrite(tmp_path / "b.tif", index.astype(np.uint8), photometric="palette", colormap=small)
    assert np.array_equal(read_photo(tmp_path / "b.tif").pixels, (small.T >> 8)[index.astype(np.uint8)])


@pytest.mark.parametrize("bits", [8, 16])
def test_lab_is_converted_to_a_space_that_holds_it(tmp_path: Path, bits: int) -> None:
    """A Lab TIFF shows the colours that Little CMS' Lab stands for, and says what became of it."""
    rgb = np.random.default_rng(2).integers(20, 236, (16, 16, 3)).astype(np.uint8)
    spaces = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = np.asarray(ImageCms.profileToProfile(Image.fromarray(rgb), *spaces, 1, "LAB"))
    sides = lab[..., 1:].view(np.int8).astype(np.int16)
    stored = np.concatenate([lab[..., :1].astype(np.int16), sides], axis=2)
    values = stored.astype(np.uint8) if bits == 8 else (stored * (257, 256, 256)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="cielab")
    photo = read_photo(tmp_path / "a.tif")
    assert photo.bits == 16
    assert any("Lab" in note for note in photo.warnings)
    shown = to_srgb(photo.pixels, photo.mode, photo.icc).astype(np.float64) / 257
    assert np.abs(shown - rgb).mean() < 2  # 8-bit Lab is coarse


def test_a_cameras_ycbcr_is_read(tmp_path: Path) -> None:
    """Uncompressed YCbCr with chroma of half the size, as cameras write it (TIFF 6.0, section 21)."""
    # One unit: four luminances, then Cb and Cr.
    units = bytes((81, 81, 81, 81, 90, 240)) * 16
    data = bytearray(tiff(8, 8, 3, 1, units))
    place = data.index((262).to_bytes(2, "little") + b"\3\0")
    data[place + 8] = 6
    (tmp_path / "a.tif").write_bytes(data)
    seen = read_photo(tmp_path / "a.tif").pixels[4, 4]
    assert seen[0] > 200
    assert max(seen[1:]) < 60


@pytest.mark.parametrize(
    ("values", "word"),
    [(np.zeros((8, 8), np.complex64), "complex"), (np.zeros((8, 8), np.uint64), "64-bit integer")],
)
def test_what_is_no_picture_is_called_what_it_is(tmp_path: Path, values: np.ndarray, word: str) -> None:
    """Kinds that are not read are named; nothing is called damaged."""
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    with pytest.raises(PhotoError, match=word) as caught:
        read_photo(tmp_path / "a.tif")
    assert "damaged" not in str(caught.value)


def test_signed_samples_are_read_with_a_note(tmp_path: Path) -> None:
    """Signed pixels are read as ImageMagick reads them, and a sentence says so."""
    stored = np.arange(100, 164, dtype=np.uint8).reshape(8, 8)
    tifffile.imwrite(tmp_path / "a.tif", stored.view(np.int8), photometric="minisblack")
    photo = read_photo(tmp_path / "a.tif")
    assert np.array_equal(photo.pixels[..., 0], stored)
    assert "signed" in photo.warnings[0]


def test_a_strip_that_says_it_is_larger_is_refused(tmp_path: Path) -> None:
    """The limit counts what is inside: a strip's own JPEG, WebP or JPEG 2000 header."""
    large = shades(600, 400)
    stored = BytesIO()
    Image.fromarray(large).save(stored, "WEBP")
    for name, compression, strip in (
        ("jpeg", 7, picture("JPEG", quality=50)[:0] + imagecodecs.jpeg8_encode(large)),
        ("webp", 50_001, stored.getvalue()),
        ("jpeg2000", 34_712, imagecodecs.jpeg2k_encode(large, codecformat="j2k")),
    ):
        path = tmp_path / f"{name}.tif"
        path.write_bytes(tiff(64, 64, 3, compression, strip))
        with pytest.raises(LimitError, match="600 x 400"):
            read_photo(path)
