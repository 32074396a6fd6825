"""A prediction: what one network says of one augmentation of a view, a part of it or its mirror image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.network.segmenter import Segmenter

    Map = NDArray[np.float32]

Frame = tuple[int, int, int, int]

# Above this share of the frame a box shows nothing new.
_BOX_LIMIT: Final = 0.95
# Parts of the likely subject below this share of the largest do not stretch its box.
_PART: Final = 0.1
# Over this share of a box's shorter side its say rises, so that its border draws no line.
_RISE: Final = 0.08


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One prediction of one network: `map` (h, w) float32 in 0..1 of the view's size; 0 outside `frame`.

    augmentation: whole, mirrored or box; of an ensemble box, wide box, and each of them mirrored.
    frame: left, top, right, bottom of what it looked at. used: whether the fusion let it in.
    """

    network: str
    augmentation: str
    map: Map
    frame: Frame
    used: bool = True

    @property
    def name(self) -> str:
        """What the report calls this prediction, among its `looks`."""
        return f"{self.network} {self.augmentation}"


def inside(frame: Frame) -> tuple[slice, slice]:
    """The rows and columns of a frame."""
    return slice(frame[1], frame[3]), slice(frame[0], frame[2])


def border_rise(frame: Frame, whole: Frame) -> Map:
    """How much a look into a frame (h, w of the frame) has to say at each pixel, 0..1.

    Less towards those of its borders that lie within `whole`, where the map goes on without it.
    """
    width, height = frame[2] - frame[0], frame[3] - frame[1]
    reach = max(1.0, _RISE * min(width, height))
    lines = []
    for first, last, start, end in (
        (frame[1], frame[3], whole[1], whole[3]), (frame[0], frame[2], whole[0], whole[2]),
    ):  # fmt: skip
        steps = (np.arange(last - first) + 0.5) / reach
        rising = steps if first > start else np.inf
        falling = steps[::-1] if last < end else np.inf
        lines.append(np.clip(np.minimum(rising, falling), 0, 1) * np.ones(last - first))
    return np.asarray(lines[0][:, None] * lines[1], np.float32)


def predict(view: NDArray[np.uint8], segmenter: Segmenter, frame: Frame, *, mirrored: bool = False) -> Map:
    """What a network says of a frame of the view (h, w, 3) uint8: (h, w) float32 in 0..1, 0 outside of it.

    Raises InferenceError.
    """
    part = np.ascontiguousarray(view[inside(frame)])
    if mirrored:
        found = segmenter.probability(np.ascontiguousarray(part[:, ::-1]))[:, ::-1]
    else:
        found = segmenter.probability(part)
    if found.shape == view.shape[:2]:
        return np.ascontiguousarray(found)
    whole = np.zeros(view.shape[:2], np.float32)
    whole[inside(frame)] = found
    return whole


def subject_frame(probability: Map, frame: Frame, share: float) -> Frame | None:
    """The likely subject's box with a margin of `share` of its longer side, inside `frame`.

    None where nothing is likely, and where the box would show nothing new.
    """
    likely = (probability > 0.5).astype(np.uint8)
    count, _, facts, _ = cv2.connectedComponentsWithStats(likely)
    if count < 2:
        return None
    areas = facts[1:, cv2.CC_STAT_AREA]
    parts = facts[1:][areas >= _PART * areas.max()]
    left, top = int(parts[:, cv2.CC_STAT_LEFT].min()), int(parts[:, cv2.CC_STAT_TOP].min())
    right = int((parts[:, cv2.CC_STAT_LEFT] + parts[:, cv2.CC_STAT_WIDTH]).max())
    bottom = int((parts[:, cv2.CC_STAT_TOP] + parts[:, cv2.CC_STAT_HEIGHT]).max())
    margin = round(share * max(right - left, bottom - top))
    box = (
        max(frame[0], left - margin),
        max(frame[1], top - margin),
        min(frame[2], right + margin),
        min(frame[3], bottom + margin),
    )
    room = (frame[2] - frame[0]) * (frame[3] - frame[1])
    if (box[2] - box[0]) * (box[3] - box[1]) > _BOX_LIMIT * room:
        return None
    return box
