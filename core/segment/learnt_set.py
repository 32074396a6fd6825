"""A set learnt from photos of other subjects before it: what each shows of it, and what they agree about.

Each sure photo shows the set around its own subject, and together they show most of it: its fall-off, its
floor line, seams, stands and stains, which no smooth surface has. A quantile over photos of one exposure
leaves out what single photos have wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.segment.backdrop import (
    EVEN,
    EXPOSURE,
    MAD_TO_SIGMA,
    NEAR,
    level_of,
    linear_light,
    view_of,
)
from mattebox.core.segment.image_measures import median

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mattebox.core.photo import Photo, Pixels

    Map = NDArray[np.float32]
    Mask = NDArray[np.bool_]

# A set's cells along its longer side.
SIDE: Final = 256
# So many photos have to agree, and so many are remembered.
LEAST: Final = 8
MOST: Final = 50
# What lies so few cells from the subject is no witness: its shadow lies there, and its light.
_CLEAR: Final = 6
# Two photos of which both show less than this share of the cells say nothing of each other.
_SHARED: Final = 0.02
# To compare photos one cell of so many a side is asked.
_FEW: Final = 4
# The set of now is that of one of so many newest photos.
_NEWEST: Final = 5
# A cell is known that so many photos have shown, and one in so many.
_WITNESSES: Final = 3
_ONE_IN: Final = 5
# Its own light is this quantile of what photos show, a little above the median: shadows only darken.
_LIT: Final = 0.65
# Its light differs from photo to photo by no more than so many levels.
_SHAKY: Final = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class SeenSet:
    """What one photo shows of its set: levels (h, w, 3) uint8 sRGB of cells, seen (h, w) where it does.

    Where it does not, levels are 0: nobody's subject is kept.
    """

    levels: NDArray[np.uint8]
    seen: Mask


@dataclass(frozen=True, slots=True, eq=False)
class LearntSet:
    """The set of one camera in one place, in cells: a `KnownSet` of core.segment.backdrop.

    cells: its linear light, (h, w, 3) float32. apart: the standard deviation of that from photo to photo.
    known: where enough photos have shown it, (h, w); elsewhere it is continued. photos: from how many it was
    learnt. steep: how far a cell's light is from a neighbour's at most, for an edge of the set lies anywhere
    within a cell.
    """

    cells: Map
    apart: Map
    known: Mask
    photos: int
    steep: Map

    @classmethod
    def of(cls, cells: Map, apart: Map, known: Mask, photos: int) -> LearntSet:
        """The set of those cells."""
        around = np.ones((3, 3), np.uint8)
        steep = np.maximum(cv2.dilate(cells, around) - cells, cells - cv2.erode(cells, around))
        return cls(cells, apart, known, photos, np.asarray(steep, np.float32))

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a picture of a shape (h, w, ...) has its proportions, to a cell."""
        height, width = grid(shape[0], shape[1])
        return bool(np.abs(np.subtract((height, width), self.cells.shape[:2])).max() <= 1)

    def light(self, size: tuple[int, int], rows: slice, columns: slice) -> Map:
        """Its linear light, (h, w, 3) float32, in a part of a picture of `size` (height, width)."""
        return _part(self.cells, size, rows, columns)

    def spread(self, size: tuple[int, int], rows: slice, columns: slice) -> Map:
        """The standard deviation of that light from photo to photo, (h, w, 3) float32."""
        return _part(self.apart, size, rows, columns)

    def slack(self, size: tuple[int, int], rows: slice, columns: slice) -> Map:
        """How far from that light it may lie beside an edge of the set, (h, w, 3) float32."""
        return _part(self.steep, size, rows, columns)

    def seen(self, size: tuple[int, int]) -> Mask:
        """Where of a picture of `size` enough photos have shown it, (h, w)."""
        whole = slice(0, size[0]), slice(0, size[1])
        return np.asarray(_part(self.known.astype(np.float32), size, *whole) > 0.99)


def grid(height: int, width: int) -> tuple[int, int]:
    """How many cells a picture of that size has: rows and columns."""
    scale = SIDE / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def seen_set(photo: Photo, alpha: Pixels) -> SeenSet:
    """What a photo shows of its set around the subject of its finished alpha (h, w)."""
    size = grid(photo.height, photo.width)
    covered: Any = cv2.resize((alpha > 0).astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    around = np.ones((2 * _CLEAR + 1, 2 * _CLEAR + 1), np.uint8)
    near = cv2.dilate((covered > 0).astype(np.uint8), around) > 0
    levels = view_of(photo, size)
    levels[near] = 0
    return SeenSet(levels, np.asarray(~near))


def learnt_set(photos: Sequence[SeenSet]) -> LearntSet | None:
    """The set that photos of one size show, the newest last; None where fewer than 8 show the same one.

    Where lamp or camera moved, the newest photos say what counts: what they contradict is forgotten.
    """
    photos = [each for each in photos[-MOST:] if each.levels.shape == photos[-1].levels.shape]
    if len(photos) < LEAST:
        return None
    few = [(linear_light(each.levels[::_FEW, ::_FEW]), each.seen[::_FEW, ::_FEW]) for each in photos]
    best: list[tuple[SeenSet, Map]] = []
    for first in reversed(few[-_NEWEST:]):
        gains = [(each, _gain(*first, *pair)) for each, pair in zip(photos, few, strict=True)]
        agreed = [(each, gain) for each, gain in gains if gain is not None]
        # The newest is believed, unless it is alone.
        if len(agreed) > 2 * len(best) or (len(best) < LEAST <= len(agreed)):
            best = agreed
    return _together(best) if len(best) >= LEAST else None


def _gain(first: Map, first_seen: Mask, other: Map, other_seen: Mask) -> Map | None:
    """What brings the light of another photo to that of the first, (3,); None where it is another set.

    It is the same one as a backdrop is (backdrop.py): near to it, in one exposure, almost everywhere.
    """
    shared = first_seen & other_seen
    if np.count_nonzero(shared) < _SHARED * shared.size:
        return None
    here, there = first[shared], other[shared]
    ratio = here / np.maximum(there, 1e-4)
    gain = np.asarray([median(ratio[:, channel]) for channel in range(3)], np.float32)
    if gain.min() < EXPOSURE[0] or gain.max() > EXPOSURE[1]:
        return None
    off = np.abs(there * gain - here) / level_of(here.astype(np.float64))
    return gain if float(np.mean(off.max(axis=1) < NEAR)) >= EVEN else None


def _together(agreed: Sequence[tuple[SeenSet, Map]]) -> LearntSet | None:
    """The usual light of what photos with their gains show, cell by cell, and how far they are from it."""
    seen = np.stack([each.seen for each, _ in agreed])
    count = seen.sum(axis=0)
    known = count >= max(_WITNESSES, len(agreed) // _ONE_IN)
    if not known.any():
        return None
    cells, apart = (np.empty(agreed[0][0].levels.shape, np.float32) for _ in range(2))
    for channel in range(3):
        stack = np.stack([linear_light(each.levels[..., channel]) * gain[channel] for each, gain in agreed])
        cells[..., channel] = _ranked(stack, seen, count, _LIT)
        apart[..., channel] = MAD_TO_SIGMA * _ranked(np.abs(stack - cells[..., channel]), seen, count, 0.5)
    cells = _continued(cells, known)
    usual = np.quantile(apart[known], 0.75, axis=0).astype(np.float32)
    # Where shadows come and go the set is known no worse: it is what most photos show.
    most = _SHAKY * level_of(cells.astype(np.float64)).astype(np.float32)
    apart = np.minimum(np.where(known[..., None], apart, usual), most)
    return LearntSet.of(cells, apart, known, len(agreed))


def _ranked(stack: Map, seen: Mask, count: NDArray[Any], share: float) -> Map:
    """The quantile over photos (n, h, w) of what was seen, (h, w); 0 where nothing was."""
    ordered = np.sort(np.where(seen, stack, np.inf), axis=0)
    place = np.maximum(count - 1, 0) * share
    found = np.take_along_axis(ordered, place.astype(np.int64)[None], axis=0)[0]
    return np.asarray(np.where(count > 0, found, 0), np.float32)


def _continued(cells: Map, known: Mask) -> Map:
    """Cells (h, w, 3) with the unknown ones filled: sets have floor lines and tables, so by rows first."""
    rows = known.any(axis=1)
    lines = np.zeros((len(cells), 1, 3), np.float32)
    for row in np.flatnonzero(rows):
        lines[row, 0] = np.median(cells[row][known[row]], axis=0)
    places = np.arange(len(cells))
    for channel in range(3):
        lines[:, 0, channel] = np.interp(places, places[rows], lines[rows, 0, channel])
    lines = np.maximum(lines, 1e-4)
    ratio = np.where(known[..., None], cells / lines, 0).astype(np.float32)
    filled, left = ratio, ~known
    reach = 2.0
    while left.any() and reach < 2 * SIDE:
        share = cv2.GaussianBlur(known.astype(np.float32), (0, 0), reach)
        found = cv2.GaussianBlur(ratio, (0, 0), reach) / np.maximum(share, 1e-6)[..., None]
        now = left & (share > 0.05)
        filled = np.where(now[..., None], found, filled)
        left, reach = left & ~now, 2 * reach
    filled = np.where(left[..., None], 1, filled)
    return np.asarray(np.where(known[..., None], cells, filled * lines), np.float32)


def _part(cells: Map, size: tuple[int, int], rows: slice, columns: slice) -> Map:
    """A part of cells (h, w) or (h, w, 3) as they are when stretched to `size`, linear."""
    down, across = cells.shape[0] / size[0], cells.shape[1] / size[1]
    place = np.array(
        [
            [across, 0.0, (columns.start + 0.5) * across - 0.5],
            [0.0, down, (rows.start + 0.5) * down - 0.5],
        ]
    )
    shape = columns.stop - columns.start, rows.stop - rows.start
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    found = cv2.warpAffine(cells, place, shape, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)
