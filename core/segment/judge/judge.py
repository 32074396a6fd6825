"""The judge: parts that the salient map and the promptable network disagree about, decided as wholes.

Finished mattes, quality balanced, without a judge and as plan.py has it with one, in 8 bits on the photos
that the rule was fitted on: IoU of real alpha (14) .778 to .800, rendered (20) .947 to .986, davis (20) .811
to .854, ecssd (138, padding encoded) .907 to .922. Left out in turn, maps of 256 cells (192) in float32 and
8 bits: .810 .803, .985 .984, .870 .862, .916 .917.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.segment.boxes import mask_box
from mattebox.core.segment.judge.judgement import Judgement, Shared
from mattebox.core.segment.judge.opinions import opinions
from mattebox.core.segment.judge.parts import agreement, disputed
from mattebox.core.segment.judge.rule import shipped_rule
from mattebox.core.segment.prediction import inside
from mattebox.core.segment.prompt.choose import soft_iou
from mattebox.core.segment.sure import half_seen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mattebox.core.segment.judge.parts import Part
    from mattebox.core.segment.judge.rule import Rule
    from mattebox.core.segment.prediction import Frame
    from mattebox.core.segment.prompt.frame import Frame as Cells
    from mattebox.core.segment.prompt.network import Encoded, Promptable
    from mattebox.core.segment.segmentation import Segmentation

    Map = NDArray[np.float32]
    Mask = NDArray[np.bool_]

# A decision less sure than this is told, where the part is this share of the subject or more.
_DOUBT: Final = 0.3
_NOTABLE: Final = 0.02
_CROSS: Final = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)), np.uint8)
_SOFT: Final = 0.7
_FINEST: Final = 1e-4
# An opinion that says less than the first of a whole part is no ground to go against the map, which was right
# about four of five such parts of 192 labelled photos; one let in a flag behind a woman. From there to the
# second it becomes one, so that no hundredth of an opinion decides whether the rule is asked.
_FIRM_WORD: Final = (0.6, 0.7)
# Between these the map itself says neither.
_UNSURE: Final = (0.3, 0.7)
# What is decided is in or out: opinions of .6 and .4 become .92 and .08.
_FIRM: Final = 6


@dataclass(frozen=True, eq=False)
class Asked:
    """What the judge was asked about, a map on its cells, and its opinions of it; none of nothing."""

    lowered: Map
    votes: list[Map]

    @cached_property
    def shared(self) -> Shared:
        """What the map and the opinions have in common."""
        return shared(self.lowered, self.votes)


def judge_segmentation(
    network: Promptable,
    encoded: Encoded,
    view: NDArray[np.uint8],
    segmentation: Segmentation,
    *,
    within: Frame | None = None,
) -> Segmentation:
    """The segmentation of a view (h, w, 3) uint8 sRGB, judged; as it is where it shows no subject to judge.

    encoded: what the network remembers of the view. within: the box of the view that was searched, where
    that is not all of it. Raises InferenceError.
    """
    asked = ask(network, encoded, segmentation, within)
    return decide(view, segmentation, asked, encoded.frame)


def ask(
    network: Promptable, encoded: Encoded, segmentation: Segmentation, within: Frame | None = None
) -> Asked:
    """The judge's opinions of what stands out, within a box where there is one. Raises InferenceError."""
    lowered = encoded.frame.lowered(segmentation.probability)
    return Asked(lowered, _within(opinions(network, encoded, lowered), encoded.frame, within))


def decide(view: NDArray[np.uint8], segmentation: Segmentation, asked: Asked, cells: Cells) -> Segmentation:
    """The segmentation of a view (h, w, 3) uint8 sRGB by those opinions; as it is where there are none."""
    if not asked.votes:
        return segmentation
    rows, columns = cells.cells
    picture = np.asarray(cv2.resize(view, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    parts = disputed(asked.lowered, asked.votes, picture)
    level = segmentation.probability
    return segmentation.with_judgement(judged(level, asked.lowered, asked.votes, parts, cells))


def shared(lowered: Map, votes: Sequence[Map]) -> Shared:
    """What a map and the judge's opinions of it share, and what of the map is half seen."""
    if not votes:
        return Shared(0.0, 0.0, half_seen(lowered))
    pairs = [soft_iou(one, other) for place, one in enumerate(votes) for other in votes[:place]]
    return Shared(agreement(lowered, votes), float(np.mean(pairs)) if pairs else 1.0, half_seen(lowered))


def judged(
    salient: Map, lowered: Map, votes: Sequence[Map], parts: Sequence[Part], frame: Cells
) -> Judgement:
    """The map with each part decided as a whole by the shipped rule."""
    rule, common = shipped_rule(), shared(lowered, votes)
    chances = [chance_of(rule, part, lowered, votes) for part in parts]
    doubtful = [
        part.mask for part, chance in zip(parts, chances, strict=True) if _DOUBT < chance < 1 - _DOUBT
    ]
    area = max(1, int(np.count_nonzero(lowered >= 0.5)))
    told = sorted((mask for mask in doubtful if _area(mask) >= _NOTABLE * area), key=_area, reverse=True)
    level = salient
    for belongs in (True, False):
        chosen = [part.mask for part, chance in zip(parts, chances, strict=True) if (chance > 0.5) == belongs]
        if chosen:
            where = np.logical_or.reduce(chosen)
            level = _decided(level, _word(lowered, votes, belongs=belongs), where, frame)
    return Judgement(
        level,
        common.agreement,
        common.unity,
        tuple(_box(mask, frame) for mask in told),
        sum(map(_area, doubtful)) / area,
    )


def _within(votes: list[Map], cells: Cells, frame: Frame | None) -> list[Map]:
    """Opinions with nothing outside of a frame of the view."""
    if frame is None:
        return votes
    searched = np.zeros((cells.height, cells.width), np.float32)
    searched[inside(frame)] = 1
    lowered = cells.lowered(searched)
    return [np.asarray(vote * lowered, np.float32) for vote in votes]


def chance_of(rule: Rule, part: Part, lowered: Map, votes: Sequence[Map]) -> float:
    """The probability that a part belongs to the subject: by the rule where map and opinions disagree.

    Where no opinion contradicts the map firmly their common mean stands, whatever the colours say; between
    the two there is no step.
    """
    common = float(lowered[part.mask].mean()) + float(np.mean([vote[part.mask].mean() for vote in votes]))
    asked = _contradicted(part, lowered, votes)
    return asked * rule.belongs(part.facts) + (1 - asked) * common / 2


def is_contradicted(part: Part, lowered: Map, votes: Sequence[Map]) -> bool:
    """Whether an opinion says firmly of a part what the map does not."""
    return _contradicted(part, lowered, votes) >= 0.5


def _contradicted(part: Part, lowered: Map, votes: Sequence[Map]) -> float:
    """The same by degrees, 0..1."""
    said = [float(vote[part.mask].mean()) for vote in votes]
    against = _rise(1 - min(said), *_FIRM_WORD), _rise(max(said), *_FIRM_WORD)
    within = _rise(float(lowered[part.mask].mean()), *_UNSURE)
    return within * against[0] + (1 - within) * against[1]


def _rise(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _area(mask: Mask) -> int:
    return int(np.count_nonzero(mask))


def _word(lowered: Map, votes: Sequence[Map], *, belongs: bool) -> Map:
    """At each cell the mean of the opinions that say so; where none does, the salient map's own level."""
    stack = np.asarray(votes, np.float32)
    agreeing = (stack >= 0.5) == belongs
    count = agreeing.sum(axis=0)
    mean = (stack * agreeing).sum(axis=0) / np.maximum(count, 1)
    return np.asarray(np.where(count > 0, mean, lowered), np.float32)


def _decided(level: Map, word: Map, where: Mask, frame: Cells) -> Map:
    """The map with other levels in some cells, and a soft rim around them."""
    cells = cv2.GaussianBlur(cv2.dilate(where.astype(np.float32), _CROSS), (0, 0), _SOFT)
    size = (level.shape[1], level.shape[0])
    weight = np.asarray(cv2.resize(cells, size, interpolation=cv2.INTER_LINEAR), np.float32)
    steady = np.clip(word, _FINEST, 1 - _FINEST)
    raised = frame.raised(np.asarray(_FIRM * np.log(steady / (1 - steady)), np.float32))
    return np.asarray(level * (1 - weight) + raised * weight, np.float32)


def _box(mask: Mask, frame: Cells) -> Frame:
    """A part's box in pixels of the view."""
    found = mask_box(mask)
    if found is None:
        return 0, 0, 0, 0
    rows, columns = found
    down, across = frame.height / mask.shape[0], frame.width / mask.shape[1]
    return (
        int(columns.start * across),
        int(rows.start * down),
        min(frame.width, int(np.ceil(columns.stop * across))),
        min(frame.height, int(np.ceil(rows.stop * down))),
    )
