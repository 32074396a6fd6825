"""Segmentation by test-time augmentation: the whole frame, its mirror image, the subject's own box."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from mattebox.core.segment.ensemble import ensemble
from mattebox.core.segment.fusion import consensus_weights, fused_predictions, overlap
from mattebox.core.segment.prediction import (
    Frame,
    Prediction,
    border_rise,
    inside,
    predict,
    subject_frame,
)
from mattebox.core.segment.view import LONGEST
from mattebox.core.settings.cut import box_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mattebox.core.network.segmenter import Segmenter
    from mattebox.core.segment.judge.judgement import Judgement
    from mattebox.core.settings.cut import Subject

    Map = NDArray[np.float32]

Quality = Literal["fast", "balanced", "best"]

# Measured on labelled photos (bench/quality.py). A box prediction that shares less than this of its
# answer with the others has found something else, and is not let in.
_AGREEMENT: Final = 0.4
_BOX_MARGIN: Final = 0.2
# A box that a person draws is tight, and networks want to see what is around a subject: with 0.03, 0.2 and
# 0.35 of its side the edge error in true boxes was higher (bench/rough.py).
_SEARCH_MARGIN: Final = 0.1
# Networks that look at this many pixels a side see small subjects well enough in the whole frame:
# their own box prediction lowered every measure but one.
_LARGE_INPUT: Final = 512
# A single prediction of the whole frame holds no more than its network's input does; of a view with more
# pixels than this for each of those only the time is noticed. Further ones go closer.
_WORTH: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """All predictions for one view and what they amount to: `probability` (h, w) float32 in 0..1.

    detail: view pixels per pixel of the finest network input that was used; at least 1. judgement: what the
    judge made of what stood out, `salient`, where there was one.
    """

    probability: Map
    predictions: tuple[Prediction, ...]
    detail: float
    judgement: Judgement | None = None
    unjudged: Map | None = None

    @property
    def salient(self) -> Map:
        """What stands out by the predictions alone, (h, w) float32 in 0..1."""
        return self.probability if self.unjudged is None else self.unjudged

    def with_judgement(self, judgement: Judgement) -> Segmentation:
        """The same, judged."""
        return replace(self, probability=judgement.probability, judgement=judgement, unjudged=self.salient)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the predictions that the fusion let in, in their order."""
        return tuple(prediction.name for prediction in self.predictions if prediction.used)


def view_side(segmenters: Sequence[Segmenter], quality: Quality, subject: Subject = "auto") -> int:
    """How many pixels a side the view needs at most for the predictions of this quality for this subject."""
    if quality != "fast" or box_of(subject) is not None:
        return LONGEST
    return min(LONGEST, _WORTH * max(segmenter.network.input_size for segmenter in segmenters))


def segment(
    view: NDArray[np.uint8],
    segmenters: Sequence[Segmenter],
    quality: Quality = "balanced",
    within: Frame | None = None,
    on_step: Callable[[str], None] = lambda _: None,
    *,
    pointed_at: bool = False,
    known: Sequence[Prediction] = (),
    go_closer: bool = True,
) -> Segmentation:
    """Segment a view (h, w, 3) uint8 with one network, as the quality says, or with an ensemble of several.

    `within` confines the search to a box of the view; pointed_at: whether a person says which of the parts
    that are found are meant, so that none is left out for want of a second opinion. go_closer: whether a
    single network looks at the subject's own box too; known: its predictions of the whole frame, where it has
    made them already. `on_step` is called before each further prediction and may raise to stop. Raises
    InferenceError.
    """
    height, width = view.shape[:2]
    frame = within or (0, 0, width, height)
    if len(segmenters) > 1:
        predictions, probability = ensemble(view, segmenters, frame, on_step, confirm=not pointed_at)
    else:
        predictions, probability = _one_network(
            view, segmenters[0], quality, frame, on_step, known=known, go_closer=go_closer
        )
    finest = max(segmenter.network.input_size for segmenter in segmenters)
    side = max(frame[2] - frame[0], frame[3] - frame[1])
    return Segmentation(probability, tuple(predictions), max(1.0, side / finest))


def _one_network(
    view: NDArray[np.uint8],
    segmenter: Segmenter,
    quality: Quality,
    frame: Frame,
    on_step: Callable[[str], None],
    *,
    known: Sequence[Prediction],
    go_closer: bool,
) -> tuple[list[Prediction], Map]:
    name = segmenter.network.name
    predictions = list(known) or [Prediction(name, "whole", predict(view, segmenter, frame), frame)]
    if quality == "fast":
        return predictions, predictions[0].map
    if len(predictions) == 1:
        on_step("segment")
        mirrored = predict(view, segmenter, frame, mirrored=True)
        predictions.append(Prediction(name, "mirrored", mirrored, frame))
    both = [prediction.map for prediction in predictions]
    answer = fused_predictions(both)
    enough = not go_closer or segmenter.network.input_size > _LARGE_INPUT
    box = None if enough else subject_frame(answer, frame, _BOX_MARGIN)
    if box is None:
        return predictions, answer
    on_step("segment")
    closer = predict(view, segmenter, box)
    part = inside(box)
    agreed = overlap(answer[part], closer[part]) >= _AGREEMENT
    predictions.append(Prediction(name, "box", closer, box, used=agreed))
    if agreed:
        three = [*(each[part] for each in both), closer[part]]
        trust = consensus_weights(three)
        answer = fused_predictions(both, trust[:2])
        answer[part] += border_rise(box, frame) * (fused_predictions(three, trust) - answer[part])
    return predictions, answer


def search_frame(subject: Subject, view: NDArray[np.uint8], scale: float) -> Frame | None:
    """The part of a view to search for `subject`; None for all of it. scale: view pixels per photo pixel."""
    box = box_of(subject)
    if box is None:
        return None
    height, width = view.shape[:2]
    margin = round(_SEARCH_MARGIN * scale * max(box[2] - box[0], box[3] - box[1]))
    left, top = (max(0, int(low * scale) - margin) for low in box[:2])
    right = min(width, int(np.ceil(box[2] * scale)) + margin)
    bottom = min(height, int(np.ceil(box[3] * scale)) + margin)
    # A box beyond the photo's edge finds nothing, as an empty part of the photo does.
    left, top = min(left, width - 1), min(top, height - 1)
    return left, top, max(right, left + 1), max(bottom, top + 1)
