"""From a small probability map to alpha at the photo's full resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Photo, Pixels

# U²-Net leaves the sure inside at 250-254 of 255: what it is that sure of is solid.
_SURE_OUT: Final = 0.03
_SURE_IN: Final = 0.97


def refine_matte(photo: Photo, probability: NDArray[np.float32]) -> Pixels:
    """Alpha of the photo's size and depth, (h, w) uint8 or uint16, from a map of any size."""
    level = np.clip((probability - _SURE_OUT) / (_SURE_IN - _SURE_OUT), 0.0, 1.0).astype(np.float32)
    full = cv2.resize(level, (photo.width, photo.height), interpolation=cv2.INTER_CUBIC)
    top = np.iinfo(photo.pixels.dtype).max
    levels = np.asarray(np.clip(full * np.float32(top) + np.float32(0.5), 0, top), np.float32)
    return levels.astype(np.uint8) if photo.bits == 8 else levels.astype(np.uint16)
