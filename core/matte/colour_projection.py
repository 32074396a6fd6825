"""Alpha from colour: where a pixel lies on the line between the subject's colour and what is behind.

The colours of both sides come from the surely known pixels around, near ones counting most. The step is
that of local colour-line matting (Levin, Lischinski, Weiss: "A Closed-Form Solution to Natural Image
Matting", PAMI 2008, whose model it shares) without the linear system, so that time and memory grow with
the number of pixels alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.matte.enlarge import PLANES
from mattebox.core.parallel import side_by_side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mattebox.core.matte.trimap import Trimap

    Map = NDArray[np.float32]
    Box = tuple[slice, slice]

# Radius in pixels of the network's input, and what a surely known pixel at that distance counts.
_RINGS: Final = ((1.6, 1.0), (4.0, 0.1), (10.0, 0.01), (32.0, 0.001))
# From this radius on what is gathered is so smooth that a quarter of the size holds it.
_COARSE: Final = 12.0
_STEP: Final = 4
_TINY: Final = 1e-6
_LEAST: Final = 1e-5
# Keeps noise from being stretched where both sides look alike.
_STEADY: Final = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class LocalColours:
    """The colours of both sides around each pixel of a box: (h, w, c) float32 in 0..1 each.

    known: (h, w) bool, whether both sides have any sure pixel in reach.
    """

    subject: Map
    background: Map
    known: NDArray[np.bool_]

    @property
    def contrast(self) -> Map:
        """The squared distance of the two colours, (h, w)."""
        apart = self.subject - self.background
        return summed_product(apart, apart)


def local_colours(picture: Map, parts: Trimap, detail: float, box: Box) -> LocalColours:
    """The colours of subject and background around each pixel of a box of `picture` (h, w, c) in 0..1."""
    (subject, share_in), (background, share_out) = side_by_side(
        lambda sure: _gathered(picture, sure, detail, box), (parts.inside, parts.outside)
    )
    return LocalColours(subject, background, np.asarray((share_in > _LEAST) & (share_out > _LEAST)))


def colour_model(colours: LocalColours) -> Map:
    """Alpha as an affine function of colour around each pixel: where on the line between `colours` it lies.

    Its slope over each of c channels in 0..1 and its value where all are 0, (h, w, c + 1) float32; then
    planes of 0 up to a multiple of core.matte.enlarge.PLANES. Equation 2 of Levin et al.
    """
    line = colours.subject - colours.background
    steady = summed_product(line, line) + np.float32(_STEADY)
    slopes = [np.asarray(cv2.divide(plane, steady)) for plane in cv2.split(line)]
    slope = np.asarray(cv2.merge(slopes), np.float32).reshape(line.shape)
    start = -summed_product(colours.background, slope)
    lack = -(len(slopes) + 1) % PLANES
    return np.asarray(cv2.merge([*slopes, start, *[np.zeros_like(start)] * lack]), np.float32)


def project(pixels: NDArray[Any], model: Map) -> Map:
    """Alpha (h, w) in 0..1 of pixels (h, w, c), floats in 0..1 or whole levels, by a `colour_model`."""
    top = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1
    planes = [*cv2.split(pixels)]
    full = np.full(pixels.shape[:2], top, pixels.dtype)
    colours = cv2.merge([*planes, *[full] * (model.shape[2] - len(planes))])
    terms = cv2.multiply(colours, model, scale=1 / top, dtype=cv2.CV_32F)
    along = cv2.transform(terms, np.ones((1, model.shape[2]), np.float32))
    return np.asarray(np.clip(along, 0.0, 1.0, out=along), np.float32)


def summed_product(first: Map, second: Map) -> Map:
    """The sum over channels (h, w, c) of a product, (h, w)."""
    product = cv2.multiply(first, second).reshape(first.shape)
    return np.asarray(cv2.transform(product, np.ones((1, first.shape[2]), np.float32)), np.float32)


def _gathered(picture: Map, sure: NDArray[np.bool_], detail: float, box: Box) -> tuple[Map, Map]:
    """The mean colour (h, w, c) of the sure pixels around those of a box, and how much they count (h, w)."""
    share = _spread(sure.astype(np.float32), detail, box)
    colours = _spread(np.asarray(cv2.copyTo(picture, sure.view(np.uint8)), np.float32), detail, box)
    channels = picture.shape[2]
    mean = np.asarray(cv2.divide(colours, cv2.merge([share + np.float32(_TINY)] * channels)), np.float32)
    return mean.reshape(*share.shape, channels), share


def _spread(counted: Map, detail: float, box: Box) -> Map:
    """The sum over rings around each pixel of a box of what counts, (h, w) or (h, w, c)."""
    fine = [ring for ring in _RINGS if ring[0] * detail < _COARSE]
    wide = _RINGS[len(fine) :]
    # Whole steps, for which a resize is several times quicker.
    down, across = (-(-length // _STEP) for length in counted.shape[:2])
    lack = down * _STEP - counted.shape[0], across * _STEP - counted.shape[1]
    even = cv2.copyMakeBorder(counted, 0, lack[0], 0, lack[1], cv2.BORDER_REPLICATE) if any(lack) else counted
    small = np.asarray(cv2.resize(even, (across, down), interpolation=cv2.INTER_AREA), np.float32)
    total = _enlarged(_rings(small, wide, detail / _STEP), box)
    if not fine:
        return total
    reach = max(_side(radius, detail) // 2 for radius, _ in fine)
    around, within = zip(
        *(_with_margin(*pair, reach) for pair in zip(box, counted.shape, strict=False)), strict=True
    )
    near = _rings(counted[tuple(around)], fine, detail)[tuple(within)]
    return np.asarray(cv2.add(total, np.ascontiguousarray(near)), np.float32)


def _enlarged(small: Map, box: Box) -> Map:
    """A box of a map that is `_STEP` times as large as `small`, linear."""
    window, inner = [], []
    for part, length in zip(box, small.shape, strict=False):
        first = max(0, part.start // _STEP - 1)
        window.append(slice(first, min(length, -(-part.stop // _STEP) + 1)))
        inner.append(slice(part.start - first * _STEP, part.stop - first * _STEP))
    asked = small[window[0], window[1]]
    height, width = (length * _STEP for length in asked.shape[:2])
    large = np.asarray(cv2.resize(asked, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.ascontiguousarray(large[inner[0], inner[1]])


def _with_margin(part: slice, length: int, margin: int) -> tuple[slice, slice]:
    """A part of an axis with a margin, and where in that the part is."""
    first = max(0, part.start - margin)
    return slice(first, min(length, part.stop + margin)), slice(part.start - first, part.stop - first)


def _side(radius: float, detail: float) -> int:
    return 2 * max(1, round(radius * detail)) + 1


def _rings(counted: Map, rings: Sequence[tuple[float, float]], detail: float) -> Map:
    # One array for every ring: these planes are the most memory that refining needs.
    total, blurred = np.zeros_like(counted), np.empty_like(counted)
    for radius, weight in rings:
        side = _side(radius, detail)
        cv2.blur(counted, (side, side), dst=blurred)
        cv2.scaleAdd(blurred, weight, total, dst=total)
    return total
