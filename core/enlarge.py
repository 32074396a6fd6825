"""Small maps at the photo's size, some rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

STRIP_ROWS: Final = 256


def strips(height: int) -> Iterator[slice]:
    """Slices of at most STRIP_ROWS rows that cover `height` rows."""
    for top in range(0, height, STRIP_ROWS):
        yield slice(top, min(height, top + STRIP_ROWS))


def enlarged_rows(
    small: NDArray[np.float32], size: tuple[int, int], rows: slice, *, cubic: bool = False
) -> NDArray[np.float32]:
    """Rows of `small` (h, w) or (h, w, c) as they are when it is resized to `size` (height, width).

    Equal to a resize of the whole, whose memory it does not need. Linear, or cubic (Keys, a = -0.75).
    """
    height, width = size
    taps = (-1, 0, 1, 2) if cubic else (0, 1)
    place = (np.arange(rows.start, rows.stop) + 0.5) * (small.shape[0] / height) - 0.5
    whole = np.floor(place).astype(np.int64)
    first = int(np.clip(whole[0] + taps[0], 0, small.shape[0] - 1))
    last = int(np.clip(whole[-1] + taps[-1], 0, small.shape[0] - 1))
    wide = _widened(small[first : last + 1], width, cubic=cubic)
    share = (place - whole).astype(np.float32)
    result: NDArray[np.float32] = np.zeros((len(place), *wide.shape[1:]), np.float32)
    for tap in taps:
        weight = _weight(share - tap, cubic=cubic)
        source = np.clip(whole + tap, 0, small.shape[0] - 1) - first
        result += wide[source] * weight.reshape(-1, *([1] * (wide.ndim - 1)))
    return result


def _widened(part: NDArray[np.float32], width: int, *, cubic: bool) -> NDArray[np.float32]:
    way = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    wide = cv2.resize(part, (width, part.shape[0]), interpolation=way)
    return np.asarray(wide, np.float32).reshape(part.shape[0], width, *part.shape[2:])


def _weight(distance: NDArray[np.float32], *, cubic: bool) -> NDArray[np.float32]:
    away = np.abs(distance)
    if not cubic:
        return np.asarray(np.maximum(1 - away, 0), np.float32)
    near = (1.25 * away - 2.25) * away * away + 1
    far = ((-0.75 * away + 3.75) * away - 6) * away + 3
    return np.asarray(np.where(away <= 1, near, np.where(away < 2, far, 0)), np.float32)
