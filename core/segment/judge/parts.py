"""Parts that several maps of one photo disagree about, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.segment.judge.colours import colour_odds
from mattebox.core.segment.prompt.choose import soft_iou

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Mask = NDArray[np.bool_]

# What holds this is wider than an edge: on masks of 256 cells a side about one hundredth of the photo.
_CROSS: Final = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)), np.uint8)
# The same for what is half seen, whose edges a network draws softer.
_DISC: Final = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)), np.uint8)
# What a map says from here on is half seen.
FAINT: Final = 0.15
_SURE: Final = 0.7
# So near to 0 and 1 opinions are alike: there a hundredth would be half a unit of log-odds.
_STEADY: Final = 0.03
# How far around the subject its background is looked at, as a share of its size.
_NEAR: Final = 0.25
_LEAST_NEAR: Final = 4


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one part: log-odds for the subject.

    votes: the mean of the opinions, each by its mean over the part; midway between the extremes, a single
    opinion that changes its mind moved more than a decision's margin. colour: the mean of those of the part's
    colours.
    """

    votes: float
    colour: float


FACTS: Final = tuple(field.name for field in fields(Facts))


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part that maps disagree about: its mask (rows, columns) and its facts."""

    mask: Mask
    facts: Facts


def agreement(salient: Map, votes: Sequence[Map]) -> float:
    """What the salient map and the mean of the opinions share, 0..1."""
    return soft_iou(np.asarray(np.mean(votes, axis=0), np.float32), salient)


def disputed(salient: Map, votes: Sequence[Map], picture: NDArray[np.uint8]) -> list[Part]:
    """The parts wider than an edge that the salient map and the opinions disagree about.

    All maps (rows, columns) float32 in 0..1; picture: (rows, columns, 3) uint8 sRGB. In a part each of them
    is everywhere above one half or everywhere below.
    """
    masks = _regions([salient, *votes])
    if not masks:
        return []
    mean = np.asarray(np.mean(votes, axis=0), np.float32)
    sure_in = (salient > _SURE) & (mean > _SURE)
    sure_out = (salient < 1 - _SURE) & (mean < 1 - _SURE)
    area = max(1, int(np.count_nonzero(salient >= 0.5)))
    reach = max(_LEAST_NEAR, int(_NEAR * np.sqrt(area)))
    likely = (np.maximum(salient, mean) > 0.5).astype(np.uint8)
    near = cv2.dilate(likely, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    colours = colour_odds(picture, sure_in, sure_out & near)
    parts = []
    for mask in masks:
        odds = float(np.mean([_odds(vote, mask) for vote in votes]))
        facts = Facts(votes=odds, colour=float(colours[mask].mean()))
        parts.append(Part(mask, facts))
    return parts


def _regions(maps: Sequence[Map]) -> list[Mask]:
    """Connected parts, wider than an edge, in which maps contradict each other always in the same way.

    And those of one word in which the first of the maps is unsure.
    """
    code = np.zeros(maps[0].shape, np.int32)
    for place, level in enumerate(maps):
        code |= (level >= 0.5).astype(np.int32) << place
    unsure = (maps[0] > FAINT) & (maps[0] < 1 - FAINT)
    found: list[Mask] = []
    for value in np.unique(code):
        same = value in (0, (1 << len(maps)) - 1)
        these = ((code == value) & unsure if same else code == value).astype(np.uint8)
        _, labels = cv2.connectedComponents(these, connectivity=4)
        wide = np.unique(labels[cv2.morphologyEx(these, cv2.MORPH_OPEN, _DISC if same else _CROSS) > 0])
        found += [np.asarray(labels == number) for number in wide[wide > 0]]
    return found


def _odds(level: Map, mask: Mask) -> float:
    mean = float(np.clip(level[mask].mean(), _STEADY, 1 - _STEADY))
    return float(np.log(mean / (1 - mean)))
