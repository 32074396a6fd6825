"""Evidence: what a refined matte has to show before it replaces the network's edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from mattebox.core.matte.colour_projection import LocalColours
from mattebox.core.matte.evidence import accept_refined, softness

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Map = NDArray[np.float32]

SIZE = (120, 120)
FRONT, BEHIND = (0.8, 0.3, 0.2), (0.1, 0.4, 0.7)


def plane(colour: tuple[float, float, float]) -> Map:
    """A picture of one colour."""
    return np.full((*SIZE, 3), colour, np.float32)


def sides(front: tuple[float, float, float] = FRONT) -> LocalColours:
    """One colour for the subject, one for what is behind, known everywhere."""
    return LocalColours(plane(front), plane(BEHIND), np.ones(SIZE, bool))


def shown(alpha: Map) -> Map:
    """What a photo of FRONT over BEHIND shows with that alpha."""
    return alpha[..., None] * plane(FRONT) + (1 - alpha[..., None]) * plane(BEHIND)


@pytest.fixture
def coarse(discs: Callable[..., Map]) -> Map:
    """A disc as a network with a quarter of the side sees it."""
    return cv2.GaussianBlur(discs(SIZE, (60, 60, 35)), (0, 0), 4)


@pytest.fixture
def crisp(discs: Callable[..., Map]) -> Map:
    """The disc as it is."""
    return discs(SIZE, (60, 60, 35))


def test_what_the_picture_shows_is_believed(coarse: Map, crisp: Map) -> None:
    """Over a soft edge a matte that explains the picture takes nearly all of the error away."""
    found = accept_refined(coarse, crisp, shown(crisp), sides(), 4.0)
    assert np.abs(found - crisp).sum() < 0.35 * np.abs(coarse - crisp).sum()


def test_a_crisp_edge_stands(crisp: Map, discs: Callable[..., Map]) -> None:
    """An edge that the network drew within its own pixel is not moved, whatever the picture shows."""
    smaller = discs(SIZE, (60, 60, 33))
    edge = np.asarray(cv2.GaussianBlur(crisp, (0, 0), 0.5), np.float32)
    assert softness(edge, 4.0).max() == 0
    assert np.array_equal(accept_refined(edge, smaller, shown(smaller), sides(), 4.0), edge)


def test_like_colours_have_no_say(coarse: Map, crisp: Map) -> None:
    """Where both sides have one colour, nothing changes."""
    assert np.array_equal(accept_refined(coarse, crisp, plane(BEHIND), sides(BEHIND), 4.0), coarse)


def test_unknown_sides_have_no_say(coarse: Map, crisp: Map) -> None:
    """Where a side was seen nowhere near, nothing changes."""
    nowhere = LocalColours(plane(FRONT), plane(BEHIND), np.zeros(SIZE, bool))
    assert np.array_equal(accept_refined(coarse, crisp, shown(crisp), nowhere, 4.0), coarse)


def test_what_the_picture_denies_is_not_believed(coarse: Map, crisp: Map) -> None:
    """A matte whose mixture is further from the picture than the network's changes nothing."""
    wrong = np.asarray(1 - crisp, np.float32)
    found = accept_refined(coarse, wrong, shown(crisp), sides(), 4.0)
    assert np.abs(found - coarse).max() < 0.02


def test_a_part_that_is_cut_off_mostly_stays(coarse: Map) -> None:
    """A change of the mean over many of the network's pixels has little say; detail around it passes."""
    half = np.full(SIZE, 0.5, np.float32)
    stripes = half + np.float32(0.45) * (np.arange(SIZE[1]) % 2 * 2 - 1).astype(np.float32)
    inner = (slice(20, -20), slice(20, -20))
    detail = accept_refined(half, stripes, shown(stripes), sides(), 4.0) - half
    moved = accept_refined(half, np.zeros_like(half), shown(np.zeros_like(half)), sides(), 4.0) - half
    assert np.abs(detail[inner]).mean() > 0.4
    assert np.abs(moved[inner]).mean() < 0.25
