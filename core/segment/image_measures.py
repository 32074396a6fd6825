"""Measures of a picture itself, before any network has looked: its blocks, and a median that loads little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK: Final = 8


def median(values: NDArray[Any]) -> float:
    """The median of a few or many numbers; NumPy's own would load its masked arrays for it."""
    middle = (values.size - 1) // 2, values.size // 2
    return float(np.partition(values, middle, axis=None)[list(middle)].mean())


def blockiness(gray: NDArray[np.uint8]) -> float:
    """How much larger the steps at an 8-pixel grid are than the others, 0 where there is no such grid."""
    excess = 0.0
    pairs = ((gray[:, 1:], gray[:, :-1]), (gray[1:], gray[:-1]))
    for axis, pair in enumerate(pairs):
        if 0 in pair[0].shape:
            return 0.0
        apart = cv2.absdiff(*pair).reshape(pair[0].shape)
        steps = np.ravel(cv2.reduce(apart, axis, cv2.REDUCE_AVG, dtype=cv2.CV_64F))
        if steps.size < 2 * _BLOCK:
            return 0.0
        phases = [float(steps[phase::_BLOCK].mean()) for phase in range(_BLOCK)]
        others = (sum(phases) - max(phases)) / (_BLOCK - 1)
        excess += max(phases) / (others + 0.25) - 1
    return max(0.0, excess / 2)
