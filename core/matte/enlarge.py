"""Small maps at the photo's size, one tile at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.segment.boxes import mask_box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Map = NDArray[np.float32]

# Small enough for a processor's cache, large enough that a tile's own cost does not show.
TILE: Final = 256
# OpenCV's warps take no more planes at once; so many, or one, are several times quicker than two or three.
PLANES: Final = 4


def tiles(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of tiles of at most TILE pixels a side that cover a picture, row by row."""
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            yield slice(top, min(height, top + TILE)), slice(left, min(width, left + TILE))


def source_window(
    small: tuple[int, ...], size: tuple[int, int], rows: slice, columns: slice
) -> tuple[slice, slice]:
    """The part of a map of shape `small` that `enlarged` asks for a tile; two pixels more a side."""
    return _window(small[0], size[0], rows), _window(small[1], size[1], columns)


def reached(small: Map, size: tuple[int, int], rows: slice, columns: slice) -> tuple[slice, slice] | None:
    """The box of a tile that holds all that is not 0 in `small` (h, w) at `size`, linear; None if all is."""
    window = source_window(small.shape, size, rows, columns)
    # A pixel takes of two neighbours.
    box = mask_box(small[window] != 0, 1)
    if box is None:
        return None
    found = []
    for part, within, tile, count, length in zip(
        box, window, (rows, columns), small.shape, size, strict=True
    ):
        first = int(np.floor((within.start + part.start) * (length / count)))
        last = int(np.ceil((within.start + part.stop) * (length / count)))
        # What ends at the window's end is not known to end there.
        first = tile.start if part.start == 0 else max(tile.start, first)
        last = tile.stop if within.start + part.stop == within.stop else min(tile.stop, last)
        if first >= last:
            return None
        found.append(slice(first, last))
    return found[0], found[1]


def enlarged(small: Map, size: tuple[int, int], rows: slice, columns: slice, *, cubic: bool = False) -> Map:
    """A tile of `small` (h, w) or (h, w, c) as it is when that is resized to `size` (height, width).

    Equal to a resize of the whole, whose memory it does not need. Linear, or cubic (Keys, a = -0.75).
    """
    lines = _window(small.shape[0], size[0], rows)
    across = _along(small[lines], small.shape[1], size[1], columns, axis=1, cubic=cubic)
    return _along(across, small.shape[0], size[0], rows, axis=0, cubic=cubic, start=lines.start)


def enlarged_smooth(small: Map, size: tuple[int, int], rows: slice, columns: slice) -> Map:
    """A tile of a smooth `small` (h, w) or (h, w, c) at `size`: `enlarged` to a 64th of its pixels.

    Several times quicker, for places are rounded; for maps whose neighbours are nearly alike, best in a
    multiple of PLANES.
    """
    lines, across = source_window(small.shape, size, rows, columns)
    down, right = small.shape[0] / size[0], small.shape[1] / size[1]
    place = np.array(
        [
            [right, 0.0, (columns.start + 0.5) * right - 0.5 - across.start],
            [0.0, down, (rows.start + 0.5) * down - 0.5 - lines.start],
        ]
    )
    width, height = columns.stop - columns.start, rows.stop - rows.start
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    asked = small[lines, across]
    parts = [asked] if asked.ndim == 2 else np.split(asked, range(PLANES, asked.shape[2], PLANES), axis=2)
    large = [
        cv2.warpAffine(
            np.ascontiguousarray(each),
            place,
            (width, height),
            flags=flags,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for each in parts
    ]
    return np.asarray(large[0] if len(large) == 1 else cv2.merge(large), np.float32)


def _window(count: int, length: int, part: slice) -> slice:
    first = int(np.floor((part.start + 0.5) * (count / length) - 0.5)) - 1
    last = int(np.floor((part.stop - 0.5) * (count / length) - 0.5)) + 2
    return slice(max(0, first), min(count, last + 1))


def _along(
    small: Map, count: int, length: int, part: slice, *, axis: int, cubic: bool, start: int = 0
) -> Map:
    """`part` of an axis of `count` values stretched to `length`; `small` begins at value `start` of it."""
    place = (np.arange(part.start, part.stop) + 0.5) * (count / length) - 0.5
    whole = np.floor(place).astype(np.int64)
    share = (place - whole).astype(np.float32)
    shape = [1] * small.ndim
    shape[axis] = -1
    result: Map | None = None
    for tap in (-1, 0, 1, 2) if cubic else (0, 1):
        source = np.clip(whole + tap, 0, count - 1) - start
        weighed: Map = np.take(small, source, axis=axis)
        weighed *= _weight(share - np.float32(tap), cubic=cubic).reshape(shape)
        result = weighed if result is None else np.add(result, weighed, out=result)
    assert result is not None  # noqa: S101 - there is at least one tap
    return result


def _weight(distance: Map, *, cubic: bool) -> Map:
    away = np.abs(distance)
    if not cubic:
        return np.asarray(np.maximum(1 - away, 0), np.float32)
    near = (1.25 * away - 2.25) * away * away + 1
    far = ((-0.75 * away + 3.75) * away - 6) * away + 3
    return np.asarray(np.where(away <= 1, near, np.where(away < 2, far, 0)), np.float32)
