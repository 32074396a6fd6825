"""Connected parts of a map: which hang together, and what fades when some of them go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

# What hangs together at this is one thing: a flag and its pole, a half-seen petal and the specks of it that
# are likely. From .05 to .4 labelled photos hardly differed.
_JOINED: Final = 0.3


def joined(probability: Map, labels: NDArray[np.int32], parts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which parts hang together with some of them by what is not unlikely; those themselves are among them.

    probability: (h, w) float32. labels: (h, w) int32, the part of each pixel, 0 where there is none; nowhere
    below one half. parts: one truth for each part.
    """
    count, found = cv2.connectedComponents((probability >= _JOINED).astype(np.uint8))
    wholes = np.asarray(found, np.int32)
    own = np.zeros(count, bool)
    own[wholes[parts[labels] & (labels > 0)]] = True
    together = np.zeros(parts.size, bool)
    together[labels[own[wholes]]] = True
    together[0] = False
    return together


def without(probability: Map, labels: NDArray[np.int32], kept: NDArray[np.bool_]) -> Map:
    """The map (h, w) float32 with some parts faded out, and with each what lies nearest to it.

    labels: (h, w) int32, the part of each pixel, 0 where there is none. kept: one truth for each part; that
    of 0 is not asked. A part that is kept stays as it is to its last pixel.
    """
    likely = (labels > 0).astype(np.uint8)
    stays = kept[_nearest(likely, labels)]
    fading = cv2.blur(stays.astype(np.float32), (3, 3)) * stays
    return np.asarray(probability * np.where(likely > 0, stays, fading), np.float32)


def _nearest(likely: NDArray[np.uint8], labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """For each pixel the part that lies nearest."""
    _, zones = cv2.distanceTransformWithLabels(
        1 - likely, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_CCOMP
    )
    # Zones are numbered anew: a pixel of the part itself tells which part a zone is.
    part_of_zone = np.zeros(int(zones.max()) + 1, np.int32)
    part_of_zone[zones[likely > 0]] = labels[likely > 0]
    return np.asarray(part_of_zone[zones], np.int32)
