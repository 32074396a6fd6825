"""A solid inside and an empty outside: what the network is sure of, away from edges."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.segment.boxes import mask_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

# U²-Net leaves the sure inside at 250-254 of 255 and haze of a few levels outside.
_SURE_OUT: Final = 0.03
_SURE_IN: Final = 0.97
# Away from edges less is enough to be sure; but what is half seen is as often background as subject. Maps of
# davis, ecssd (33 photos) and real alpha before refinement, with .7 and .15 here, and with .9 and .08; in
# thousand pixels of a million background let in for sure, subject lost for sure, and SAD:
#     one look, before    10.8 2.4 22.4     9.1 7.7 28.9    6.2 115.5 152.7
#     one look, now       10.5 2.3 22.5     8.8 6.3 28.9    6.1 107.4 153.1
#     three, before       10.0 2.8 20.5     7.7 8.1 32.2    6.3  95.4 125.4
#     three, now           9.5 2.7 20.7     7.5 7.1 31.9    6.2  88.2 126.8
# With .97 and .03 more haze is left than that is worth.
_DEEP_IN: Final = 0.9
_DEEP_OUT: Final = 0.08
# An edge is as wide as this many pixels of the network's input.
_REACH: Final = 4.0
# A dip inside the subject that never falls to where the network doubts is a reflection, not a hole.
_DOUBT: Final = 0.5
_FILL_STEPS: Final = (0.6, 0.7, 0.8, 0.9, _SURE_IN)
_CROSS: Final = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def solid(probability: NDArray[np.float32], detail: float) -> NDArray[np.float32]:
    """The map with sure insides at 1 and sure outsides at 0, (h, w) float32.

    detail: pixels of the map per pixel of the network's input.
    """
    filled = fill_dips(probability)
    level = np.clip((filled - _SURE_OUT) / (_SURE_IN - _SURE_OUT), 0.0, 1.0)
    deep = _REACH * max(1.0, detail)
    # Far from any subject all is outside.
    box = mask_box(filled >= _DOUBT, ceil(deep) + 2) or (slice(0, 0), slice(0, 0))
    near, part = level[box].copy(), filled[box]
    level[filled <= _DEEP_OUT] = 0.0
    if part.size:
        subject = (part >= _DOUBT).astype(np.uint8)
        inside = cv2.distanceTransform(subject, cv2.DIST_L2, cv2.DIST_MASK_5) > deep
        outside = cv2.distanceTransform(1 - subject, cv2.DIST_L2, cv2.DIST_MASK_5) > deep
        # It meets the map itself where that doubts, so that no step is drawn into a soft region.
        raised = _DOUBT + (1 - _DOUBT) * (part - _DOUBT) / (_DEEP_IN - _DOUBT)
        near[inside] = np.maximum(near, np.minimum(raised, 1.0))[inside]
        near[outside & (part <= _DEEP_OUT)] = 0.0
        level[box] = near
    return np.asarray(level, np.float32)


def fill_dips(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """The map with dips that stay above one half raised to what surrounds them, (h, w) float32.

    Grayscale hole filling in a few steps (Soille, "Morphological Image Analysis", section 6.3.7), but
    only of basins whose floor is likely subject; the frame counts as surroundings.
    """
    box = mask_box((probability >= _DOUBT) & (probability < _SURE_IN), 1)
    if box is None:
        return probability
    filled = probability.copy()
    part = filled[box]
    doubted = part < _DOUBT
    # Where a basin meets what is doubted it is open.
    shore = np.asarray(cv2.dilate(doubted.astype(np.uint8), _CROSS)) > 0
    for height in _FILL_STEPS:
        low = (part < height) & ~doubted
        count, found = cv2.connectedComponents(low.astype(np.uint8), connectivity=4)
        labels = np.asarray(found, np.int32)
        is_open = np.zeros(count, bool)
        is_open[0] = True
        is_open[labels[shore & low]] = True
        if not is_open.all():
            part[~is_open[labels]] = height
    return filled
