"""Work on a map in tiles along a band: what a band costs follows its length, not the picture's size."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from mattebox.core.parallel import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Tile = tuple[slice, slice]

# Context around a tile's own pixels, blended with the neighbours'.
_MARGIN: Final = 32


def along_band(work: Callable[[Tile], Map], level: Map, band: NDArray[np.bool_], tile: int) -> Map:
    """`level` (h, w) with what `work` gives for tiles of `tile` pixels a side in its place within `band`.

    band: (h, w) bool. work: gives (rows, columns) float32 for a tile's rows and columns. Neighbours are
    blended where they overlap; equal for any number of cores.
    """
    tiles = list(_tiles(band, tile))
    answer, weight = np.zeros_like(level), np.zeros_like(level)
    ramp = _ramp(tile)
    for place, found in zip(tiles, side_by_side(work, tiles), strict=True):
        share = ramp[: found.shape[0], : found.shape[1]]
        answer[place] += found * share
        weight[place] += share
    mixed = answer / np.maximum(weight, np.float32(1e-6))
    return np.where(band & (weight > 0), mixed, level).astype(np.float32)


def _tiles(band: NDArray[np.bool_], tile: int) -> Iterator[Tile]:
    """Rows and columns of tiles whose own pixels hold a part of the band, and together all of it."""
    height, width = band.shape
    left_over = band.copy()
    while True:
        rows = np.flatnonzero(left_over.any(axis=1))
        if rows.size == 0:
            return
        # The next tile begins where the band that is left over begins.
        top = _start(int(rows[0]), tile, height)
        strip = _own(top, tile, height)
        for left in _along(np.asarray(left_over[strip].any(axis=0)), tile):
            yield slice(top, min(top + tile, height)), slice(left, min(left + tile, width))
        left_over[: strip.stop] = False


def _along(wanted: NDArray[np.bool_], tile: int) -> Iterator[int]:
    """Where tiles start whose own pixels cover all that is wanted along one axis."""
    length = wanted.size
    places = np.flatnonzero(wanted)
    while places.size:
        start = _start(int(places[0]), tile, length)
        yield start
        places = places[places >= _own(start, tile, length).stop]


def _start(first: int, tile: int, length: int) -> int:
    """Where a tile starts whose own pixels begin at `first` or before."""
    return max(0, min(first - _MARGIN, length - tile))


def _own(start: int, tile: int, length: int) -> slice:
    """A tile's own pixels: all but its margin, which ends where the frame does."""
    first = start + _MARGIN if start else 0
    last = start + tile - _MARGIN if start + tile < length else length
    return slice(first, last)


@cache
def _ramp(tile: int) -> Map:
    """How much a tile's answer counts: rising over the margin, full in its middle."""
    edge = np.minimum(np.arange(tile) + 0.5, np.arange(tile)[::-1] + 0.5) / (2 * _MARGIN)
    line = np.clip(edge, 0.01, 1)
    return np.asarray(line[:, None] * line, np.float32)
