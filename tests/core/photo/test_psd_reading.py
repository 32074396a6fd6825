"""The merged image of a PSD is a photo: colours, transparency and blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from mattebox.core.composition import Composition
from mattebox.core.errors import PhotoError, TruncatedPhotoError
from mattebox.core.photo import Photo, probe, read_photo
from mattebox.core.photo.cicp import linear_srgb
from mattebox.core.settings import parse_output
from mattebox.core.write import write_output

if TYPE_CHECKING:
    from pathlib import Path

CHANNELS = {"gray": 1, "rgb": 3, "cmyk": 4}


def composition(mode: str, kind: type) -> Composition:
    """Noise under an alpha with full, soft and empty rows."""
    top = np.iinfo(kind).max
    random = np.random.default_rng(2)
    pixels = random.integers(0, top + 1, (37, 53, CHANNELS[mode])).astype(kind)
    alpha = random.integers(top // 2, top + 1, (37, 53)).astype(kind)
    alpha[5:20], alpha[30:] = top, 0
    tags = Image.Exif()
    tags[0x0110] = "Model 7"
    exif = tags.tobytes().removeprefix(b"Exif\0\0")
    icc = None if mode == "cmyk" else linear_srgb(mode)
    photo = Photo(pixels, mode, dpi=(300.0, 300.0), exif=exif, icc=icc, xmp=b"<x/>")
    return Composition(photo, pixels, pixels, alpha)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", ["gray", "rgb", "cmyk"])
def test_a_transparent_psd_is_read_with_its_alpha(tmp_path: Path, mode: str, kind: type) -> None:
    """Solid pixels come back bit for bit, alpha too, soft colours within one level of the white taken out."""
    made = composition(mode, kind)
    write_output(made, parse_output({"format": "psd", "backdrop": "none"}), tmp_path / "a.psd")
    back = read_photo(tmp_path / "a.psd")
    solid, soft = made.alpha == np.iinfo(kind).max, made.alpha > 0
    assert (back.mode, back.bits) == (mode, 8 * np.dtype(kind).itemsize)
    assert back.alpha is not None
    assert np.array_equal(back.alpha, made.alpha)
    assert np.array_equal(back.pixels[solid], made.original[solid])
    assert np.abs(back.pixels.astype(int) - made.original)[soft].max() <= 2
    assert (back.dpi, back.icc, back.xmp) == ((300, 300), made.photo.icc, b"<x/>")
    assert probe(tmp_path / "a.psd").exif["Model"] == "Model 7"


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", ["gray", "rgb", "cmyk"])
def test_an_opaque_psd_has_no_alpha(tmp_path: Path, mode: str, kind: type) -> None:
    """A further channel that is not transparency is not taken for it."""
    made = composition(mode, kind)
    white = (0,) * 4 if mode == "cmyk" else (np.iinfo(kind).max,) * CHANNELS[mode]
    write_output(replace(made, background=white), parse_output({"format": "psd"}), tmp_path / "a.psd")
    back = read_photo(tmp_path / "a.psd")
    assert back.alpha is None
    assert (back.pixels[made.alpha == 0] == white).all()
    assert not probe(tmp_path / "a.psd").has_alpha


def test_a_cut_off_psd_is_refused(tmp_path: Path) -> None:
    """A PSD that ends anywhere early raises one of our errors."""
    write_output(composition("rgb", np.uint8), parse_output({"format": "psd"}), tmp_path / "a.psd")
    whole = (tmp_path / "a.psd").read_bytes()
    for share in (0.001, 0.05, 0.4, 0.7, 0.98):
        (tmp_path / "b.psd").write_bytes(whole[: max(5, int(len(whole) * share))])
        with pytest.raises(PhotoError):
            read_photo(tmp_path / "b.psd")
    (tmp_path / "b.psd").write_bytes(whole[:20])
    with pytest.raises(TruncatedPhotoError):
        read_photo(tmp_path / "b.psd")
