"""Colours keep their look from one space to another."""

from __future__ import annotations

import time

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mattebox.core.photo import Photo
from mattebox.core.photo.colour import colour_from_srgb, from_srgb, in_depth, srgb_profile, to_srgb


@given(arrays.arrays(np.uint8, (4, 5, 3)))
def test_inks_without_a_profile_give_the_colour_back(pixels: np.ndarray) -> None:
    """SRGB to plain CMYK and back moves no channel by more than a level of rounding."""
    back = to_srgb(from_srgb(pixels, "cmyk", None), "cmyk", None)
    assert np.abs(back.astype(int) - pixels).max() <= 1


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_profile_there_and_back_is_the_same_colour(kind: type) -> None:
    """Mid tones of sRGB go to Adobe RGB and back within three levels of 8 bits, in either depth."""
    adobe = imagecodecs.cms_profile("adobergb")
    top = int(np.iinfo(kind).max)
    pixels = np.random.default_rng(6).integers(top // 4, top + 1, (300, 7, 3)).astype(kind)
    there = from_srgb(pixels, "rgb", adobe)
    assert np.abs(there.astype(int) - pixels).max() > 10 * top // 255
    assert np.abs(to_srgb(there, "rgb", adobe).astype(int) - pixels).max() <= 3 * top // 255


@given(arrays.arrays(np.uint16, (3, 4, 2)))
def test_eight_bits_are_the_nearest_of_sixteen(pixels: np.ndarray) -> None:
    """16 bits become the nearest 8-bit level, and 8 bits become 16 and back without a change."""
    small = in_depth(pixels, 8)
    assert np.abs(small.astype(int) * 257 - pixels).max() <= 128
    assert np.array_equal(in_depth(in_depth(small, 16), 8), small)


@given(st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255)))
def test_a_colour_in_an_untagged_photo_is_its_own_values(colour: tuple[int, int, int]) -> None:
    """Without a profile RGB is sRGB: 8-bit values stay, 16-bit ones are 257 times as large."""
    assert colour_from_srgb(colour, Photo(np.zeros((1, 1, 3), np.uint8), "rgb")) == colour
    deep = colour_from_srgb(colour, Photo(np.zeros((1, 1, 3), np.uint16), "rgb"))
    assert deep == tuple(257 * value for value in colour)


@pytest.mark.slow
def test_the_srgb_profile_is_the_same_at_any_time() -> None:
    """Made a second later it has the same bytes, so that equal photos give equal files."""
    first = srgb_profile.__wrapped__()
    time.sleep(1.1)
    assert srgb_profile.__wrapped__() == first
