"""Colours: how much rather a colour is the subject's than that of what lies around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.segment.lab import rgb_to_lab

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Mask = NDArray[np.bool_]

_BINS: Final = (8, 16, 16)  # of lightness, and of the two opponent colours
# Of a histogram's weight so much is spread evenly, so that a colour never seen says little.
_EVEN: Final = 0.16
_MOST: Final = 3.0


def colour_odds(picture: NDArray[np.uint8], inside: Mask, outside: Mask) -> Map:
    """The log-odds of each pixel's colour for the subject, (h, w) float32 within +-3.

    picture: (h, w, 3) uint8 sRGB. inside, outside: where the subject and what is around it are sure; by the
    histograms of both in CIE Lab, smoothed. All 0 where there is nothing of either.
    """
    if not inside.any() or not outside.any():
        return np.zeros(inside.shape, np.float32)
    lab = rgb_to_lab(picture)
    ours, others = _histogram(lab, inside), _histogram(lab, outside)
    odds = np.clip(np.log(ours / others), -_MOST, _MOST).astype(np.float32)
    place = tuple(lab[..., channel].astype(np.intp) * bins // 256 for channel, bins in enumerate(_BINS))
    return np.asarray(odds[place], np.float32)


def _histogram(lab: NDArray[np.uint8], where: Mask) -> NDArray[np.float64]:
    """Shares of the colours of a mask, smoothed over neighbours; nowhere 0."""
    counts = cv2.calcHist([lab], [0, 1, 2], where.astype(np.uint8), list(_BINS), [0, 256] * 3)
    levels = np.asarray(counts, np.float64)
    for axis in range(3):
        first = np.moveaxis(levels, axis, 0)
        wide = np.concatenate([first[:1], first, first[-1:]])
        levels = np.moveaxis((wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4, 0, axis)
    total = float(levels.sum())
    return (levels + _EVEN * total / levels.size) / (total * (1 + _EVEN))
