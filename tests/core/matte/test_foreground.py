"""Decontamination: the subject's own colour at soft edges, the user's pixels elsewhere."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mattebox.core.matte.foreground import straight_foreground


def _soft_disc(side: int) -> np.ndarray:
    disc = cv2.circle(np.zeros((side, side), np.uint8), (side // 2, side // 2), side // 3, 255, -1)
    return cv2.GaussianBlur(disc, (0, 0), side / 200)


def test_soft_pixels_lose_the_background_colour() -> None:
    """A red disc on green: soft pixels come out red, at most a quarter of the green is left."""
    alpha = _soft_disc(600)
    share = alpha[..., None] / 255
    pixels = (np.array([200, 30, 30]) * share + np.array([20, 220, 20]) * (1 - share) + 0.5).astype(np.uint8)
    clean = straight_foreground(pixels, alpha).whole().astype(np.float64)
    soft = (alpha > 50) & (alpha < 250)
    before = np.abs(pixels[soft] - np.array([200.0, 30, 30])).mean()
    assert np.abs(clean[soft] - np.array([200.0, 30, 30])).mean() <= 0.25 * before


def test_full_and_empty_pixels_stand_bit_for_bit() -> None:
    """Where alpha is 255 or 0 nothing changes, in 8 and 16 bits."""
    random = np.random.default_rng(1)
    for dtype in (np.uint8, np.uint16):
        top = np.iinfo(dtype).max
        alpha = (_soft_disc(300).astype(np.uint32) * top // 255).astype(dtype)
        pixels = random.integers(0, top, (300, 300, 3), endpoint=True).astype(dtype)
        clean = straight_foreground(pixels, alpha).whole()
        sure = (alpha == 0) | (alpha == top)
        np.testing.assert_array_equal(clean[sure], pixels[sure])
        assert clean.dtype == dtype


def test_strips_leave_no_seam() -> None:
    """The rows where strips meet are as those of a photo that is cut elsewhere."""
    alpha = _soft_disc(700)
    pixels = np.random.default_rng(2).integers(0, 256, (700, 700, 3)).astype(np.uint8)
    shifted = straight_foreground(np.roll(pixels, 60, axis=0), np.roll(alpha, 60, axis=0)).whole()
    back = np.roll(shifted, -60, axis=0)
    middle = slice(120, 560)
    clean = straight_foreground(pixels, alpha).whole()
    assert np.abs(clean[middle].astype(int) - back[middle]).max() <= 1


def test_a_hard_matte_costs_nothing() -> None:
    """Without soft pixels there is nothing but the photo itself."""
    pixels = np.zeros((20, 20, 3), np.uint8)
    clean = straight_foreground(pixels, np.full((20, 20), 255, np.uint8))
    assert clean.base is pixels
    assert not clean.patches


def _strokes(count: int, reach: int) -> np.ndarray:
    """A disc of 320 pixels' picture with strokes of about a pixel around it, drawn with exact coverage."""
    random = np.random.default_rng(7)
    large = cv2.circle(np.zeros((1280, 1280), np.uint8), (640, 640), 320, 255, -1)
    for angle in random.uniform(0, 2 * np.pi, count):
        far = 320 + 4 * reach * random.uniform(0.4, 1)
        ends = [(int(640 + r * np.cos(angle)), int(640 + r * np.sin(angle))) for r in (300, far)]
        cv2.line(large, ends[0], ends[1], 255, 3)
    return cv2.resize(large, (320, 320), interpolation=cv2.INTER_AREA)


# The kind of edge, the largest mean colour error in soft pixels (0..1), and its largest share of the
# error that the photo's own colours have there: what was measured and 15 % more.
COLOURS = {
    "hard": (lambda: _strokes(0, 0), 0.0068, 0.05),
    "hair": (lambda: _strokes(200, 35), 0.04, 0.283),
    "fur": (lambda: _strokes(900, 9), 0.0107, 0.087),
    "blur": (lambda: cv2.GaussianBlur(_strokes(0, 0), (0, 0), 5), 0.0363, 0.311),
}


@pytest.mark.parametrize("name", COLOURS)
def test_colours_at_soft_edges_are_bounded(name: str) -> None:
    """Uneven, noisy colours over others: what is left of the background's colour stays within its bound."""
    draw, bound, share = COLOURS[name]
    alpha = draw()
    random = np.random.default_rng(3)
    uneven = cv2.resize(random.normal(0, 0.05, (6, 6, 3)), (320, 320), interpolation=cv2.INTER_CUBIC)
    front, behind = np.array([0.75, 0.45, 0.25]) + uneven, np.array([0.25, 0.4, 0.6]) - uneven
    part = alpha[..., None] / 255
    picture = front * part + behind * (1 - part) + random.normal(0, 0.01, front.shape)
    pixels = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    soft = (alpha > 12) & (alpha < 255)
    before = np.abs(pixels[soft] / 255 - front[soft]).mean()
    found = np.abs(straight_foreground(pixels, alpha).whole()[soft] / 255 - front[soft]).mean()
    assert found <= bound
    assert found <= share * before
