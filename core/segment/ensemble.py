"""An ensemble: several networks that look at the whole and, closer, at what they take for the subject.

Each sees the frame and two boxes around the subject, as they are and mirrored; a prediction counts the more,
the more it shares with all others and the more decided it is. What only one network has seen apart from the
subject is left out. Measured with U²-Net and ISNet on 14 photos with real alpha, 20 of davis and 25 of ecssd,
IoU of the maps by the networks' mean and by the ensemble: .846, .852; .828, .857; .947, .947.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.segment.fusion import (
    agreement_weights,
    decided,
    fused_networks,
    fused_predictions,
    log_odds,
    overlap,
    self_consistency,
)
from mattebox.core.segment.parts import joined, without
from mattebox.core.segment.prediction import Frame, Prediction, border_rise, inside, predict, subject_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mattebox.core.network.segmenter import Segmenter

    Map = NDArray[np.float32]

# How much around the subject's box is seen, as a share of its longer side: one near and one wide.
_MARGINS: Final = {"box": 0.3, "wide box": 0.8}
# The more, the less a prediction counts that the others do not share, and one that is undecided. From 4 to 12
# and from 0 to 2, davis and ecssd hardly changed, and real alpha lost .009 where doubt did not count.
_SHARED: Final = 8
_DECIDED: Final = 2
_LEAST: Final = 1e-3
# A prediction that counts less than this share of the foremost one is not admitted.
_ADMITTED: Final = 0.05
# A part beside the largest one stays where every network finds it this likely; from .5 to .8 all the same.
_CONFIRMED: Final = 0.6


def ensemble(
    view: NDArray[np.uint8],
    segmenters: Sequence[Segmenter],
    frame: Frame,
    on_step: Callable[[str], None] = lambda _: None,
    *,
    confirm: bool = True,
) -> tuple[list[Prediction], Map]:
    """All predictions for a frame of the view (h, w, 3) uint8, and their map (h, w) float32 in 0..1.

    confirm: whether parts beside the largest need every network's word. `on_step` is called before each
    further prediction and may raise to stop. Raises InferenceError.
    """
    predictions: list[Prediction] = []
    answers: list[Map] = []
    trust: list[float] = []
    for segmenter in segmenters:
        if predictions:
            on_step("segment")
        pair = _pair(view, segmenter, frame, ("whole", "mirrored"), on_step)
        predictions += pair
        answers.append(fused_predictions([prediction.map for prediction in pair]))
        trust.append(self_consistency(pair[0].map, pair[1].map))
    first = fused_networks(answers, trust)
    for augmentation, share in _MARGINS.items():
        box = subject_frame(first, frame, share)
        if box is None:
            continue
        for segmenter in segmenters:
            on_step("segment")
            predictions += _pair(view, segmenter, box, (augmentation, f"{augmentation} mirrored"), on_step)
    votes = _votes(predictions, first)
    admitted = [
        Prediction(
            prediction.network,
            prediction.augmentation,
            prediction.map,
            prediction.frame,
            used=vote >= _ADMITTED,
        )
        for prediction, vote in zip(predictions, votes, strict=True)
    ]
    probability = _fused(predictions, votes)
    return admitted, _confirmed(probability, predictions) if confirm else probability


def _pair(
    view: NDArray[np.uint8],
    segmenter: Segmenter,
    frame: Frame,
    augmentations: tuple[str, str],
    on_step: Callable[[str], None],
) -> list[Prediction]:
    name = segmenter.network.name
    plain = Prediction(name, augmentations[0], predict(view, segmenter, frame), frame)
    on_step("segment")
    return [plain, Prediction(name, augmentations[1], predict(view, segmenter, frame, mirrored=True), frame)]


def _votes(predictions: Sequence[Prediction], first: Map) -> list[float]:
    """What each prediction counts beside the foremost one, above 0 and up to 1.

    first: what those of the whole frame amount to. They alone choose the subject: a closer one says where its
    edge is, and counts by what it shares with that, however many others see what it sees.
    """
    wide = [prediction for prediction in predictions if prediction.frame == predictions[0].frame]
    shares = dict(zip(map(id, wide), agreement_weights(wide, _share, _SHARED), strict=True))
    votes = np.asarray(
        [
            (shares[id(item)] if id(item) in shares else _like(item, first))
            * max(_LEAST, decided(item.map[inside(item.frame)])) ** _DECIDED
            for item in predictions
        ]
    )
    return [float(vote) for vote in votes / votes.max()]


def _share(one: Prediction, other: Prediction) -> float:
    """How much two predictions of the same frame share, 0..1."""
    both = inside(one.frame)
    return overlap(one.map[both], other.map[both])


def _like(closer: Prediction, first: Map) -> float:
    """What a closer prediction counts by what it shares with what there is in its frame, above 0."""
    part = inside(closer.frame)
    return max(_LEAST, overlap(closer.map[part], first[part])) ** _SHARED


def _fused(predictions: Sequence[Prediction], votes: Sequence[float]) -> Map:
    """The mean of the predictions' log-odds, each within its frame; 0 where there is none.

    From its frame's border on the share of a look rises evenly, however little the wider looks count.
    """
    total, counted = np.zeros_like(predictions[0].map), np.zeros_like(predictions[0].map)
    whole = predictions[0].frame
    for frame in sorted({prediction.frame for prediction in predictions}, key=_room, reverse=True):
        looks = [(item, vote) for item, vote in zip(predictions, votes, strict=True) if item.frame == frame]
        part = inside(frame)
        rise, votes_here = border_rise(frame, whole), np.float32(sum(vote for _, vote in looks))
        if frame != whole:
            rise = np.asarray(rise * counted[part] / (counted[part] + votes_here * (1 - rise)), np.float32)
        for prediction, vote in looks:
            total[part] += np.float32(vote) * rise * log_odds(prediction.map[part])
        counted[part] += votes_here * rise
    odds = np.divide(total, counted, out=np.zeros_like(total), where=counted > 0)
    return np.where(counted > 0, 1 / (1 + np.exp(-odds)), 0).astype(np.float32)


def _room(frame: Frame) -> int:
    return (frame[2] - frame[0]) * (frame[3] - frame[1])


def _confirmed(probability: Map, predictions: Sequence[Prediction]) -> Map:
    """The map without parts beside the largest that not every network finds likely, and their rims."""
    likely = (probability > 0.5).astype(np.uint8)
    count, found, facts, _ = cv2.connectedComponentsWithStats(likely)
    if count < 3:
        return probability
    labels = np.asarray(found, np.int32)
    largest = 1 + int(facts[1:, cv2.CC_STAT_AREA].argmax())
    areas = facts[:, cv2.CC_STAT_AREA].astype(np.float64)
    kept = np.ones(count, bool)
    for network in dict.fromkeys(prediction.network for prediction in predictions):
        own = [prediction for prediction in predictions if prediction.network == network]
        said, counted = np.zeros_like(probability), np.zeros_like(probability)
        for prediction in own:
            part = inside(prediction.frame)
            said[part] += prediction.map[part]
            counted[part] += 1
        mean = said / np.maximum(counted, 1)
        kept &= np.bincount(labels.ravel(), mean.ravel(), minlength=count) >= _CONFIRMED * areas
    if not kept[1:].all():
        # What hangs together with the largest part is no part beside it but its own.
        kept |= joined(probability, labels, np.arange(count) == largest)
    return probability if kept[1:].all() else without(probability, labels, kept)
