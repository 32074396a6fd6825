"""Confidence: the share of mattes like this one whose IoU with the truth is at least 0.9."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.features import Features


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A logistic model of the measures in Features, as bench/calibrate.py fits it.

    mean and spread standardise each measure; weights and bias give the log-odds. names: the measures.
    """

    names: tuple[str, ...]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: float

    def confidence(self, features: Features) -> float:
        """The probability, 0..1, that the matte's IoU is at least 0.9."""
        # Beyond three spreads nothing was seen; a wild measure must not outweigh all others.
        standard = np.clip((features.vector() - self.mean) / self.spread, -3, 3)
        return float(1 / (1 + np.exp(-(standard @ self.weights + self.bias))))


@cache
def shipped_calibration() -> Calibration:
    """The calibration in core/calibration.json."""
    table = json.loads(files("mattebox.core").joinpath("calibration.json").read_text("utf-8"))
    rows = table["measures"]
    return Calibration(
        names=tuple(rows),
        mean=np.array([row["mean"] for row in rows.values()]),
        spread=np.array([row["spread"] for row in rows.values()]),
        weights=np.array([row["weight"] for row in rows.values()]),
        bias=float(table["bias"]),
    )


def confidence(features: Features | None) -> float:
    """Calibrated confidence, 0..1; 0 where there is no subject."""
    return 0.0 if features is None else shipped_calibration().confidence(features)
