"""A line around the subject, as on a sticker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Pixels


def outline_of(alpha: Pixels, width: float) -> Pixels:
    """The opacity (h, w) of everything within `width` pixels of the subject, smooth at its rim."""
    top = np.iinfo(alpha.dtype).max
    outside = (alpha <= top // 2).astype(np.uint8)
    if outside.all():
        return np.zeros_like(alpha)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    line: NDArray[Any] = np.rint(np.clip(width - distance + 0.5, 0, 1) * top).astype(alpha.dtype)
    return line
