"""A plain shape says where to look, an outline is refined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattebox.core.engine import Engine
from mattebox.core.matte.rough_mask import search_settings
from mattebox.core.photo import Photo, read_photo
from mattebox.core.settings import CutSettings

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PHOTO = Photo(np.zeros((200, 300, 3), np.uint8), "rgb")


def _rectangle(left: int = 10, top: int = 20, right: int = 60, bottom: int = 50) -> NDArray[np.float32]:
    """A rectangle on a map of 75 x 50, a quarter of PHOTO."""
    canvas = np.zeros((50, 75), np.float32)
    canvas[top:bottom, left:right] = 1.0
    return canvas


@given(st.integers(0, 40), st.integers(0, 30), st.integers(3, 30), st.integers(3, 19))
def test_a_rectangle_says_where_to_look(left: int, top: int, width: int, height: int) -> None:
    """Any rectangle becomes a search box in pixels of the photo."""
    rough = _rectangle(left, top, left + width, top + height)
    inside = search_settings(PHOTO, CutSettings(), rough)
    assert inside == CutSettings(subject=(4 * left, 4 * top, 4 * (left + width), 4 * (top + height)))


def test_an_ellipse_says_where_to_look() -> None:
    """An ellipse counts as its box."""
    rough = np.zeros((200, 300), np.float32)
    cv2.ellipse(rough, ((150.0, 100.0), (121.0, 81.0), 0), 1.0, -1)
    found = search_settings(PHOTO, CutSettings(), rough)
    assert found is not None
    np.testing.assert_allclose(np.asarray(found.subject, float), [90, 60, 211, 141], atol=1.5)


def test_an_outline_is_no_place_to_look() -> None:
    """A shape that no tool draws in one stroke is an outline, and so is what lies over the whole photo."""
    outline = _rectangle()
    outline[20:30, 10:30] = 0
    assert search_settings(PHOTO, CutSettings(), outline) is None
    assert search_settings(PHOTO, CutSettings(), np.ones((50, 75), np.float32)) is None
    assert search_settings(PHOTO, CutSettings(), np.zeros((50, 75), np.float32)) is None


def test_without_refining_a_shape_stays_a_shape() -> None:
    """With `refine: none` what was drawn is what comes out, whatever it is."""
    assert search_settings(PHOTO, CutSettings(refine="none"), _rectangle()) is None


@pytest.mark.network
def test_a_box_around_a_woman_becomes_the_woman(shipped_photos: dict[str, Path]) -> None:
    """A rough box is answered by what the network finds in it: the corners of the box are empty."""
    photo = read_photo(shipped_photos["astronaut.png"])
    rough = np.zeros((photo.height, photo.width), np.float32)
    rough[:, 60:400] = 1.0
    cutout = Engine().cut(photo, CutSettings(model="u2netp"), rough=rough)
    assert cutout.report.model == "u2netp"
    assert cutout.report.confidence > 0
    assert not cutout.alpha[:40, 60:120].any()
    inside = cutout.alpha[300:, 200:260]
    # What this coarse network only half sees is left to the refinement, and is not opaque by decree.
    assert (inside == 255).mean() > 0.9
    assert (inside >= 240).mean() > 0.95
    assert inside.min() > 96


@pytest.mark.network
def test_a_box_in_which_nothing_is_found_stays_a_box() -> None:
    """Where the networks find nothing, what was drawn stands, and the report names no network."""
    photo = Photo(np.full((200, 300, 3), 128, np.uint8), "rgb")
    cutout = Engine().cut(photo, CutSettings(model="u2netp"), rough=_rectangle())
    assert cutout.report.model == ""
    assert cutout.alpha[140, 140] == 255
    assert cutout.alpha[20, 20] == 0
