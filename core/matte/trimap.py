"""The unknown band: where alpha has to be found, and what is surely in and out beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

_UNSURE: Final = 0.05
_SURE: Final = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Trimap:
    """Three masks (h, w) bool that share no pixel and cover all: surely in, surely out, unknown."""

    inside: NDArray[np.bool_]
    outside: NDArray[np.bool_]
    unknown: NDArray[np.bool_]


def trimap(level: Map, reach: float) -> Trimap:
    """The unknown band of a matte (h, w) in 0..1: all within `reach` pixels of its edge, and all unsure.

    What the matte itself is unsure of (0.05 to 0.95) is unknown however wide it is, so hair that a network
    half sees is looked at, and a crisp edge gets no more than `reach`.
    """
    subject = (level >= 0.5).astype(np.uint8)
    radius = max(1, round(reach))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    near = (cv2.dilate(subject, disc) - cv2.erode(subject, disc)) > 0
    unknown = near | ((level > _UNSURE) & (level < 1 - _UNSURE))
    return Trimap(
        inside=np.asarray((subject > 0) & ~unknown),
        outside=np.asarray((subject == 0) & ~unknown),
        unknown=np.asarray(unknown),
    )


def unknown_band(level: Map, reach: float) -> NDArray[np.bool_]:
    """Unsure pixels and the crossing of one half in a matte (h, w) in 0..1, widened by `reach` pixels."""
    radius = max(2, round(reach))
    element = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * radius + 1, 2 * radius + 1))
    edge = cv2.morphologyEx((level > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, element)
    unsure = ((level > _UNSURE) & (level < 1 - _UNSURE)).astype(np.uint8)
    return np.asarray(np.maximum(edge, cv2.dilate(unsure, element)) > 0)


def unsure_band(level: Map, reach: float) -> NDArray[np.bool_]:
    """What is not sure in a matte (h, w) in 0..1, beyond 0.1 to 0.9, and all within `reach` pixels of it."""
    radius = max(2, round(reach))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    inside, outside = ((level > _SURE).astype(np.uint8), (level < 1 - _SURE).astype(np.uint8))
    return np.asarray(cv2.max(cv2.erode(inside, disc), cv2.erode(outside, disc)) == 0)
