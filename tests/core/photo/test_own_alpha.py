"""A photo's own transparency multiplies the matte, unless it is told to be ignored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data

from mattebox.core.engine import Engine
from mattebox.core.photo import Photo
from mattebox.core.photo.own_alpha import multiplied
from mattebox.core.settings import CutSettings


@given(st.integers(0, 65535), st.integers(0, 65535), st.sampled_from([np.uint8, np.uint16]))
def test_the_product_is_rounded_and_full_is_neutral(first: int, second: int, kind: type) -> None:
    """Full leaves the other as it is, nothing leaves nothing, the rest is the rounded product."""
    top = int(np.iinfo(kind).max)
    one, other = np.full((2, 3), first % (top + 1), kind), np.full((2, 3), second % (top + 1), kind)
    assert np.array_equal(multiplied(one, np.full_like(one, top)), one)
    assert not multiplied(one, np.zeros_like(one)).any()
    exact = int(one[0, 0]) * int(other[0, 0]) / top
    assert abs(int(multiplied(one, other)[0, 0]) - exact) <= 0.5


@pytest.mark.network
def test_what_the_photo_hides_stays_hidden() -> None:
    """Where the photo is transparent the cutout is; with `ignore` the saucer's hidden rim is there again."""
    pixels = np.ascontiguousarray(data.coffee())
    alpha = np.full(pixels.shape[:2], 255, np.uint8)
    alpha[:, :220] = 0
    photo = Photo(pixels, "rgb", alpha=alpha)
    engine = Engine()
    cut = engine.cut(photo, CutSettings(model="u2netp"))
    assert not cut.alpha[:, :220].any()
    assert (cut.alpha[100:300, 280:420] > 200).mean() > 0.8
    seen = engine.cut(photo, CutSettings(model="u2netp", input_alpha="ignore"))
    assert (seen.alpha[150:300, 170:220] > 200).any()
