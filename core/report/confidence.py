"""Confidence: the share of mattes like this one whose IoU with the truth is at least 0.9."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import exp, log
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mattebox.core.report.features import Features

# Measures within this of their best are told apart no further.
_FINEST: Final = 0.01
# None of the labelled photos has an even backdrop that a subject may enclose, so that no share is measured;
# with it no confidence reaches the bound that README proposes for reviews.
_DOUBTFUL: Final = 0.59
# Those of which nothing is the best, or of which the logarithm itself tells: how large the subject is, and
# how many looks it took, for the plan takes them where the former ones and the judge disagree.
_AS_THEY_ARE: Final = ("haze", "half_seen", "doubt", "area", "looks")


@dataclass(frozen=True, slots=True)
class Curve:
    """A logistic curve of some measures, as bench/calibrate.py fits it.

    slopes: by names in Features, and bias: of the log-odds over the `log_shortfall` in each measure (Platt,
    "Probabilistic Outputs for Support Vector Machines", 1999).
    """

    slopes: Mapping[str, float]
    bias: float

    def confidence(self, features: Features) -> float:
        """The probability, 0..1, that the matte's IoU is at least 0.9."""
        odds = sum(
            slope * log_shortfall(name, getattr(features, name)) for name, slope in self.slopes.items()
        )
        return 1 / (1 + exp(-(odds + self.bias)))


def log_shortfall(name: str, value: float) -> float:
    """The logarithm of how far a measure of 0..1 is from its best: near that small differences say much.

    Of the subject's share of the photo and the number of looks it is that itself.
    """
    return log((value if name in _AS_THEY_ARE else 1 - value) + _FINEST)


@cache
def shipped_curves() -> dict[str, Curve]:
    """The calibration in calibration.json, a curve for each name that kind() gives."""
    table = json.loads(files("mattebox.core.report").joinpath("calibration.json").read_text("utf-8"))
    return {name: Curve(**row) for name, row in table.items()}


def curve_name(networks: int, looks: int, judges: int = 0) -> str:
    """Which curve is for mattes of so many networks, looks and judges: what agrees differs between them."""
    if networks > 1:
        return "several_networks"
    if judges:
        return "judged"
    return "several_looks" if looks > 1 else "one_look"


def confidence(features: Features | None, *, doubtful: bool = False) -> float:
    """Calibrated confidence, 0..1; 0 where there is no subject.

    doubtful: whether the subject may enclose backdrop that was kept, which no look disagrees about.

    Looks that agree say most, those of several networks each by itself and taken together, and more than
    they the judge, where it agrees with them; a single look can only be asked how decided it is. Haze says
    that a subject is half seen, and so do, of one network, parts that lie apart. Fitted on U²-Net, on it with
    a judge, and on it with ISNet.
    """
    if features is None:
        return 0.0
    sure = shipped_curves()[curve_name(features.networks, features.looks, features.judges)].confidence(
        features
    )
    return _DOUBTFUL * sure if doubtful else sure
