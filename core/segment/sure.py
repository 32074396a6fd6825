"""Sure: whether a first look at a photo needs no second opinion, by its own measures and by the colours.

A look may be quite decided and wrong: of the photos where it leaves nothing half seen some lose .12 of IoU to
the judge. What such a look missed has the subject's colours, or what it took has the background's. With both
asked, no look of 192 labelled photos that was called sure was below the full way by more than .01 of IoU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.segment.backdrop import even_backdrop
from mattebox.core.segment.fusion import decided
from mattebox.core.segment.judge.colours import colour_odds
from mattebox.core.segment.prompt.frame import Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Mask = NDArray[np.bool_]

# What holds this is wider than an edge, on maps of 256 cells a side.
_DISC: Final = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)), np.uint8)
# Levels nearer to 0 or 1 than this are sure; of a subject's colours and its background's more so.
_UNSURE: Final = 0.05
_SAMPLE: Final = 0.1
# How far around the subject its background is looked at, as a share of its size, and at least so many cells.
_NEAR: Final = 0.25
_LEAST_NEAR: Final = 4
# Log-odds of a colour that speak against what the map says.
_CONTRARY: Final = 0.5
# Shares of the subject that may be half seen, have the background's colours, or lie beside it in its own.
_HALF_SEEN: Final = 0.02
_FOREIGN: Final = 0.05
_MISSED: Final = 0.035
_DECIDED: Final = 0.92
_LIKE: Final = 0.9
_LIKE_BACKDROP: Final = 0.98


def is_sure(level: Map, view: NDArray[np.uint8], *, through: bool = False) -> bool:
    """Whether what one look says, (h, w) float32 in 0..1, can stand alone for a view (h, w, 3) uint8 sRGB.

    It is decided, leaves next to nothing wider than an edge half seen, and the colours of the subject and of
    what lies around it tell the same two sides; through: of those of an even backdrop only what lies around
    it is asked, since what is seen of that through the subject goes later (enclosed.py).
    """
    cells = Frame(*level.shape)
    lowered = cells.lowered(level)
    if decided(lowered) < _DECIDED or half_seen(lowered) > _HALF_SEEN:
        return False
    rows, columns = cells.cells
    picture = np.asarray(cv2.resize(view, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    told = _colours(lowered, picture)
    if told is None:
        return False
    if (
        through
        and told.around >= _LIKE_BACKDROP
        and not told.missed
        and even_backdrop(view, level) is not None
    ):
        return True
    return told.like >= _LIKE and told.foreign <= _FOREIGN and told.missed <= _MISSED


def half_seen(level: Map) -> float:
    """The area that is neither in nor out and wider than an edge, over the subject's; 256 cells a side."""
    return _wide((level > _UNSURE) & (level < 1 - _UNSURE)) / max(1, int(np.count_nonzero(level >= 0.5)))


@dataclass(frozen=True, slots=True)
class _Told:
    """What colours say of a look: the shares of all places and of those around the subject that bear it out.

    foreign, missed: the area of what is wider than an edge and of the other side's colours, inside of it and
    around it, over the subject's.
    """

    like: float
    around: float
    foreign: float
    missed: float


def _colours(level: Map, picture: NDArray[np.uint8]) -> _Told | None:
    """What the colours of a picture (rows, columns, 3) uint8 say of a map of its size; None if empty."""
    subject = level >= 0.5
    area = int(np.count_nonzero(subject))
    if not area:
        return None
    reach = max(_LEAST_NEAR, int(_NEAR * np.sqrt(area)))
    near = cv2.dilate(subject.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    around = near & ~subject
    odds = colour_odds(picture, level > 1 - _SAMPLE, (level < _SAMPLE) & near)
    return _Told(
        float((np.where(subject, odds, -odds)[near] > 0).mean()),
        float((odds[around] < 0).mean()) if around.any() else 0.0,
        _wide(subject & (odds < -_CONTRARY)) / area,
        _wide(around & (odds > _CONTRARY)) / area,
    )


def _wide(mask: Mask) -> int:
    """The cells of what of a mask is wider than an edge."""
    return int(np.count_nonzero(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _DISC)))
