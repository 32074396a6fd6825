"""What can be measured of a matte without knowing the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.segment.boxes import mask_box
from mattebox.core.segment.fusion import decided, overlap
from mattebox.core.segment.image_measures import blockiness, median
from mattebox.core.segment.prediction import inside
from mattebox.core.segment.prompt.frame import Frame as Cells
from mattebox.core.segment.sure import half_seen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.segment.segmentation import Segmentation

    Map = NDArray[np.float32]

_RING: Final = 6
# How far from the edge its two sides are looked for, as a share of the diagonal.
_EDGE_REACH: Final = 0.02
# What predictions lack is told apart no further than this.
_FINEST: Final = 0.01
_STEP: Final = 24  # levels of gray that tell an edge from noise
_SOBEL: Final = 8  # its answer to a slope of one level a pixel


@dataclass(frozen=True, slots=True)
class Features:
    """Measures of one matte; each 0..1 unless said otherwise.

    networks: how many networks looked; a number.
    looks: how many predictions there were, those that were not let in too; a number.
    agreement: what the predictions share with what they amount to, the least of them.
    consent: the same of the predictions of the whole frame, taken together: 1 less the geometric mean of what
    each
        lacks.
    decided: how far from one half the map is where it is not surely empty.
    haze: share of the subject that is not sure though it is away from its edge.
    half_seen: the area wider than an edge that was neither in nor out before parts were judged, over the
        subject's; 0 upwards.
    whole: the largest part's share of the subject.
    frame: share of the photo's border that the subject touches.
    contrast: distance of the colours on both sides of the edge, 0..1 of full range.
    blur: how wide the photo's own edge is: the standard deviation of its blur in thousandths of the view's
        diagonal; 0 upwards.
    area: the subject's share of the photo.
    blocks: how much stronger steps are at the 8-pixel grid of a JPEG than between; 0 upwards.
    judges: whether whole parts were judged; 0 or 1.
    judged: what the judge shares with what stood out before; 1 without one.
    unity: what the judge's opinions share with each other; 1 without one.
    doubt: the share of the subject in parts that the judge could not decide; 0 without one.
    """

    networks: int
    looks: int
    agreement: float
    consent: float
    decided: float
    haze: float
    whole: float
    frame: float
    contrast: float
    blur: float
    area: float
    blocks: float
    judges: int = 0
    judged: float = 1.0
    unity: float = 1.0
    doubt: float = 0.0
    half_seen: float = 0.0


def measure(
    view: NDArray[np.uint8],
    segmentation: Segmentation,
    probability: Map,
    close: NDArray[np.uint8] | None = None,
) -> Features | None:
    """The measures of the chosen subject's `probability` (h, w) in `view` (h, w, 3); None if it is empty.

    close: grays (h, w) of a part of the photo at full resolution, where the view is smaller.
    """
    subject = (probability >= 0.5).astype(np.uint8)
    area = int(subject.sum())
    if area == 0:
        return None
    diagonal = float(np.hypot(*subject.shape))
    reach = max(3, round(_EDGE_REACH * diagonal))
    # Nothing farther away has a say in the measures of the edge.
    near = mask_box(subject > 0, max(3 * _RING, reach) + 2) or (slice(None), slice(None))
    _, _, facts, _ = cv2.connectedComponentsWithStats(subject[near])
    kernel = np.ones((2 * _RING + 1, 2 * _RING + 1), np.uint8)
    core = cv2.erode(subject, kernel, borderValue=1) > 0
    judgement = segmentation.judgement
    border = np.concatenate([subject[0], subject[-1], subject[:, 0], subject[:, -1]])
    gray = np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), np.uint8)
    return Features(
        networks=len({prediction.network for prediction in segmentation.predictions}),
        looks=len(segmentation.predictions),
        agreement=min(
            (
                _shared(prediction.map, segmentation, prediction.frame)
                for prediction in segmentation.predictions
            ),
            default=1.0,
        ),
        consent=_consent(segmentation),
        decided=decided(probability),
        haze=float((probability[core] < 0.9).mean()) if core.any() else 1.0,
        whole=float(facts[1:, cv2.CC_STAT_AREA].max()) / area,
        frame=float(border.mean()),
        contrast=_contrast(view[near], subject[near], kernel),
        blur=_blur(gray[near], subject[near], reach) / diagonal * 1000,
        area=area / subject.size,
        blocks=blockiness(gray if close is None else close),
        judges=int(judgement is not None),
        judged=1.0 if judgement is None else judgement.agreement,
        unity=1.0 if judgement is None else judgement.unity,
        doubt=0.0 if judgement is None else min(1.0, judgement.doubt),
        half_seen=half_seen(Cells(*subject.shape).lowered(segmentation.salient)),
    )


def _consent(segmentation: Segmentation) -> float:
    wide = [
        prediction
        for prediction in segmentation.predictions
        if prediction.frame == segmentation.predictions[0].frame
    ]
    if not wide:
        return 1.0
    lacks = [1 - _shared(prediction.map, segmentation, prediction.frame) + _FINEST for prediction in wide]
    return float(1 + _FINEST - np.exp(np.mean(np.log(lacks))))


def _shared(answer: Map, segmentation: Segmentation, frame: tuple[int, int, int, int]) -> float:
    part = inside(frame)
    return overlap(answer[part], segmentation.probability[part])


def _contrast(view: NDArray[np.uint8], subject: NDArray[np.uint8], kernel: NDArray[np.uint8]) -> float:
    """The mean distance of the colours around both sides of the edge."""
    inside = (subject - cv2.erode(subject, kernel, borderValue=1)).astype(np.float32)
    outside = (cv2.dilate(subject, kernel) - subject).astype(np.float32)
    side = (4 * _RING + 1, 4 * _RING + 1)
    share_in, share_out = cv2.blur(inside, side), cv2.blur(outside, side)
    near = (share_in > 0.01) & (share_out > 0.01) & ((inside + outside) > 0)
    if not near.any():
        return 0.0
    spot = np.flatnonzero(near)
    front_share, behind_share = (share.ravel()[spot] for share in (share_in, share_out))
    squares: NDArray[Any] = np.zeros(spot.size)
    # Channel by channel: the planes of all would be the largest that a report needs.
    for levels in cv2.split(view):
        front, behind = (
            np.asarray(cv2.blur(cv2.multiply(levels, where, dtype=cv2.CV_32F), side)).ravel()[spot]
            for where in (inside, outside)
        )
        squares += ((front / front_share - behind / behind_share) / 255) ** 2
    return float(np.sqrt(squares / view.shape[2]).mean())


def _blur(gray: NDArray[np.uint8], subject: NDArray[np.uint8], reach: int) -> float:
    """Its sigma in pixels: a step of height h that a Gaussian has blurred is h / (sigma sqrt(2 pi)) steep."""
    near = cv2.morphologyEx(subject, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    around, beside = (np.ones((2 * size + 1, 2 * size + 1), np.uint8) for size in (reach, reach // 2))
    height = np.asarray(cv2.subtract(cv2.dilate(gray, around), cv2.erode(gray, around)), np.float32)
    slope = cv2.magnitude(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)) / _SOBEL
    clear = near & (height > _STEP)
    if not clear.any():
        return 0.0
    steepest = np.maximum(np.asarray(cv2.dilate(slope, beside))[clear], 0.5)
    return median(height[clear] / steepest) / float(np.sqrt(2 * np.pi))
