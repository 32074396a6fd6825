"""Opinions: what the promptable network answers to prompts that come from the salient map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.segment.judge.parts import FAINT
from mattebox.core.segment.prompt.choose import soft_iou
from mattebox.core.segment.prompt.frame import sigmoid
from mattebox.core.segment.prompt.network import CORNERS, IN, NONE
from mattebox.core.segment.prompt.places import middle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mattebox.core.segment.prompt.network import Encoded, Mark, Promptable

    Map = NDArray[np.float32]
    Mask = NDArray[np.bool_]

# Parts of the map below this share of the largest are no reason to widen a box.
_PART: Final = 0.05
_WIDER: Final = 0.05
_POINTS: Final = 3
_SURE: Final = 0.9
# Fewer cells than these are no thing to ask about.
_SMALLEST: Final = 9
_CENTRE: Final = 0.5


def opinions(network: Promptable, encoded: Encoded, salient: Map) -> list[Map]:
    """The network's masks for several prompts, each (rows, columns) float32 in 0..1; none without a subject.

    salient: the map on the cells of a mask, in 0..1. Asked are the box around its main parts, the same a
    little wider, three points in what is sure, and the box around what is faint too; of the four masks of an
    answer the one that agrees best with the map is the opinion. Raises InferenceError.
    """
    main = main_parts(salient > _CENTRE)
    if np.count_nonzero(main) < _SMALLEST:
        return []
    cells = 4 / encoded.frame.scale
    prompts: list[Sequence[Mark]] = [_box(main, cells), _box(main, cells, _WIDER)]
    # All that counts as half seen: a box from .3 on left out the neck of a swan that a look in 8 bits sees at
    # .30 and one in float32 at .33, so that a hundredth decided what was asked about.
    prompts.append(_box(main_parts(salient > FAINT), cells))
    sure = main & (salient > _SURE)
    points = _points(sure if np.count_nonzero(sure) >= _SMALLEST else main, cells)
    answers = [
        *network.answer(encoded, prompts),
        *network.answer(encoded, [[*points, NONE]]),
    ]
    masks = ([sigmoid(logits) for logits in answer.logits] for answer in answers)
    return [four[int(np.argmax([soft_iou(mask, salient) for mask in four]))] for four in masks]


def main_parts(mask: Mask) -> Mask:
    """The connected parts of a mask that are not small beside the largest."""
    count, labels, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return mask
    areas = facts[:, cv2.CC_STAT_AREA].astype(np.float64)
    areas[0] = 0
    return np.asarray((areas >= _PART * areas.max())[labels] & (labels > 0))


def _box(mask: Mask, cells: float, wider: float = 0.0) -> list[Mark]:
    """The corners of the box around a mask, in pixels of the view."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, right = float(columns[0]), float(columns[-1]) + 1
    top, bottom = float(rows[0]), float(rows[-1]) + 1
    across, down = wider * (right - left), wider * (bottom - top)
    return [
        ((left - across) * cells, (top - down) * cells, CORNERS[0]),
        ((right + across) * cells, (bottom + down) * cells, CORNERS[1]),
    ]


def _points(mask: Mask, cells: float) -> list[Mark]:
    """Points deep in a mask and apart from each other, in pixels of the view."""
    left = mask.astype(np.uint8)
    apart = max(2, int(np.sqrt(np.count_nonzero(mask)) / 3))
    marks: list[Mark] = []
    while len(marks) < _POINTS:
        place = middle(left > 0)
        if place is None:
            break
        marks.append(((place[0] + _CENTRE) * cells, (place[1] + _CENTRE) * cells, IN))
        cv2.circle(left, place, apart, 0, cv2.FILLED)
    return marks
