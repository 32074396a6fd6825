"""Large JPEGs decoded straight into an array: the same pixels, and never of a file that is cut off."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mattebox.core.errors import TruncatedPhotoError
from mattebox.core.photo import jpeg, pillow, read_photo
from mattebox.core.segment.view import network_view

if TYPE_CHECKING:
    from pathlib import Path

_KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "progressive": {"progressive": True},
    "full colour": {"subsampling": 0, "quality": 97},
    "coarse colour": {"subsampling": 2, "quality": 20},
    "RGB": {"keep_rgb": True},
    "restarts": {"restart_marker_rows": 1},
    "optimised": {"optimize": True},
    "with blocks": {"comment": b"\xff\xd9 and \xff\xd8", "exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"},
}


def _picture(mode: str = "RGB") -> Image.Image:
    noise = np.random.default_rng(3).integers(0, 256, (123, 211, 3), np.uint8)
    return Image.fromarray(cv2.GaussianBlur(noise, (0, 0), 2.0)).convert(mode)


def _jpeg(kind: str, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    _picture(mode).save(file, "JPEG", **_KINDS[kind])
    return file.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("kind", _KINDS)
def test_the_pixels_are_the_same(kind: str, mode: str) -> None:
    """Every kind of JPEG gives the pixels that Pillow gives, to the last bit."""
    if mode == "L" and kind == "RGB":
        mode = "RGB"
    data = _jpeg(kind, mode)
    assert jpeg.is_complete(data)
    pixels = jpeg.decode_complete(io.BytesIO(data))
    assert pixels is not None
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image)
    np.testing.assert_array_equal(pixels.reshape(expected.shape), expected)


@settings(deadline=None)
@given(st.data())
def test_a_cut_off_file_is_never_decoded(data: st.DataObject) -> None:
    """A JPEG without its end is not complete wherever it is cut, with what follows or without."""
    whole = _jpeg(data.draw(st.sampled_from(sorted(_KINDS))))
    part = whole[: data.draw(st.integers(0, len(whole) - 2))]
    assert not jpeg.is_complete(part)
    assert jpeg.decode_complete(io.BytesIO(part)) is None


def test_what_follows_the_picture_is_left_alone() -> None:
    """A second picture after the end, as phones write it, changes nothing, nor does its missing end."""
    first = _jpeg("plain")
    pixels = jpeg.decode_complete(io.BytesIO(first + _jpeg("progressive")[:500]))
    np.testing.assert_array_equal(pixels, jpeg.decode_complete(io.BytesIO(first)))


def test_read_photo_takes_the_short_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large JPEG is read without Pillow's decoder, a cut off one still by its sentence."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(_jpeg("plain"))
    usual = read_photo(path)
    monkeypatch.setattr(pillow, "_LARGE", 1)
    monkeypatch.setattr(pillow, "_arrays", None)
    np.testing.assert_array_equal(read_photo(path).pixels, usual.pixels)
    path.write_bytes(_jpeg("plain")[:-200])
    with pytest.raises(TruncatedPhotoError):
        read_photo(path)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_as_many_pixels_as_are_asked_for(tmp_path: Path, mode: str) -> None:
    """A JPEG of 2600 pixels decoded for a view of 1024 comes at half its size and looks the same."""
    path = tmp_path / "photo.jpg"
    _picture(mode).resize((2600, 1500), Image.Resampling.BICUBIC).save(path, quality=95)
    small, whole = read_photo(path, longest=1024), read_photo(path)
    assert (small.width, small.height) == (1300, 750)
    apart = network_view(small).astype(int) - network_view(whole)
    assert np.abs(apart).mean() < 1.0


def test_other_formats_are_decoded_whole(tmp_path: Path) -> None:
    """A PNG has every pixel, whatever would be enough."""
    path = tmp_path / "photo.png"
    _picture().save(path)
    assert read_photo(path, longest=10).width == 211
