"""The network sees what a person sees: upright sRGB."""

from __future__ import annotations

from io import BytesIO

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from mattebox.core.photo import Photo
from mattebox.core.segment.view import network_view, small_copy


def test_a_profile_is_applied_to_the_small_copy_only() -> None:
    """The view of Adobe RGB pixels is what Pillow's ImageCms makes of them; the photo stays."""
    adobe = imagecodecs.cms_profile("adobergb")
    pixels = np.random.default_rng(3).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    kept = pixels.copy()
    view = network_view(Photo(pixels, "rgb", icc=adobe))
    expected = ImageCms.profileToProfile(
        Image.fromarray(pixels),
        ImageCms.ImageCmsProfile(BytesIO(adobe)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert expected is not None
    assert np.abs(view.astype(int) - np.asarray(expected)).max() <= 1
    assert np.abs(view.astype(int) - pixels).max() > 20
    assert np.array_equal(pixels, kept)


def test_a_gray_profile_is_applied() -> None:
    """Linear gray is shown brighter, as its profile says."""
    linear = imagecodecs.cms_profile("gray", gamma=1.0, whitepoint=[0.3127, 0.3290, 1.0])
    view = network_view(Photo(np.full((8, 8, 1), 55, np.uint8), "gray", icc=linear))
    assert np.abs(view.astype(int) - 128).max() <= 2


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize(("mode", "channels"), [("gray", 1), ("rgb", 3), ("cmyk", 4)])
def test_every_mode_and_depth_gives_8_bit_rgb(kind: type, mode: str, channels: int) -> None:
    """A mid tone stays a mid tone whatever its mode and depth; the size is at most the longest side."""
    top = np.iinfo(kind).max
    pixels = np.full((300, 200, channels), top // 2, kind)
    if mode == "cmyk":
        pixels[..., 3] = 0
    photo = Photo(pixels, mode)
    view = network_view(photo, small_copy(photo, 150))
    assert view.shape == (150, 100, 3)
    assert view.dtype == np.uint8
    assert np.abs(view.astype(int) - 127).max() <= 1


def test_hidden_colours_are_not_shown() -> None:
    """Where the photo is transparent the view is neutral, unless its alpha is to be ignored."""
    pixels = np.full((10, 10, 3), 250, np.uint8)
    alpha = np.zeros((10, 10), np.uint8)
    photo = Photo(pixels, "rgb", alpha=alpha)
    assert (network_view(photo) == 128).all()
    assert (network_view(photo, own_alpha=False) == 250).all()


@pytest.mark.parametrize("mode", ["gray", "rgb", "cmyk"])
def test_a_profile_of_another_space_or_none_at_all_is_passed_over(mode: str) -> None:
    """Damaged profiles and those of another colour space leave the colours as they are."""
    pixels = np.full((8, 8, {"gray": 1, "rgb": 3, "cmyk": 4}[mode]), 60, np.uint8)
    plain = network_view(Photo(pixels, mode))
    assert np.array_equal(network_view(Photo(pixels, mode, icc=b"no profile at all")), plain)
    lab = imagecodecs.cms_profile("lab2")
    assert np.array_equal(network_view(Photo(pixels, mode, icc=lab)), plain)
