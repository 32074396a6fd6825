"""CutReport: what the engine says about its own matte."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CutReport:
    """What is known about one matte without knowing the truth.

    confidence: 0..1. warnings: names. subject_box: left, top, right, bottom in pixels of the
    photo (right and bottom exclusive), or None where there is no subject. seconds: by step.
    looks: which networks looked where, as the fusion let them in. device: where they ran. notes:
    sentences such as why that is not the device that was asked for.
    """

    model: str
    confidence: float
    warnings: tuple[str, ...] = ()
    subject_box: tuple[int, int, int, int] | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    looks: tuple[str, ...] = ()
    device: str = "cpu"
    notes: tuple[str, ...] = ()


def subject_box(alpha: NDArray[np.uint8] | NDArray[np.uint16]) -> tuple[int, int, int, int] | None:
    """The smallest box (left, top, right, bottom; exclusive ends) that holds all alpha of at least half."""
    half = np.iinfo(alpha.dtype).max // 2 + 1
    solid = alpha >= half
    rows = np.flatnonzero(solid.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(solid.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
