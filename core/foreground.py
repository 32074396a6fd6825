"""Straight foreground colours for soft edges (decontamination)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.enlarge import tiles
from mattebox.core.parallel import side_by_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Pixels

    Map = NDArray[np.float32]

# The widths of the two passes for photos of up to _USUAL pixels a side; larger ones have wider edges.
_PASSES: Final = (45, 5)
_USUAL: Final = 2000
_LARGEST: Final = 3
_EPSILON: Final = 1e-5


def straight_foreground(pixels: Pixels, alpha: Pixels) -> Pixels:
    """The subject's own colour in every partially transparent pixel.

    pixels: (h, w, c), alpha: (h, w), equal dtype uint8 or uint16. Returns (h, w, c) of that dtype;
    where alpha is 0 or full the input stands bit for bit. Two-pass blur fusion: Forte, "Approximate
    Fast Foreground Colour Estimation", ICIP 2021, equations 4-7, in tiles around the soft pixels.
    """
    scale = min(_LARGEST, max(1, round(max(alpha.shape) / _USUAL)))
    wide, narrow = _PASSES[0] * scale, _PASSES[1]
    result: Pixels | None = None
    for found in side_by_side(lambda tile: _tile(pixels, alpha, tile, (wide, narrow)), tiles(*alpha.shape)):
        if found is None:
            continue
        if result is None:
            result = pixels.copy()
        box, soft, colours = found
        result[box][soft] = colours
    return pixels if result is None else result


def _tile(
    pixels: Pixels, alpha: Pixels, tile: tuple[slice, slice], passes: tuple[int, int]
) -> tuple[tuple[slice, slice], NDArray[np.bool_], Pixels] | None:
    """The soft pixels of a tile: their box, where in it they are, and their colours (n, c)."""
    top = np.iinfo(pixels.dtype).max
    soft = (alpha[tile] > 0) & (alpha[tile] < top)
    box = _soft_box(soft)
    if box is None:
        return None
    soft = soft[box]
    halo = passes[0] // 2 + passes[1] // 2 + 1
    first, left = tile[0].start + box[0].start, tile[1].start + box[1].start
    last, right = first + soft.shape[0], left + soft.shape[1]
    above, before = max(0, first - halo), max(0, left - halo)
    around = (slice(above, last + halo), slice(before, right + halo))
    subject = _fused(pixels[around], alpha[around], top, passes)
    core = subject[first - above : last - above, left - before : right - before]
    levels = np.clip(core[soft], 0.0, 1.0) * np.float32(top) + np.float32(0.5)
    colours: Pixels = levels.astype(pixels.dtype)
    return (slice(first, last), slice(left, right)), soft, colours


def _soft_box(soft: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """The smallest box that holds every soft pixel of a tile."""
    rows = np.flatnonzero(soft.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(soft.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _fused(pixels: Pixels, alpha: Pixels, top: int, passes: tuple[int, int]) -> Map:
    image = pixels.astype(np.float32) / np.float32(top)
    matte = (alpha.astype(np.float32) / np.float32(top))[..., None]
    subject, behind = image, image
    for width in passes:
        subject, behind = _fuse(image, subject, behind, matte, width)
    return subject


def _fuse(image: Map, subject: Map, behind: Map, matte: Map, width: int) -> tuple[Map, Map]:
    share = _blur(matte, width)
    mean_subject = _blur(subject * matte, width) / (share + np.float32(_EPSILON))
    mean_behind = _blur(behind * (1 - matte), width) / (1 - share + np.float32(_EPSILON))
    fused = mean_subject + matte * (image - matte * mean_subject - (1 - matte) * mean_behind)
    return np.clip(fused, 0.0, 1.0), mean_behind


def _blur(picture: Map, width: int) -> Map:
    return np.asarray(cv2.blur(picture, (width, width)), np.float32).reshape(picture.shape)
