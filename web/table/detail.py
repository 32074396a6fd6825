"""Detail: a part of a photo or of its cutout in the photo's own pixels, for who zooms in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mattebox.core.errors import PhotoError
from mattebox.core.matte.foreground import straight_foreground
from mattebox.core.photo import read_photo
from mattebox.web.table.pictures import as_bytes, jpeg, matte_of, png, seen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.web.table.sources import Sources

    Bytes = NDArray[np.uint8]

_MOST: Final = 2400
# So far beyond the part that is asked for, colours are looked at that clean its edge.
_AROUND: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class Full:
    """A photo in its own pixels: (h, w, 3) uint8 sRGB, and its matte (h, w) uint8 or None."""

    shown: Bytes
    alpha: Bytes | None


def full_of(sources: Sources) -> Full:
    """All pixels of a job's photo and matte. Raises PhotoError."""
    if sources.photo is None:
        raise PhotoError(f"{sources.name}: the photo lies nowhere that the journal knows.")
    photo = read_photo(sources.photo, sources.cut.limits)
    level = None if sources.matte is None else matte_of(sources.matte)
    if level is not None and level.shape != (photo.height, photo.width):
        level = None
    alpha = None if level is None else as_bytes(level)
    return Full(seen(photo, max(photo.width, photo.height)), alpha)


def part_of(full: Full, left: int, top: int, width: int, height: int) -> tuple[bytes, bytes]:
    """A part of the photo as JPEG and of its cutout as PNG (b"" where there is no matte)."""
    across, down = slice(left, left + min(width, _MOST)), slice(top, top + min(height, _MOST))
    shown = np.ascontiguousarray(full.shown[down, across])
    if not shown.size:
        raise PhotoError("This part lies outside of the photo.")
    if full.alpha is None:
        return jpeg(shown), b""
    far_left, far_top = max(0, left - _AROUND), max(0, top - _AROUND)
    wide = slice(far_top, down.stop + _AROUND), slice(far_left, across.stop + _AROUND)
    alpha = np.ascontiguousarray(full.alpha[wide])
    clean = straight_foreground(np.ascontiguousarray(full.shown[wide]), alpha).whole()
    inner = (
        slice(top - far_top, top - far_top + shown.shape[0]),
        slice(left - far_left, left - far_left + shown.shape[1]),
    )
    return jpeg(shown), png(np.dstack((np.asarray(clean[inner], np.uint8), alpha[inner])))
