"""A photo's own transparency and the matte made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo.model import Pixels

_STRIP_ROWS: Final = 256


def multiplied(matte: Pixels, own: Pixels) -> Pixels:
    """The product of two alphas (h, w) of one dtype, rounded; full times full is full."""
    top = int(np.iinfo(matte.dtype).max)
    product: NDArray[Any] = np.empty_like(matte)
    for start in range(0, matte.shape[0], _STRIP_ROWS):
        rows = slice(start, start + _STRIP_ROWS)
        product[rows] = (matte[rows].astype(np.uint64) * own[rows] + top // 2) // top
    return product
