"""Alpha at the photo's own scale where the subject encloses a modelled backdrop: measured, not guessed.

Of light that is a mix of a subject and a known backdrop the distance from the backdrop tells the subject's
share, once it is known how far the subject alone is (difference matting; Smith and Blinn, SIGGRAPH 1996).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.matte.enlarge import enlarged, tiles
from mattebox.core.parallel import side_by_side
from mattebox.core.photo.colour import in_depth, to_srgb
from mattebox.core.segment.backdrop import linear_light

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Photo, Pixels
    from mattebox.core.segment.enclosed import Enclosed

    Map = NDArray[np.float32]

# How far from what is open the mix is looked for, in pixels of the view.
_RIM: Final = 2
# The subject alone is looked for so much farther, in pixels of the view.
_SUBJECT: Final = 2
# In sigmas: what is no nearer to the backdrop than its noise, and the least distance that tells a subject.
_NOISE: Final = 1.5
_APART: Final = 8.0
# What is this near to the subject's own distance is all subject.
_FULL: Final = 0.95


def without_enclosed(photo: Photo, alpha: Pixels, found: Enclosed) -> Pixels:
    """Alpha (h, w) of the photo with the enclosed backdrop gone from it; nothing is ever added.

    Edges are mixed at the photo's own scale as its light says.
    """
    size = (photo.height, photo.width)
    around = np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8)
    mask = found.open.astype(np.uint8)
    near, core = (
        np.asarray(each, np.float32) for each in (cv2.dilate(mask, around), cv2.erode(mask, np.ones((3, 3))))
    )
    # The shade goes on a little beyond what is open, for edges.
    share = cv2.blur(mask.astype(np.float32), (2 * _RIM + 3, 2 * _RIM + 3))
    shade: Map = np.asarray(cv2.blur(found.shade * mask, (2 * _RIM + 3, 2 * _RIM + 3)), np.float32)
    shade = np.asarray(np.where(share > 0, shade / np.maximum(share, 1e-6), 1), np.float32)
    scale = max(size[0] / mask.shape[0], size[1] / mask.shape[1])
    cut = alpha.copy()

    def fill(tile: tuple[slice, slice]) -> None:
        asked = enlarged(near, size, *tile)
        if not asked.any():
            return
        own = _mixed(photo, found, shade, scale, tile)
        own[enlarged(core, size, *tile) > 0.5] = 0
        own[asked <= 0] = 1
        top = np.iinfo(alpha.dtype).max
        levels: NDArray[Any] = np.rint(own * np.float32(top)).astype(alpha.dtype)
        np.minimum(cut[tile], levels, out=cut[tile])

    deque(side_by_side(fill, tiles(*size)), maxlen=0)
    return cut


def _mixed(photo: Photo, found: Enclosed, shade: Map, scale: float, tile: tuple[slice, slice]) -> Map:
    """The subject's share in a tile, (h, w) float32 in 0..1, by its light alone."""
    size = (photo.height, photo.width)
    reach = max(2, round((_RIM + _SUBJECT) * scale))
    wide = tuple(
        slice(max(0, part.start - reach), min(length, part.stop + reach))
        for part, length in zip(tile, size, strict=True)
    )
    rows, columns = wide
    own: Pixels = np.ascontiguousarray(photo.pixels[rows, columns])  # type: ignore[assignment]
    light = linear_light(np.asarray(in_depth(to_srgb(own, photo.mode, photo.icc), 8), np.uint8))
    behind = found.backdrop.light(size, rows, columns) * enlarged(shade, size, rows, columns)[..., None]
    apart = found.backdrop.apart(light, behind, size, rows, columns)
    distance = np.sqrt((apart * apart).mean(axis=2))
    steady = cv2.blur(distance, (3, 3))
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    whole = np.asarray(cv2.dilate(steady, around), np.float32) * np.float32(_FULL)
    mixed = np.clip((distance - _NOISE) / np.maximum(whole - _NOISE, 1e-3), 0, 1)
    mixed[whole < _APART] = 0
    inner = tuple(
        slice(part.start - each.start, part.stop - each.start) for part, each in zip(tile, wide, strict=True)
    )
    return np.asarray(mixed[inner], np.float32)
