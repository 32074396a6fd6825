"""Boxes: the smallest one around a mask or a matte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def subject_box(alpha: NDArray[np.uint8] | NDArray[np.uint16]) -> tuple[int, int, int, int] | None:
    """The smallest box (left, top, right, bottom; exclusive ends) that holds all alpha of at least half."""
    box = mask_box(alpha >= np.iinfo(alpha.dtype).max // 2 + 1)
    return box and (box[1].start, box[0].start, box[1].stop, box[0].stop)


def mask_box(mask: NDArray[np.bool_], margin: int = 0) -> tuple[slice, slice] | None:
    """Rows and columns of the smallest box around all of a mask (h, w), with a margin; None without any."""
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(mask.any(axis=0))
    down, across = (
        slice(max(0, int(found[0]) - margin), min(length, int(found[-1]) + 1 + margin))
        for found, length in zip((rows, columns), mask.shape, strict=True)
    )
    return down, across
