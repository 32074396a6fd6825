"""Arrays turned upright by their EXIF orientation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo.model import Pixels


def turn_upright(pixels: Pixels, orientation: int) -> Pixels:
    """`pixels` (h, w) or (h, w, c) as they are to be seen; C-contiguous (EXIF 3.0, tag 0x0112)."""
    turned: NDArray[Any] = pixels
    if orientation in {5, 6, 7, 8}:
        turned = turned.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        turned = turned[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        turned = turned[::-1]
    return np.ascontiguousarray(turned)
