"""Which of a promptable network's masks is meant, and what of it the salient map knows better.

Maps are (rows, columns) float32 in 0..1 on the cells of a mask. Measured by bench/clicks.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Cells = tuple[int, int, int, int]
    Map = NDArray[np.float32]

# Cells that differ by more than this disagree; a part of them that holds a disc of this radius is a whole
# part of a thing and no edge that one of both draws softer.
DIFFERS: Final = 0.3
_THICK: Final = 1
_SMALLEST: Final = 1e-6
_BEHIND: Final = 0.5
_HALF: Final = 0.5
# A click's widest mask is the whole of what the salient map has a part of, and no scene around it: it holds
# nearly all of the part, is sure, and is at most twice as large. Of 100 labelled photos it gained .4, .4, .2
# and .1 of IoU in four, and lost .04 at the most.
_WITHIN: Final = 0.9
_SURE: Final = 0.9
_SCENE: Final = 0.5
_ALIKE: Final = 0.85
# For the true box of 100 photos, by the shares of the salient map (.3 to 1) and of all four masks (0 to 1) in
# the choice: .914 to .912 of davis, .933 to .943 of ecssd, .951 of real alpha; near .6 and .5 nothing moves.
# Without a salient map what masks have in common is no help: .908 to .871 of davis.
_SALIENT_IN_BOX: Final = 0.6
_COMMON: Final = 0.5


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
    return best_of(
        [
            soft_iou(mask, salient) + recall(mask, salient) if is_close or not surrounds(mask) else 0.0
            for mask in masks
        ]
    )


def is_whole(mask: Map, guess: float, salient: Map) -> bool:
    """Whether a click's widest mask is the thing of which the salient map has seen but a part."""
    return (
        guess >= _SURE
        and recall(mask, salient) >= _WITHIN
        and _SCENE <= recall(salient, mask) <= _ALIKE
        and not surrounds(mask)
    )


def merges(masks: Sequence[Map], guesses: Sequence[float], salient: Map) -> bool:
    """Whether the salient map has several things in one part, as with coins on a table.

    So it is where the network knows nothing between what was clicked at and what lies behind it, and is sure
    of a thing that is less than half of the part.
    """
    if not surrounds(masks[-1]) or surrounds(salient):
        return False
    thing = widest(masks, guesses)
    return guesses[thing] >= _SURE and recall(masks[thing], salient) < _HALF


def widest(masks: Sequence[Map], guesses: Iterable[float]) -> int:
    """Which of a click's masks is meant at what the salient map has missed: the whole thing, not its part.

    masks: from the network's single answer to the widest. Where the widest is what lies behind things, as
    with one of many coins on a table, the one that the network is surest of.
    """
    if not surrounds(masks[-1]):
        return len(masks) - 1
    return best_of(
        [-1.0 if surrounds(mask) else float(guess) for mask, guess in zip(masks, guesses, strict=True)], 0
    )


def surrounds(level: Map) -> bool:
    """Whether a map holds most of the picture's border: it lies behind things, and is none itself.

    The widest mask of a coin among many held .60 to .89 of it; of 254 labelled subjects none more than .45.
    """
    border = np.concatenate([level[0], level[-1], level[:, 0], level[:, -1]])
    return bool((border > _HALF).mean() > _BEHIND)


def disagreement(one: Map, other: Map) -> Map:
    """Where whole parts of two maps disagree: 1 there, 0 elsewhere, with a soft rim."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _THICK + 1, 2 * _THICK + 1))
    differs = (np.abs(one - other) > DIFFERS).astype(np.uint8)
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

    salient: what of the salient map lies in the box, which has less of a say, and so has then what all masks
    have in common; None where that is nothing.
    """
    scores = [guess + fills(mask, box) for mask, guess in zip(masks, guesses, strict=True)]
    if salient is not None:
        common = np.mean(masks, axis=0)
        scores = [
            score + _SALIENT_IN_BOX * soft_iou(mask, salient) + _COMMON * soft_iou(mask, common)
            for mask, score in zip(masks, scores, strict=True)
        ]
    return int(np.argmax(scores))


def best_of(scores: Sequence[float], otherwise: int = -1) -> int:
    """The place of the greatest score, or `otherwise` where all are below 0."""
    best = int(np.argmax(scores))
    return best if scores[best] >= 0 else otherwise


def decided(mask: Map, salient: Map) -> Map:
    """Where the network decides against the salient map: whole parts in which both disagree, 1 there.

    But for those that the network alone lacks, where the salient map is surer that they belong to the thing
    than the network is that they do not: with both as odds the part and its rim are likely. Of 100 labelled
    photos' first clicks: .871 for .874 (davis), .945 for .943 (real alpha), .880 for .869 (ecssd).
    """
    weight = disagreement(mask, salient)
    count, labels = cv2.connectedComponents((weight > _HALF).astype(np.uint8))
    if count == 1:
        return weight
    sizes = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    lacked, seen = (
        np.bincount(labels.ravel(), level.ravel(), minlength=count) / sizes for level in (mask, salient)
    )
    stays = (seen > lacked) & (seen + lacked > 1)
    stays[0] = False
    rim = np.ones((2 * _THICK + 3, 2 * _THICK + 3), np.uint8)
    return np.where(cv2.dilate(stays[labels].astype(np.uint8), rim) > 0, np.float32(0), weight)


def blended(mask: Map, salient: Map, weight: Map) -> Map:
    """An answer of the network with the part of the salient map that it is about.

    Where `weight` is 1 the network decides; elsewhere both have a say, and the salient map, whose edges are
    finer, the greater one.
    """
    settled = salient * (1 - weight) + mask * weight
    return np.asarray((settled + (mask + salient) / 2) / 2, np.float32)
