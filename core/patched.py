"""A picture that differs from another one in a few places, kept without a copy of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mattebox.core.photo import Pixels

    Box = tuple[slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Other colours in a box: place, its rows and columns; where, (h, w) bool; colours, (h, w, c)."""

    place: Box
    where: NDArray[np.bool_]
    colours: Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Patched:
    """The picture `base`, (h, w, c), with `patches` of its dtype that do not overlap."""

    base: Pixels
    patches: Sequence[Patch]

    def rows(self, part: slice) -> Pixels:
        """Some rows, (n, w, c), to be read only: the base's own where no patch is."""
        start, stop, step = part.indices(self.base.shape[0])
        shown = self.base[start:stop]
        fresh = False
        for patch in self.patches:
            down, across = patch.place
            first, last = max(start, down.start), min(stop, down.stop)
            if first >= last:
                continue
            if not fresh:
                shown, fresh = shown.copy(), True
            asked = slice(first - down.start, last - down.start)
            target = shown[first - start : last - start, across]
            # Its masked copy is many times faster than an array's own choice of pixels.
            mixed = cv2.copyTo(patch.colours[asked], patch.where[asked].view(np.uint8), target)
            target[...] = mixed.reshape(target.shape)
        return shown[::step]

    def whole(self) -> Pixels:
        """The whole picture, (h, w, c), to be read only."""
        return self.rows(slice(None))


def rows_of(colours: Pixels | Patched, part: slice) -> Pixels:
    """Some rows of colours in either form, to be read only."""
    return colours.rows(part) if isinstance(colours, Patched) else colours[part]


def whole(colours: Pixels | Patched) -> Pixels:
    """All of the colours in either form, to be read only."""
    return colours.whole() if isinstance(colours, Patched) else colours
