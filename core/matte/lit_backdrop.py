"""Alpha measured outright from a second exposure in which the backdrop alone is lit.

The subject is dark there, so that its share at each pixel is what of the backdrop's light does not arrive:
the silhouette, every hole and mesh, and how much light comes through glass.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.matte.enlarge import enlarged, tiles
from mattebox.core.matte.refine import levels
from mattebox.core.parallel import side_by_side
from mattebox.core.segment.backdrop import even_backdrop, light_of, linear_light, view_of
from mattebox.core.segment.boxes import mask_box
from mattebox.core.segment.fusion import overlap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Photo, Pixels
    from mattebox.core.segment.backdrop import Backdrop

    Map = NDArray[np.float32]

# The subject's own light in that exposure: of what is surely subject the darkest tenth, and at most this.
_DARK: Final = 0.1
_SPILL: Final = 0.15
# Backdrop is what lacks no more of its light than so many sigmas of noise.
_SIGMAS: Final = 3.0
# What hangs together with the subject at this is measured too; the rest is another thing, or dust.
_JOINED: Final = 0.1
_SURE: Final = 0.9
_RIM: Final = 2
# The silhouette is told by the network as well as this, and its box is shared as well.
_SAME: Final = 0.6


def measured_alpha(photo: Photo, lit: Photo, probability: Map) -> Pixels | None:
    """Alpha (h, w) of the photo's depth, by `lit`: the same of equal size, its backdrop lit alone.

    probability: (h, w) float32 of any smaller size, which says what of the silhouette is the subject. None
    where the lit backdrop is not even, or where what stands before it is not the subject.
    """
    height, width = probability.shape
    whole = (slice(0, height), slice(0, width))
    view = view_of(lit, (height, width))
    backdrop = even_backdrop(view, probability)
    if backdrop is None:
        return None
    arrived = _arrived(linear_light(view), backdrop, (height, width), whole)
    sure = arrived[probability >= _SURE]
    dark = min(_SPILL, float(np.quantile(sure, _DARK))) if sure.size else 0.0
    behind = backdrop.light((height, width), *whole).mean(axis=(0, 1))
    bright = 1 - _SIGMAS * float((backdrop.noise / behind).mean())
    if bright <= _SPILL:
        return None
    near = np.asarray(np.clip((bright - arrived) / (bright - dark), 0, 1), np.float32)
    own = _joined(near, probability)
    if not _same_thing(own & (near >= 0.5), probability >= 0.5):
        return None
    size, around = (photo.height, photo.width), np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8)
    asked = np.asarray(cv2.dilate(own.astype(np.uint8), around), np.float32)
    alpha: Pixels = np.zeros(size, photo.pixels.dtype)

    def fill(tile: tuple[slice, slice]) -> None:
        wanted = enlarged(asked, size, *tile)
        if wanted.any():
            light = _arrived(light_of(lit, size, *tile), backdrop, size, tile)
            found = np.clip((bright - light) / (bright - dark), 0, 1) * np.clip(wanted, 0, 1)
            alpha[tile] = levels(np.asarray(found, np.float32), alpha.dtype)

    deque(side_by_side(fill, tiles(*size)), maxlen=0)
    return alpha


def _arrived(light: Map, backdrop: Backdrop, size: tuple[int, int], part: tuple[slice, slice]) -> Map:
    """The share of the backdrop's light that arrives, (h, w) float32."""
    behind = backdrop.light(size, *part)
    return np.asarray(light.mean(axis=2) / np.maximum(behind.mean(axis=2), 1e-4), np.float32)


def _same_thing(silhouette: NDArray[np.bool_], told: NDArray[np.bool_]) -> bool:
    """Whether a silhouette may be that of what a network told, which often fills what it encloses."""
    boxes = mask_box(silhouette), mask_box(told)
    if boxes[0] is None or boxes[1] is None:
        return False
    rooms = [np.zeros(told.shape, np.float32) for _ in boxes]
    for room, box in zip(rooms, boxes, strict=True):
        room[box] = 1
    shared = np.count_nonzero(silhouette & told) / np.count_nonzero(silhouette)
    return bool(shared >= _SAME and overlap(*rooms) >= _SAME)


def _joined(near: Map, probability: Map) -> NDArray[np.bool_]:
    """What of the silhouette hangs together with the subject of the map."""
    count, found = cv2.connectedComponents((near >= _JOINED).astype(np.uint8))
    labels: NDArray[Any] = np.asarray(found)
    kept = np.zeros(count, bool)
    kept[labels[probability >= 0.5]] = True
    kept[0] = False
    return np.asarray(kept[labels])
