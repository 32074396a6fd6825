"""Places in masks: the middle of a part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]


def middle(mask: Mask) -> tuple[int, int] | None:
    """The pixel (x, y) of a mask (h, w) that lies farthest from its edge and the frame; None without any."""
    depth = np.asarray(cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, cv2.DIST_MASK_5))
    depth = depth[1:-1, 1:-1]
    y, x = divmod(int(depth.argmax()), mask.shape[1])
    return (x, y) if depth[y, x] > 0 else None
