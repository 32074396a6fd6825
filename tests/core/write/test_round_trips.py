"""What is written comes back: pixels, alpha, profile, EXIF, XMP and DPI."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

from mattebox.core.composition import Composition
from mattebox.core.errors import SettingsError
from mattebox.core.photo import Photo, probe, read_photo
from mattebox.core.settings import parse_output
from mattebox.core.write import flatten, write_output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHANNELS = {"gray": 1, "rgb": 3, "cmyk": 4}
KEEPERS = [
    (mode, kind, output)
    for mode, kind, output in [
        ("gray", np.uint8, {"format": "png"}),
        ("gray", np.uint16, {"format": "png"}),
        ("rgb", np.uint8, {"format": "png"}),
        ("rgb", np.uint16, {"format": "png"}),
        ("rgb", np.uint8, {"format": "png", "compression": "small"}),
        ("rgb", np.uint16, {"format": "png", "compression": "small"}),
        ("gray", np.uint16, {"format": "png", "compression": "small"}),
        ("gray", np.uint8, {"format": "tiff"}),
        ("gray", np.uint16, {"format": "tiff"}),
        ("rgb", np.uint8, {"format": "tiff"}),
        ("rgb", np.uint16, {"format": "tiff"}),
        ("cmyk", np.uint8, {"format": "tiff"}),
        ("cmyk", np.uint16, {"format": "tiff"}),
        ("cmyk", np.uint16, {"format": "tiff", "compression": "none"}),
        ("rgb", np.uint8, {"format": "webp"}),
        ("gray", np.uint8, {"format": "jxl"}),
        ("gray", np.uint16, {"format": "jxl"}),
        ("rgb", np.uint8, {"format": "jxl"}),
        ("rgb", np.uint16, {"format": "jxl"}),
    ]
]
NAMES = [f"{mode}-{np.dtype(kind).name}-{'-'.join(output.values())}" for mode, kind, output in KEEPERS]


def exif_block() -> bytes:
    """A camera's tags, with a place."""
    tags = Image.Exif()
    tags[0x010F] = "Camera works"
    tags[0x0132] = "2026:01:02 03:04:05"
    tags[0x4746] = 4
    tags[0x9C9E] = "Käfer;Laub\0".encode("utf-16-le")
    tags.get_ifd(0x8769).update(
        {0x829A: IFDRational(1, 250), 0x9003: "2026:01:02 03:04:05", 0x927C: b"maker's note"}
    )
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0), 3: "E", 4: (16.0, 22.0, 0.0)})
    return tags.tobytes().removeprefix(b"Exif\0\0")


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="48,12.5N">'
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def composition(pixels: np.ndarray, mode: str, alpha: np.ndarray, **photo: object) -> Composition:
    """A composition of a photo as it is."""
    return Composition(Photo(pixels, mode, **photo), pixels, pixels, alpha)


@pytest.fixture(autouse=True, scope="module")
def small_strips() -> Iterator[None]:
    """Strips of a few pixels, so that small pictures are written in many of them as large ones are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flatten, "STRIP_PIXELS", 16)
        yield


@pytest.mark.parametrize(("mode", "kind", "output"), KEEPERS, ids=NAMES)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_pixels_and_alpha_come_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory,
    mode: str,
    kind: type,
    output: dict[str, str],
    data: st.DataObject,
) -> None:
    """Alpha is equal everywhere, colours wherever alpha is not 0, for any pixels of any size."""
    height, width = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    pixels = data.draw(arrays.arrays(kind, (height, width, CHANNELS[mode])))
    alpha = data.draw(arrays.arrays(kind, (height, width)))
    path = tmp_path_factory.mktemp("out") / "a"
    write_output(composition(pixels, mode, alpha), parse_output(output), path)
    back = read_photo(path)
    shown = alpha > 0
    assert back.mode == mode
    assert back.pixels.dtype == kind
    if back.alpha is None:  # WebP leaves out an alpha that is full everywhere
        assert (alpha == np.iinfo(kind).max).all()
    else:
        assert np.array_equal(back.alpha, alpha)
    assert np.array_equal(back.pixels[shown], pixels[shown])
    assert (back.pixels[~shown] == 0).all()


@pytest.mark.parametrize(("mode", "kind", "output"), KEEPERS, ids=NAMES)
def test_kept_hidden_colours_come_back(tmp_path: Path, mode: str, kind: type, output: dict[str, str]) -> None:
    """With `hidden: keep` the original's colours stand under alpha 0, to paint the mask back."""
    pixels = np.arange(5 * 6 * CHANNELS[mode]).reshape(5, 6, -1).astype(kind)
    alpha = np.zeros((5, 6), kind)
    alpha[0, 0] = 7
    made = replace(composition(pixels, mode, alpha), colours=np.full_like(pixels, 9))
    write_output(made, parse_output({**output, "hidden": "keep"}), tmp_path / "a")
    back = read_photo(tmp_path / "a")
    assert np.array_equal(back.pixels[alpha == 0], pixels[alpha == 0])
    assert (back.pixels[0, 0] == 9).all()


@pytest.mark.parametrize("form", ["png", "tiff", "webp", "jpeg"])
def test_profile_exif_xmp_and_dpi_come_back(tmp_path: Path, form: str) -> None:
    """Every block that went in is read back: the same profile, tags, packet and density."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels, alpha = np.full((5, 6, 3), 200, np.uint8), np.full((5, 6), 255, np.uint8)
    made = composition(pixels, "rgb", alpha, icc=profile, exif=exif_block(), xmp=XMP, dpi=(300.0, 240.0))
    write_output(replace(made, background=(255, 255, 255)), parse_output({"format": form}), tmp_path / "a")
    back, facts = read_photo(tmp_path / "a"), probe(tmp_path / "a")
    assert back.icc == profile
    assert back.xmp == XMP
    assert facts.exif["Make"] == "Camera works"
    assert facts.exif["DateTime"] == facts.exif["DateTimeOriginal"] == "2026:01:02 03:04:05"
    assert facts.exif["MakerNote"] == b"maker's note"
    assert facts.exif["Rating"] == 4
    assert facts.exif["XPKeywords"] == "Käfer;Laub\0".encode("utf-16-le")
    assert facts.exif["GPSLatitude"] == (48.0, 12.0, 30.0)
    if form != "webp":  # the container has no field for it
        assert back.dpi == pytest.approx((300, 240), abs=0.01)


@pytest.mark.parametrize("form", ["png", "tiff", "webp", "jpeg"])
def test_the_place_can_be_left_out(tmp_path: Path, form: str) -> None:
    """With `gps: false` no tag and no byte of the place is in the file; the rest stays."""
    pixels, alpha = np.full((5, 6, 3), 200, np.uint8), np.full((5, 6), 255, np.uint8)
    made = composition(pixels, "rgb", alpha, exif=exif_block(), xmp=XMP)
    write_output(
        replace(made, background=(0, 0, 0)), parse_output({"format": form, "gps": False}), tmp_path / "a"
    )
    facts = probe(tmp_path / "a")
    assert facts.exif["Make"] == "Camera works"
    assert facts.exif["ExposureTime"] == 1 / 250
    assert not [name for name in facts.exif if name.startswith("GPS")]
    assert b"GPS" not in (tmp_path / "a").read_bytes()


def test_an_rgb_profile_is_not_written_into_a_gray_png(tmp_path: Path) -> None:
    """A gray picture that is tagged with an RGB profile is written without it."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = np.full((5, 6, 1), 200, np.uint8)
    made = composition(pixels, "gray", np.full((5, 6), 255, np.uint8), icc=profile)
    write_output(replace(made, background=(255,)), parse_output({"format": "png"}), tmp_path / "a")
    back = read_photo(tmp_path / "a")
    assert back.icc is None
    assert (back.pixels == 200).all()


@pytest.mark.parametrize("form", ["png", "webp"])
def test_cmyk_becomes_srgb_where_the_format_has_no_inks(tmp_path: Path, form: str) -> None:
    """Paper white and no ink become white, black ink becomes dark, and an sRGB profile is embedded."""
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[0, 0, 3] = 255
    made = composition(pixels, "cmyk", np.full((4, 4), 255, np.uint8))
    write_output(made, parse_output({"format": form}), tmp_path / "a")
    back = read_photo(tmp_path / "a")
    assert back.mode == "rgb"
    assert (back.pixels[1, 1] == 255).all()
    assert (back.pixels[0, 0] == 0).all()
    assert back.icc


@pytest.mark.parametrize("form", ["webp", "jpeg"])
def test_fewer_bits_and_missing_profiles_are_told(tmp_path: Path, form: str) -> None:
    """A format of 8 bits says what became of 16, and inks without a profile are said to have none."""
    alpha = np.full((3, 4), 65535, np.uint16)
    for mode, told in (("rgb", ["16 were rounded"]), ("cmyk", ["has no profile", "16 were rounded"])):
        made = composition(np.full((3, 4, CHANNELS[mode]), 40000, np.uint16), mode, alpha)
        made = replace(made, background=(65535,) * CHANNELS[mode])
        notes = write_output(made, parse_output({"format": form}), tmp_path / mode)
        assert len(notes) == len(told)
        assert all(words in note for words, note in zip(told, notes, strict=True))


@pytest.mark.parametrize(("bits", "expected"), [("auto", 40000), (16, 40000), (8, 156)])
def test_a_mask_is_the_matte_in_gray(tmp_path: Path, bits: int | str, expected: int) -> None:
    """The mask holds the matte itself, at the photo's depth or the one that was asked for."""
    made = composition(np.zeros((3, 4, 3), np.uint16), "rgb", np.full((3, 4), 40000, np.uint16))
    write_output(made, parse_output({"format": "mask", "bits": bits}), tmp_path / "a")
    back = read_photo(tmp_path / "a")
    assert back.mode == "gray"
    assert (back.pixels == expected).all()


def test_a_jpeg_without_a_background_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    """JPEG has no transparency: the sentence names the setting, and no file is left behind."""
    made = composition(np.zeros((3, 4, 3), np.uint8), "rgb", np.zeros((3, 4), np.uint8))
    with pytest.raises(SettingsError, match="--background white"):
        write_output(made, parse_output({"format": "jpeg"}), tmp_path / "a.jpg")
    assert not list(tmp_path.iterdir())
