"""Planes: one channel of a picture, given out in blocks of rows as the file stores them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from mattebox.core.photo import Pixels

    Rows = Callable[[slice], NDArray[Any]]

_BLOCK_PIXELS = 1 << 20


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the canvas; right and bottom stand just outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """`height` rows of `width` samples of `dtype`; rows(slice) computes or cuts out some of them."""

    width: int
    height: int
    dtype: np.dtype[Any]
    rows: Rows

    def blocks(self) -> Iterator[NDArray[Any]]:
        """All rows in turn, about a million samples at a time."""
        for rows in row_blocks(self.width, self.height):
            yield self.rows(rows)


def row_blocks(width: int, height: int) -> Iterator[slice]:
    """Slices of rows that together cover `height`."""
    step = max(1, _BLOCK_PIXELS // max(1, width))
    for top in range(0, height, step):
        yield slice(top, min(height, top + step))


def array_plane(array: Pixels) -> Plane:
    """A plane of an (h, w) array or view."""

    def rows(part: slice) -> NDArray[Any]:
        return array[part]

    return Plane(int(array.shape[1]), int(array.shape[0]), array.dtype, rows)


def constant_plane(width: int, height: int, value: int, dtype: np.dtype[Any]) -> Plane:
    """A plane of one value."""

    def rows(part: slice) -> NDArray[Any]:
        return np.full((part.stop - part.start, width), value, dtype)

    return Plane(width, height, dtype, rows)


def inverted(plane: Plane) -> Plane:
    """The plane with 0 and full exchanged: a PSD stores ink as light."""
    full = np.iinfo(plane.dtype).max

    def rows(part: slice) -> NDArray[Any]:
        return full - plane.rows(part)

    return Plane(plane.width, plane.height, plane.dtype, rows)


def covered_box(alpha: Pixels) -> Box:
    """The bounding box of all that is not 0; one pixel at the corner where there is nothing."""
    rows = np.flatnonzero(alpha.any(axis=1))
    if not rows.size:
        return Box(0, 0, 1, 1)
    columns = np.flatnonzero(alpha[rows[0] : rows[-1] + 1].any(axis=0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def cut_out(array: Pixels, box: Box) -> Pixels:
    """The part of an array that lies in the box, as a view."""
    return array[box.top : box.bottom, box.left : box.right]


def on_canvas(samples: Pixels, box: Box, canvas: Pixels, outside: int) -> Pixels:
    """`samples` of a box on an array like `canvas`, filled with `outside`; what lies beyond is cut off."""
    height, width = canvas.shape[:2]
    out = np.full((height, width), outside, canvas.dtype)
    left, top = max(box.left, 0), max(box.top, 0)
    right, bottom = min(box.right, width), min(box.bottom, height)
    if left < right and top < bottom:
        out[top:bottom, left:right] = samples[
            top - box.top : bottom - box.top, left - box.left : right - box.left
        ]
    return out
