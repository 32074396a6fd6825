"""A solid inside and an empty outside: what the network is sure of, away from edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# U²-Net leaves the sure inside at 250-254 of 255 and haze of a few levels outside.
_SURE_OUT: Final = 0.03
_SURE_IN: Final = 0.97
# Away from edges less is enough to be sure.
_DEEP_IN: Final = 0.7
_DEEP_OUT: Final = 0.15
# An edge is as wide as this many pixels of the network's input.
_REACH: Final = 4.0


def solid(probability: NDArray[np.float32], detail: float) -> NDArray[np.float32]:
    """The map with sure insides at 1 and sure outsides at 0, (h, w) float32.

    detail: pixels of the map per pixel of the network's input.
    """
    level = np.clip((probability - _SURE_OUT) / (_SURE_IN - _SURE_OUT), 0.0, 1.0)
    subject = (probability >= 0.5).astype(np.uint8)
    deep = np.float32(_REACH * max(1.0, detail))
    inside = cv2.distanceTransform(subject, cv2.DIST_L2, cv2.DIST_MASK_5)
    outside = cv2.distanceTransform(1 - subject, cv2.DIST_L2, cv2.DIST_MASK_5)
    level[(inside > deep) & (probability >= _DEEP_IN)] = 1.0
    level[(outside > deep) & (probability <= _DEEP_OUT)] = 0.0
    return np.asarray(level, np.float32)
