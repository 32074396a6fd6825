"""A further click: what it changes in the answer that was there.

Maps are (rows, columns) float32 in 0..1 on the cells of a mask. Measured by bench/clicks.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.segment.prompt.choose import DIFFERS, best_of, soft_iou
from mattebox.core.segment.prompt.frame import sigmoid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Cell = tuple[int, int, bool]
    Map = NDArray[np.float32]

_HALF: Final = 0.5
_SMALLEST: Final = 1e-6
# Chosen on 272 second to fifth clicks of 69 labelled photos, for the IoU after them (+.026 a click, where
# joining what a click alone finds had +.015) and for how often a click made it worse (2 of 272, and 15): an
# answer has what it shares with the former one, the network's guess, and something for its single answer. It
# is like the former one, and people click near the middle of what is wrong: where a click lies at the rim of
# all that an answer would add or take away, that answer is about something else.
_LEAST_ALIKE: Final = 0.5
_MIDST_MORE: Final = 0.6
_MIDST_LESS: Final = 0.8
_FORMER: Final = 1.0
_OWN: Final = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """A former answer after a further click: its level, and the weight of the logits in it."""

    level: Map
    weight: Map
    logits: Map


def further(
    found: Sequence[Map], guesses: Sequence[float], before: Map, cells: Sequence[Cell]
) -> Correction | None:
    """The correction that a further click means: it keeps to all clicks, and is like what was there before.

    found: logits of the network's answers that go on from the former one, its single answer first. before:
    the former answer. cells: x, y of each click, and whether it is inside. None where no answer keeps to all
    clicks, or all mean something else than the last click: it means little.
    """
    x, y, inside = cells[-1]
    least = _MIDST_MORE if inside else _MIDST_LESS
    scores, corrections = [], []
    for place, (logits, guess) in enumerate(zip(found, guesses, strict=True)):
        level = sigmoid(logits)
        weight = corrected(level, before, x, y, inside=inside)
        new = np.asarray(before * (1 - weight) + level * weight, np.float32)
        corrections.append(Correction(new, weight, logits))
        fits = soft_iou(new, before) >= _LEAST_ALIKE and midst(new, before, x, y) >= least
        score = _FORMER * soft_iou(level, before) + min(guess, 1.0) + _OWN * (place == 0)
        scores.append(score if fits and _keeps(new, cells) else -1.0)
    best = best_of(scores)
    return corrections[best] if best >= 0 else None


def midst(one: Map, other: Map, x: int, y: int) -> float:
    """How near a cell is to the middle of where two maps differ: 1 in the midst, 0 at the rim and beyond."""
    differs = ((one >= _HALF) != (other >= _HALF)).astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(differs, 1), cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    around = depth[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
    return float(around.max() / max(float(depth.max()), _SMALLEST))


def anew(found: Sequence[Map], guesses: Sequence[float], cells: Sequence[Cell]) -> int:
    """Which answer is meant by several clicks of which the first was doubtful: the surest that keeps to all.

    -1 where none does.
    """
    return best_of(
        [
            guess if _keeps(sigmoid(logits), cells) else -1.0
            for logits, guess in zip(found, guesses, strict=True)
        ]
    )


def corrected(level: Map, before: Map, x: int, y: int, *, inside: bool) -> Map:
    """Where a further answer is taken over: what it adds at a click inside, or takes away at one outside.

    Nothing else changes, so that a click never loses what earlier ones have found. In 0..1, with a soft rim.
    """
    gained = level - before if inside else before - level
    differs = (gained > DIFFERS).astype(np.uint8)
    _, labels = cv2.connectedComponents(differs, connectivity=8)
    touched = np.unique(labels[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2])
    part = np.isin(labels, touched[touched > 0]).astype(np.float32)
    soft = cv2.GaussianBlur(cv2.dilate(part, np.ones((3, 3), np.uint8)), (0, 0), 0.7)
    return np.asarray(soft * (gained > 0), np.float32)


def _keeps(level: Map, cells: Sequence[Cell]) -> bool:
    return all(_holds(level, x, y, inside=inside) for x, y, inside in cells)


def _holds(level: Map, x: int, y: int, *, inside: bool) -> bool:
    """Whether an answer keeps to a click, which people place to a cell and no better."""
    around = level[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
    return bool(around.max() >= _HALF) if inside else bool(around.min() < _HALF)
