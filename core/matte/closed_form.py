"""Closed-form matting, screened: the matte nearest to one that is there in which colours explain alpha.

Minimises a' L a + (a - a0)' K (a - a0) over the unknown pixels, where L is the matting Laplacian of Levin,
Lischinski and Weiss ("A Closed-Form Solution to Natural Image Matting", PAMI 2008, equation 12) over windows
of 3 x 3 pixels. L is never built: L a is what a guided filter leaves of a (He, Sun, Tang: "Fast Matting Using
Large Kernel Matting Laplacian Matrices", CVPR 2010, section 3), so that a step costs box filters alone.
The second term keeps what has no colour of its own. What spreads far is found on a smaller copy first,
whose answer the larger one begins with (nested iteration: Briggs, Henson, McCormick, "A Multigrid Tutorial",
chapter 3), so that a few steps of conjugate gradients are enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.segment.boxes import mask_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

# Mean edge error on real alpha and davis, beside this: without a copy +.0006 and -.0002, after 45 steps
# +.0002 and -.0001, with two copies -.0003 and +.0005: what spreads far is not always right.
_STEPS: Final = 20
# Copies of half the side each, and how much more firmly they are held.
_COPIES: Final = 1
_COPY_HELD: Final = 2.0
# Added to the colours' variances, so that noise alone explains nothing.
_STEADY: Final = 1e-5
_WINDOW: Final = 9
_SIDE: Final = (3, 3)
_SMALLEST: Final = 1e-12
# L looks two pixels away, at means and at what they are means of; beyond these a border changes nothing.
_CONTEXT: Final = 4
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class _Colours:
    """What L needs of a picture: its c planes (h, w), and their means and covariances around each pixel.

    The covariances are kept as T D T', where T has ones in its diagonal: lower: T below it, row by row;
    pivots: one over D.
    """

    planes: list[Map]
    means: list[Map]
    lower: list[list[Map]]
    pivots: list[Map]


def closed_form(picture: Map, level: Map, unknown: NDArray[np.bool_], screen: Map) -> Map:
    """`level` (h, w) float32 in 0..1 with its `unknown` pixels solved for; the others stand.

    picture: (h, w, c) float32 in 0..1. screen: K's diagonal, (h, w) float32 above 0, beside an L whose own is
    about 7. Equal input gives equal bytes on any number of cores.
    """
    box = _asked(unknown)
    if box is None:
        return level
    part = level[box]
    # The bands' rows and columns alone: most of a tile along an edge is known.
    change = _change(np.ascontiguousarray(picture[box]), part, unknown[box], screen[box], _COPIES)
    found = np.clip(level, np.float32(0), np.float32(1))
    found[box] = np.clip(part + change, 0.0, 1.0)
    return found


def _asked(unknown: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """The box that the solution of all unknown pixels depends on; None where there are none.

    On whole pixels of the smallest copy from the corner on, and all of an axis that has no whole number of
    them, so that copies of the box are boxes of the copies.
    """
    box = mask_box(unknown, _CONTEXT << _COPIES)
    if box is None:
        return None
    step = 1 << _COPIES
    down, across = (
        slice(0, length)
        if length % step
        else slice(side.start // step * step, min(length, -(-side.stop // step) * step))
        for side, length in zip(box, unknown.shape, strict=True)
    )
    return down, across


def _change(picture: Map, level: Map, unknown: NDArray[np.bool_], screen: Map, copies: int) -> Map:
    """What the solution adds to `level`, 0 where that is known; begun on `copies` ever smaller ones."""
    colours = _colours(picture)
    asked = unknown.astype(np.float32)
    found = np.zeros_like(level)
    if copies:
        unknown_there = _halved(asked) > _HALF
        if unknown_there.any():
            held = np.float32(_COPY_HELD) * _halved(screen)
            coarse = _change(_halved(picture), _halved(level), unknown_there, held, copies - 1)
            found += asked * cv2.resize(coarse, level.shape[::-1], interpolation=cv2.INTER_LINEAR)
    # With the matte that is there to start from, the right side is what L finds fault with in it.
    left = -asked * _faults(level + found, colours) - screen * found
    towards = left.copy()
    size = _dot(left, left)
    for _ in range(_STEPS):
        if size < _SMALLEST:
            break
        ahead = asked * _faults(towards, colours)
        ahead += screen * towards
        step = np.float32(size / _dot(towards, ahead))
        found += step * towards
        left -= step * ahead
        before, size = size, _dot(left, left)
        towards *= np.float32(size / before)
        towards += left
    return found


def _halved(plane: Map) -> Map:
    """A plane or picture (h, w) or (h, w, c) at half its sides, rounded up."""
    height, width = plane.shape[:2]
    half: Any = cv2.resize(plane, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
    smaller: Map = half.reshape((height + 1) // 2, (width + 1) // 2, *plane.shape[2:])
    return smaller


def _colours(picture: Map) -> _Colours:
    planes = [np.asarray(plane, np.float64) for plane in cv2.split(picture)]
    means = [_mean(plane) for plane in planes]
    count = len(planes)
    lower: list[list[NDArray[Any]]] = []
    diagonal: list[NDArray[Any]] = []
    for one in range(count):
        row: list[NDArray[Any]] = []
        for other in range(one + 1):
            left = _mean(planes[one] * planes[other]) - means[one] * means[other]
            for inner in range(other):
                before = row[inner] * diagonal[inner]
                left -= before * (lower[other][inner] if other < one else row[inner])
            if other < one:
                row.append(left / diagonal[other])
            else:
                diagonal.append(np.maximum(left, 0) + _STEADY / _WINDOW)
        lower.append(row)
    return _Colours(
        [_single(plane) for plane in planes],
        [_single(mean) for mean in means],
        [[_single(plane) for plane in row] for row in lower],
        [_single(1 / pivot) for pivot in diagonal],
    )


def _slopes(shared: list[Map], colours: _Colours) -> list[Map]:
    """The windows' inverse covariances times `shared`, alpha's own with each plane; that is used up."""
    for one, row in enumerate(colours.lower):
        for factor, before in zip(row, shared, strict=False):
            shared[one] -= factor * before
    found = [plane * pivot for plane, pivot in zip(shared, colours.pivots, strict=True)]
    for one in reversed(range(len(found))):
        for other in range(one):
            found[other] -= colours.lower[one][other] * found[one]
    return found


def _faults(alpha: Map, colours: _Colours) -> Map:
    """L times alpha: how far each pixel is from what the windows' own lines of colour say of it."""
    mean = _mean(alpha)
    shared = [
        _mean(plane * alpha) - middle * mean
        for plane, middle in zip(colours.planes, colours.means, strict=True)
    ]
    said = np.zeros_like(alpha)
    for slope, plane, middle in zip(_slopes(shared, colours), colours.planes, colours.means, strict=True):
        mean -= slope * middle
        said += _mean(slope) * plane
    said += _mean(mean)
    return np.asarray(np.float32(_WINDOW) * (alpha - said), np.float32)


def _single(plane: NDArray[Any]) -> Map:
    return np.asarray(plane, np.float32)


def _mean(plane: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(cv2.blur(plane, _SIDE, borderType=cv2.BORDER_REFLECT))


def _dot(one: Map, other: Map) -> float:
    """Summed in one order, unlike BLAS's, which depends on the number of threads."""
    return float(np.multiply(one, other).sum(dtype=np.float64))
