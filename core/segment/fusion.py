"""Fusion: one map from several predictions of one network, and one from several networks' maps.

No prediction can overrule two that are surer of the opposite, and a network that contradicts itself counts
less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Map = NDArray[np.float32]

_Item = TypeVar("_Item")

# What a prediction's vote counts at a pixel even where it is quite undecided.
_LEAST_VOTE: Final = 0.05
# Where a map is below this it is empty rather than undecided.
_EMPTY: Final = 0.1
# Log-odds of a network's answer are taken of 0.001 to 0.999.
_STEADY: Final = 1e-3
# The more, the less a prediction counts that the others do not share; measured from 0 to 8, it only helped.
_STRICTNESS: Final = 4
# No network loses all its weight.
_LEAST_TRUST: Final = 1e-3


def fused_predictions(answers: Sequence[Map], trust: Sequence[float] | None = None) -> Map:
    """The mean of a network's predictions, (h, w) float32 each, in which the more decided one counts more.

    trust: what each counts beside that, above 0; equal where it is left out.
    """
    total = np.zeros_like(answers[0])
    votes = np.zeros_like(answers[0])
    for answer, weight in zip(answers, trust or [1.0] * len(answers), strict=True):
        vote = np.float32(weight) * ((2 * answer - 1) ** 2 + np.float32(_LEAST_VOTE))
        total += vote * answer
        votes += vote
    return np.asarray(total / votes, np.float32)


def fused_networks(answers: Sequence[Map], trust: Sequence[float]) -> Map:
    """What several networks' maps amount to: the mean of their log-odds, each with its trust of 0..1."""
    if len(answers) == 1:
        return answers[0]
    shares = np.maximum(np.asarray(trust, np.float64), _LEAST_TRUST)
    shares /= shares.sum()
    total = np.zeros_like(answers[0])
    for answer, share in zip(answers, shares.tolist(), strict=True):
        total += np.float32(share) * log_odds(answer)
    return np.asarray(1 / (1 + np.exp(-total)), np.float32)


def log_odds(answer: Map) -> Map:
    """The logarithm of what a map says for the subject over what it says against it, within +-7."""
    steady = np.clip(answer, np.float32(_STEADY), np.float32(1 - _STEADY))
    return np.asarray(np.log(steady / (1 - steady)), np.float32)


def consensus_weights(answers: Sequence[Map]) -> list[float]:
    """What each of three or more predictions of the same place counts: little where it stands alone."""
    return agreement_weights(answers, overlap, _STRICTNESS)


def agreement_weights(
    items: Sequence[_Item], shared: Callable[[_Item, _Item], float], strictness: float
) -> list[float]:
    """What each of two or more items counts, above 0: what it shares with the others, to a power.

    shared: how much two of them share, 0..1. strictness: that power.
    """
    count = len(items)
    table = np.zeros((count, count))
    for one in range(count):
        for other in range(one):
            table[one, other] = table[other, one] = shared(items[one], items[other])
    counted = np.maximum(table.sum(axis=1) / (count - 1), _LEAST_TRUST) ** strictness
    return [float(weight) for weight in counted]


def self_consistency(whole: Map, mirrored: Map) -> float:
    """How far to trust a network on this photo, 0..1, from its answers to the photo and to its mirror image.

    A network that knows the subject finds it again in the mirror, and is decided about it.
    """
    return overlap(whole, mirrored) * decided(np.asarray((whole + mirrored) / 2, np.float32))


def overlap(one: Map, other: Map) -> float:
    """How much two maps share, 0..1: the sum of minima over the sum of maxima; 1 where both are empty."""
    most = float(np.maximum(one, other).sum(dtype=np.float64))
    if most < 1.0:
        return 1.0
    return float(np.minimum(one, other).sum(dtype=np.float64)) / most


def decided(probability: Map) -> float:
    """How far from one half a map is where it is not surely empty, 0..1; 0 where it is empty all over."""
    likely = probability > _EMPTY
    return float(np.abs(2 * probability[likely] - 1).mean()) if likely.any() else 0.0
