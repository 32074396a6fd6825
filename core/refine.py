"""From a small probability map to alpha at the photo's full resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mattebox.core.solid import solid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Photo, Pixels


def refine_matte(
    photo: Photo, probability: NDArray[np.float32], mode: str = "auto", detail: float = 1.0
) -> Pixels:
    """Alpha of the photo's size and depth, (h, w) uint8 or uint16, from a map of any size.

    mode: auto, none, hair or hard. detail: pixels of the map per pixel of the network's input.
    """
    level = probability if mode == "none" else solid(probability, detail)
    full = cv2.resize(level, (photo.width, photo.height), interpolation=cv2.INTER_CUBIC)
    return levels(np.asarray(full, np.float32), photo.pixels.dtype)


def levels(alpha: NDArray[np.float32], dtype: np.dtype[Any]) -> Pixels:
    """Alpha of 0..1 as whole levels of uint8 or uint16, rounded."""
    top = np.iinfo(dtype).max
    scaled = np.clip(alpha * np.float32(top) + np.float32(0.5), 0, top)
    return np.asarray(scaled, dtype)
