"""Evidence: where a refined edge is believed, pixel by pixel, and where the network's own stands.

Refining is worth its risk only where the network left the edge soft: an edge that is crisp at the
network's own scale was seen, and whatever moves it is more likely wrong. Measured on labelled photos
(bench/edges.py), that one rule turned refined edges from worse than unrefined ones to better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.matte.colour_projection import summed_product

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.matte.colour_projection import LocalColours

    Map = NDArray[np.float32]

# 4a(1-a), averaged over a network's pixel and its neighbours: below the first the edge is crisp.
_CRISP: Final = 0.2
_SOFT: Final = 0.4
# A change of the mean by this much has half its weight.
_MOVED: Final = 0.45
# The share of what the network's own edge leaves unexplained that has to vanish for its full weight.
_GAIN: Final = 0.2
# The share of the two sides' contrast that a matte may leave unexplained at half its weight.
_UNEXPLAINED: Final = 0.3
_STEADY: Final = 0.01
# What noise and texture alone leave unexplained.
_NOISE: Final = 0.002
# The screen of a matte that saw every pixel, the squared distance of colours that halves it, and what of it
# stays. On labelled photos edges are alike from half to twice of each.
_DATA_WEIGHT: Final = 0.2
_ALIKE: Final = 0.02
_LEAST_DATA_WEIGHT: Final = 0.02
# Of a matte that a solver begins with, what is below the first is none of the subject, above the second all.
_OUT: Final = 0.1
_IN: Final = 0.87
# What is above this, or as far below one half, is on one side of an edge.
_SIDED: Final = 0.77
# How much more undecided, by 4a(1-a), a solved matte may be at half its weight, and how wide the step is.
_LEEWAY: Final = 0.1
_SURELY: Final = 0.2
# Structure finer than this many of the network's pixels (a standard deviation), and how little is none.
_FINE: Final = 0.8
_PLAIN: Final = 1e-3
# The squared distance of two colours that tells them apart for sure.
_APART: Final = 0.004


def softness(level: Map, detail: float) -> Map:
    """How far a refined edge may replace that of `level` (h, w): 0 where it is crisp, 1 where it is soft.

    detail: pixels of `level` per pixel of the network's input.
    """
    return _soft(_ambiguity(level, detail))


def data_weight(colours: LocalColours, detail: float) -> Map:
    """How firmly a solver keeps each pixel at the matte that it began with: a screen for `closed_form`.

    Less the larger the pixels were that the network saw, for the less it says of each of ours; and of what
    did not see every pixel less where the two sides' colours differ, for there colours know better.
    """
    unsure = np.float32(_ALIKE) / (np.float32(_ALIKE) + colours.contrast)
    share = np.where(colours.known, np.maximum(unsure, np.float32(_LEAST_DATA_WEIGHT)), np.float32(1))
    share **= np.float32(_finer(detail))
    return np.asarray(np.float32(_DATA_WEIGHT / max(1.0, detail) ** 3) * share, np.float32)


def stretched(level: Map, detail: float) -> Map:
    """`level` with what is nearly out or nearly in taken for that, (h, w) float32 in 0..1.

    What a solver should keep near: an edge finer than the network's pixels is hedged by it, and where colours
    bear out the hedge a solver finds it again.
    """
    share = np.float32(_finer(detail))
    low, high = share * _OUT, 1 - share * (1 - _IN)
    return np.asarray(np.clip((level - low) / (high - low), 0, 1), np.float32)


def accept_solved(level: Map, solved: Map, colours: LocalColours, detail: float) -> Map:
    """A solved matte as far as it is finer than `level`, else `level`; all (h, w) float32 in 0..1.

    Where colours tell a solver how the edge runs, it is less undecided than what it began with, or, in hair,
    richer in fine structure; where they do not, it smears. Only soft edges and haze away from edges are asked
    about, and only where the two sides' colours differ.
    """
    before, after = _ambiguity(level, detail), _ambiguity(solved, detail)
    decided = np.clip((before - after + np.float32(_LEEWAY)) / np.float32(_SURELY), 0, 1)
    richer = _structure(solved, detail) / (_structure(level, detail) + np.float32(_PLAIN)) - 1
    weight = np.maximum(decided, np.clip(richer, 0, 1)) * _soft(before) * _separability(colours)
    found = level + weight * (solved - level)
    # No edge is at stake in a haze: the surer answer counts.
    fading = cv2.blur(haze_mask(level, detail).astype(np.float32), _window(detail)) * _separability(colours)
    fading *= np.abs(solved - np.float32(0.5)) > np.abs(level - np.float32(0.5))
    return np.asarray(found + fading * (solved - found), np.float32)


def haze_mask(level: Map, detail: float) -> NDArray[np.bool_]:
    """Where a matte (h, w) is neither in nor out, and all within a network's pixel is on the same side."""
    around = np.ones(_window(detail), np.uint8)
    one_side = (cv2.erode(level, around) > _SIDED) | (cv2.dilate(level, around) < 1 - _SIDED)
    return np.asarray(one_side & (level > 0) & (level < 1))


def accept_refined(level: Map, refined: Map, picture: Map, colours: LocalColours, detail: float) -> Map:
    """The refined matte as far as the evidence goes, else `level`; all (h, w) float32 in 0..1.

    A change has weight where the edge was soft, where its mean over a network's pixel stays near what
    the network said (detail and sharpness pass; a part cut off or let in does not), where the two sides'
    colours differ, and where those colours, mixed by the refined matte, come near the picture (h, w, c)
    in 0..1, and nearer than mixed by `level`.
    """
    change = refined - level
    window = _window(detail)
    moved = cv2.blur(change, window) / np.float32(_MOVED)
    weight = softness(level, detail) / (1 + moved * moved)
    contrast = colours.contrast
    weight *= _separability(colours)
    before = cv2.blur(_residual(level, picture, colours), window)
    after = cv2.blur(_residual(level + weight * change, picture, colours), window)
    weight *= np.clip((before - after) / (np.float32(_GAIN) * (before + np.float32(_NOISE))), 0, 1)
    weight /= 1 + after / (np.float32(_UNEXPLAINED) * (contrast + np.float32(_STEADY)))
    return np.asarray(level + weight * change, np.float32)


def _residual(matte: Map, picture: Map, colours: LocalColours) -> Map:
    """The squared distance of the picture from the two sides' colours mixed by `matte`, (h, w)."""
    apart = picture - (colours.background + matte[..., None] * (colours.subject - colours.background))
    return summed_product(apart, apart)


def _separability(colours: LocalColours) -> Map:
    return np.asarray(np.clip(colours.contrast / np.float32(_APART), 0, 1) * colours.known, np.float32)


def _structure(level: Map, detail: float) -> Map:
    """The mean square of what is fine in a matte, around each pixel."""
    fine = level - cv2.GaussianBlur(level, (0, 0), _FINE * max(1.0, detail))
    side = 2 * _window(detail)[0] + 1
    return np.asarray(cv2.blur(fine * fine, (side, side)), np.float32)


def _ambiguity(level: Map, detail: float) -> Map:
    return np.asarray(cv2.blur(4 * level * (1 - level), _window(detail)), np.float32)


def _soft(undecided: Map) -> Map:
    return np.asarray(np.clip((undecided - _CRISP) / (_SOFT - _CRISP), 0, 1), np.float32)


def _finer(detail: float) -> float:
    """How much finer a map is than the network saw: 0 where it is not, 1 from half as fine again."""
    return min(1.0, 2 * (max(1.0, detail) - 1))


def _window(detail: float) -> tuple[int, int]:
    side = 2 * max(1, round(detail)) + 1
    return side, side
