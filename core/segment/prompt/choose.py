"""Which of a promptable network's masks is meant, and what of it the salient map knows better.

Maps are (rows, columns) float32 in 0..1 on the cells of a mask. Measured by bench/clicks.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.segment.prompt.frame import sigmoid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Cells = tuple[int, int, int, int]
    Map = NDArray[np.float32]

# Cells that differ by more than this disagree; a part of them that holds a disc of this radius is a whole
# part of a thing and no edge that one of both draws softer.
_DIFFERS: Final = 0.3
_THICK: Final = 1
_SMALLEST: Final = 1e-6
_BEHIND: Final = 0.6
_HALF: Final = 0.5
# Chosen on 129 second to fourth clicks of 43 labelled photos, for the IoU after them and for how often a
# click made it worse: an answer has what it shares with the former one, and beside it so much for the
# network's guess and for its single answer; with less than this in all it is another thing. A click inside
# may double what there was, one outside rarely halves it.
_LEAST_MORE: Final = 0.65
_LEAST_LESS: Final = 0.85
_GUESS: Final = 0.3
_OWN: Final = 0.15
# IoU of 81 photos for the true box: without the salient map .915, .955 and .918 (davis, real alpha, ecssd),
# with it as a full third .914, .932 and .939.
_SALIENT_IN_BOX: Final = 0.3


def soft_iou(one: Map, other: Map) -> float:
    """What two maps share: the sum of their minima by that of their maxima."""
    return float(np.minimum(one, other).sum() / max(float(np.maximum(one, other).sum()), _SMALLEST))


def recall(found: Map, wanted: Map) -> float:
    """How much of `wanted` is in `found`."""
    return float(np.minimum(found, wanted).sum() / max(float(wanted.sum()), _SMALLEST))


def meant(masks: Sequence[Map], salient: Map) -> int:
    """Which mask is meant, given the part of the salient map that was clicked at.

    The one that agrees best with it, and rather the whole of it than a part: a click takes a shirt for the
    person as readily as the person. What lies behind things is none of them.
    """
    is_close = surrounds(salient)
    return _best(
        [
            soft_iou(mask, salient) + recall(mask, salient) if is_close or not surrounds(mask) else 0.0
            for mask in masks
        ]
    )


def widest(masks: Sequence[Map], guesses: Iterable[float]) -> int:
    """Which of a click's masks is meant at what the salient map has missed: the whole thing, not its part.

    masks: from the network's single answer to the widest. Where the widest is what lies behind things, as
    with one of many coins on a table, the one that the network is surest of.
    """
    if not surrounds(masks[-1]):
        return len(masks) - 1
    return _best(
        [-1.0 if surrounds(mask) else float(guess) for mask, guess in zip(masks, guesses, strict=True)], 0
    )


def surrounds(level: Map) -> bool:
    """Whether a map holds most of the picture's border: it lies behind things, and is none itself.

    The widest mask of a coin among many held .66 to .89 of it; of 254 labelled subjects none more than .45.
    """
    border = np.concatenate([level[0], level[-1], level[:, 0], level[:, -1]])
    return bool((border > _HALF).mean() > _BEHIND)


def disagreement(one: Map, other: Map) -> Map:
    """Where whole parts of two maps disagree: 1 there, 0 elsewhere, with a soft rim."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _THICK + 1, 2 * _THICK + 1))
    differs = (np.abs(one - other) > _DIFFERS).astype(np.uint8)
    _, labels = cv2.connectedComponents(differs, connectivity=4)
    thick = np.unique(labels[cv2.morphologyEx(differs, cv2.MORPH_OPEN, disc) > 0])
    parts = np.isin(labels, thick[thick > 0]).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(cv2.dilate(parts, disc), (0, 0), 0.7), np.float32)


def clicked_part(salient: Map, x: int, y: int) -> Map | None:
    """The salient map with all but the part at a cell faded out; None where nothing is likely there."""
    likely = (salient > 0.5).astype(np.uint8)
    if not likely[y, x]:
        return None
    _, labels = cv2.connectedComponents(likely, connectivity=8)
    _, zones = cv2.distanceTransformWithLabels(
        1 - likely, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_CCOMP
    )
    part_of_zone = np.zeros(int(zones.max()) + 1, np.int32)
    part_of_zone[zones[likely > 0]] = labels[likely > 0]
    return np.asarray(salient * (part_of_zone[zones] == labels[y, x]), np.float32)


def fills(mask: Map, box: Cells) -> float:
    """How well a mask's own box fits a box (left, top, right, bottom) that was drawn: IoU of both."""
    rows, columns = np.flatnonzero((mask > _HALF).any(axis=1)), np.flatnonzero((mask > _HALF).any(axis=0))
    if not rows.size:
        return 0.0
    own = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    across = max(0, min(own[2], box[2]) - max(own[0], box[0]))
    down = max(0, min(own[3], box[3]) - max(own[1], box[1]))
    both = (own[2] - own[0]) * (own[3] - own[1]) + (box[2] - box[0]) * (box[3] - box[1])
    return across * down / max(both - across * down, 1)


def boxed(masks: Sequence[Map], guesses: Sequence[float], box: Cells, salient: Map | None) -> int:
    """Which mask is meant by a box: the network is sure of it, and it fills what was drawn.

    salient: what of the salient map lies in the box, which has less of a say; None where that is nothing.
    """
    scores = [guess + fills(mask, box) for mask, guess in zip(masks, guesses, strict=True)]
    if salient is not None:
        scores = [
            score + _SALIENT_IN_BOX * soft_iou(mask, salient)
            for mask, score in zip(masks, scores, strict=True)
        ]
    return int(np.argmax(scores))


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One possible answer to a further click: logits on the cells, and the network's guess of its IoU.

    own: whether it is the network's single answer that goes on from the former one.
    """

    logits: Map
    guess: float
    own: bool = False


def further(found: Sequence[Candidate], before: Map, cells: Sequence[tuple[int, int, bool]]) -> int:
    """Which answer to a further click is meant: it keeps to all clicks, and to what was there before.

    before: the answer so far. cells: x, y of each click, and whether it is inside. Where nothing that keeps
    to all clicks is like the former answer there is none, -1: the click means little.
    """
    least = _LEAST_MORE if cells[-1][2] else _LEAST_LESS
    scores = []
    for item in found:
        level = sigmoid(item.logits)
        alike = soft_iou(level, before)
        score = alike + _GUESS * min(item.guess, 1.0) + _OWN * item.own
        scores.append(score if score > least and _keeps(level, cells) else -1.0)
    return _best(scores)


def anew(found: Sequence[Candidate], cells: Sequence[tuple[int, int, bool]]) -> int:
    """Which answer is meant by several clicks of which the first was doubtful: the surest that keeps to all.

    -1 where none does.
    """
    return _best([item.guess if _keeps(sigmoid(item.logits), cells) else -1.0 for item in found])


def _best(scores: Sequence[float], otherwise: int = -1) -> int:
    best = int(np.argmax(scores))
    return best if scores[best] >= 0 else otherwise


def _keeps(level: Map, cells: Sequence[tuple[int, int, bool]]) -> bool:
    return all(_holds(level, x, y, inside=inside) for x, y, inside in cells)


def _holds(level: Map, x: int, y: int, *, inside: bool) -> bool:
    """Whether an answer keeps to a click, which people place to a cell and no better."""
    around = level[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
    return bool(around.max() >= _HALF) if inside else bool(around.min() < _HALF)


def fused(mask: Map, salient: Map | None) -> Map:
    """An answer of the network with the part of the salient map that it is about.

    Where whole parts disagree the network decides; elsewhere both have a say, and the salient map, whose
    edges are finer, the greater one.
    """
    return mask if salient is None else blended(mask, salient, disagreement(mask, salient))


def blended(mask: Map, salient: Map, weight: Map) -> Map:
    """As fused(), given the weight of the network where whole parts disagree."""
    decided = salient * (1 - weight) + mask * weight
    return np.asarray((decided + (mask + salient) / 2) / 2, np.float32)


def corrected(level: Map, before: Map, x: int, y: int, *, inside: bool) -> Map:
    """Where a further answer is taken over: what it adds at a click inside, or takes away at one outside.

    Nothing else changes, so that a click never loses what earlier ones have found. In 0..1, with a soft rim.
    """
    gained = level - before if inside else before - level
    differs = (gained > _DIFFERS).astype(np.uint8)
    _, labels = cv2.connectedComponents(differs, connectivity=8)
    touched = np.unique(labels[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2])
    part = np.isin(labels, touched[touched > 0]).astype(np.float32)
    soft = cv2.GaussianBlur(cv2.dilate(part, np.ones((3, 3), np.uint8)), (0, 0), 0.7)
    return np.asarray(soft * (gained > 0), np.float32)
