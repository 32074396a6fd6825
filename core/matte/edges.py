"""Edge choices: a finished matte's edge moved, softened or sharpened, with no network and no photo."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Pixels

    Map = NDArray[np.float32]

SOFTEST: Final = 100.0
FARTHEST: Final = 50.0
# A full share of "sharper" makes an edge so many times as steep.
_STEEPEST: Final = 7.0
# Pixels: soft parts that are wider than an edge of this width are hair, fur or haze.
_EDGE: Final = 7
_FAINT, _DENSE = 0.02, 0.98


@dataclass(frozen=True, slots=True)
class EdgeChoices:
    """What a person wants of an edge. softness: pixels over which it is blurred, 0..100; shift: pixels, -50
    (into the subject) to 50 (out of it); sharper: 0..1; keep_hair: wide soft parts stay as they are.
    """  # noqa: D205 - the units belong to the names

    softness: float = 0.0
    shift: float = 0.0
    sharper: float = 0.0
    keep_hair: bool = False

    def __bool__(self) -> bool:
        """Whether anything is to be changed."""
        return bool(self.softness or self.shift or self.sharper)

    def scaled(self, share: float) -> EdgeChoices:
        """The same for a copy of that share of the photo's size."""
        return EdgeChoices(self.softness * share, self.shift * share, self.sharper, self.keep_hair)


def with_edges(alpha: Pixels, choices: EdgeChoices) -> Pixels:
    """The matte (h, w) of uint8 or uint16 with its edge as chosen: first moved, then softened, then sharper.

    Moving is the gray dilation or erosion by a disc, which moves every level of a soft edge alike.
    """
    if not choices:
        return alpha
    top = np.iinfo(alpha.dtype).max
    level = alpha.astype(np.float32) / np.float32(top)
    changed = _shifted(level, choices.shift)
    if choices.softness:
        changed = np.asarray(cv2.GaussianBlur(changed, (0, 0), max(choices.softness / 2, 0.1)), np.float32)
    if choices.sharper:
        steepness = np.float32(1 + choices.sharper * (_STEEPEST - 1))
        changed = np.clip((changed - np.float32(0.5)) * steepness + np.float32(0.5), 0, 1)
    if choices.keep_hair:
        kept = _hair(level)
        changed = changed * (1 - kept) + level * kept
    result: Pixels = np.rint(np.clip(changed, 0, 1) * np.float32(top)).astype(alpha.dtype)
    return result


def _shifted(level: Map, shift: float) -> Map:
    """A shift of a part of a pixel is the mean of both whole ones around it, by their shares."""
    far = abs(shift)
    lower, upper = floor(far), ceil(far)
    moved = _moved(level, lower, outwards=shift > 0)
    if upper == lower:
        return moved
    share = np.float32(far - lower)
    return np.asarray(moved * (1 - share) + _moved(level, upper, outwards=shift > 0) * share, np.float32)


def _moved(level: Map, radius: int, *, outwards: bool) -> Map:
    if not radius:
        return level
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    change: Any = cv2.dilate if outwards else cv2.erode
    return np.asarray(change(level, disc, borderType=cv2.BORDER_REPLICATE), np.float32)


def _hair(level: Map) -> Map:
    """Where the matte is soft over more than an edge's width, 0..1 with a soft rim."""
    soft = ((level > _FAINT) & (level < _DENSE)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_EDGE, _EDGE))
    wide = cv2.dilate(
        cv2.morphologyEx(cv2.morphologyEx(soft, cv2.MORPH_CLOSE, disc), cv2.MORPH_OPEN, disc), disc
    )
    return np.asarray(cv2.GaussianBlur(wide.astype(np.float32), (0, 0), 2.0), np.float32)
