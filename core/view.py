"""The small 8-bit sRGB copy that a network sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.colour import in_depth, to_srgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Photo, Pixels

_NEUTRAL: Final = 128


def network_view(photo: Photo, longest: int = 1024, *, own_alpha: bool = True) -> NDArray[np.uint8]:
    """A copy of at most `longest` pixels a side: (h, w, 3) uint8 sRGB.

    Colours go through the photo's own profile, after the resize: the full pixels are not touched.
    With `own_alpha` what the photo hides is neutral gray, for the colours there are arbitrary.
    """
    scale = min(1.0, longest / max(photo.width, photo.height))
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    small = in_depth(to_srgb(_resized(photo.pixels, size), photo.mode, photo.icc), 8)
    if photo.alpha is not None and own_alpha:
        share: NDArray[Any] = in_depth(_resized(photo.alpha, size), 8).astype(np.uint32)
        small = ((small * share + _NEUTRAL * (255 - share) + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(small, np.uint8)


def _resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """(h, w, c) pixels of another size, by area."""
    small: NDArray[Any] = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return small.reshape(size[1], size[0], -1)
