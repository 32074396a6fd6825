"""The networks' copy of a dark, flat, noisy or blocky photo made easier to see; the user's pixels stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.segment.image_measures import blockiness, median
from mattebox.core.segment.view import LONGEST, network_view, small_copy

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mattebox.core.photo import Photo, Pixels

# Measured by bench/degraded.py: U²-Net in 8-bit integers, quality balanced, before refining, on 20 labelled
# photos of which none had been used for choosing what to do, but for the gate of the blocks. IoU and edge
# error of the view as it is and prepared; photos whose IoU rose or fell by more than .01:
#     copy                                       IoU            edge error     up, down
#     clean (1 changed)                          .860 -> .860   .171 -> .172    0, 0
#     four stops under                           .760 -> .836   .221 -> .173   11, 2
#     three tenths of the contrast               .802 -> .856   .183 -> .175    9, 5
#     noise of sigma 25                          .776 -> .821   .203 -> .181    5, 2
#     JPEG quality 10 (16 changed)               .716 -> .736   .251 -> .239    4, 2
#     JPEG quality 20 (6 changed), 30 (3)        .834 -> .831, .865 -> .865     1, 2 and 0, 0
# On 13 more, untouched until then: noise .779 -> .805, quality 10 .714 -> .750, quality 20 .796 -> .798.
# Left out, for they did not help or hurt: sharpening blurred copies, a median against noise, gamma, local
# contrast, deblocking at a gate of 0.7.
# No clean one of 134 photos passes the gates: their range is at least 110 levels, their noise at most 10.4,
# their blocks at most 0.5; the dark and flat copies have 76 and less, the noisy ones 13.3 and more. (The
# gate of the range was 120 in this table, which let one clean photo in; its edge error was .113 for .094.)
_NARROW: Final = 95
_NOISY: Final = 12.0
# A smaller view shows less of a photo's noise, and whether it is more than the sharp detail of a sound photo
# only the larger one tells; it is asked where the smaller has this much, as those of noisy photos have (6.4
# and more; of 83 sound ones 4.0 at most). IoU of 34 noisy photos, quality fast: .763 as they are, .803
# smoothed in the larger view, .810 in the smaller.
_GRAINY: Final = 5.0
_BLOCKY: Final = 1.0
# What has less range than this is empty: stretched it would show its noise as a subject.
_EMPTY: Final = 28
_LOWEST, _HIGHEST = 0.01, 0.99
# Diameter, and standard deviations in levels and in pixels, of the filter that keeps edges.
_ON_NOISE: Final = (7, 80, 3)
_ON_BLOCKS: Final = (5, 40, 3)
# Noise alone in flat parts (Immerkaer, Computer Vision and Image Understanding 64(2), 1996).
_SECOND: Final = np.array([[1, -2, 1]], np.float32) / 6  # its rows are these, the second difference down
_MEDIAN_TO_SIGMA: Final = 1.4826
_ROWS: Final = 128  # that are enough to tell it


@dataclass(frozen=True, slots=True, eq=False)
class NetworkInput:
    """What of a photo networks are given.

    small: its own pixels, (h, w, c); view: the same in sRGB, (h, w, 3) uint8; enhanced: the view as it is
    made easier to see.
    """

    small: Pixels
    view: NDArray[np.uint8]
    enhanced: NDArray[np.uint8]


def network_input(photo: Photo, side: int = LONGEST, *, own_alpha: bool = True) -> NetworkInput:
    """What networks are shown of a photo, at no more than `side` pixels a side.

    With `own_alpha` what the photo hides is neutral gray.
    """
    small = small_copy(photo, side)
    view = network_view(photo, small, own_alpha=own_alpha)
    smaller = max(view.shape) < min(LONGEST, max(photo.width, photo.height))
    larger = (lambda: network_view(photo, own_alpha=own_alpha)) if smaller else None
    return NetworkInput(small, view, prepared(view, larger))


def prepared(
    view: NDArray[np.uint8], larger: Callable[[], NDArray[np.uint8]] | None = None
) -> NDArray[np.uint8]:
    """What the networks look at: the view (h, w, 3) uint8, changed only where its measures call for it.

    larger: makes a larger view of the photo, where there is one; only that of a grainy photo is made.
    """
    gray = _gray(view)
    smoother, grain = None, noise(gray)
    if larger is not None and grain > _GRAINY:
        grain = noise(_gray(larger()))
    if grain > _NOISY:
        smoother = _ON_NOISE
    elif blockiness(gray) > _BLOCKY:
        smoother = _ON_BLOCKS
    if smoother is not None:
        view = np.asarray(cv2.bilateralFilter(view, *smoother), np.uint8)
        gray = _gray(view)
    low, high = tones(gray)
    if _EMPTY <= high - low < _NARROW:
        curve = (np.arange(256) - low) * (255 / (high - low))
        view = np.clip(np.rint(curve), 0, 255).astype(np.uint8)[view]
    return view


def tones(gray: NDArray[np.uint8]) -> tuple[int, int]:
    """The levels that 1 % and 99 % of grays (h, w) do not exceed."""
    counts: Any = cv2.calcHist([gray], [0], None, [256], [0, 256]).ravel()
    low, high = np.searchsorted(np.cumsum(counts) / counts.sum(), (_LOWEST, _HIGHEST))
    return int(low), int(high)


def noise(gray: NDArray[np.uint8]) -> float:
    """The standard deviation of the noise in grays (h, w): by the median answer of what sees no edges."""
    places = np.arange(0, len(gray), max(1, len(gray) // _ROWS))
    # A row with the two beside it, mirrored at the frame, is all that its answer asks for.
    last = len(gray) - 1
    above, below = np.abs(places - 1), last - np.abs(last - 1 - places)
    beside = gray[np.minimum(above, last)].astype(np.int16) + gray[np.maximum(below, 0)]
    down = beside - 2 * gray[places].astype(np.int16)
    answer = np.asarray(cv2.filter2D(down, cv2.CV_32F, _SECOND))
    return _MEDIAN_TO_SIGMA * median(np.abs(answer))


def _gray(view: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), np.uint8)
