"""The small 8-bit sRGB copy that a network sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Photo


def network_view(photo: Photo, longest: int = 1024) -> NDArray[np.uint8]:
    """A copy of at most `longest` pixels a side: (h, w, 3) uint8 sRGB."""
    scale = min(1.0, longest / max(photo.width, photo.height))
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    small = cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA)
    if photo.bits == 16:
        small = (small // 257).astype(np.uint8)
    if small.ndim == 2 or small.shape[2] == 1:
        return np.repeat(small.reshape(size[1], size[0], 1), 3, axis=2).astype(np.uint8)
    if photo.mode == "cmyk":
        ink = small.astype(np.uint16)
        return ((255 - ink[..., :3]) * (255 - ink[..., 3:]) // 255).astype(np.uint8)
    return np.asarray(small, np.uint8)
