"""Fusion: who counts how much where looks or networks disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattebox.core.segment.fusion import (
    consensus_weights,
    decided,
    fused_networks,
    fused_predictions,
    overlap,
    self_consistency,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Discs = Callable[..., Map]

_LEVEL = st.floats(0, 1, width=32)


def _flat(level: float) -> Map:
    return np.full((4, 5), level, np.float32)


@given(st.lists(_LEVEL, min_size=1, max_size=4))
def test_looks_are_fused_to_something_between_them(levels: list[float]) -> None:
    """The fused map lies between the least and the greatest look."""
    fused = fused_predictions([_flat(level) for level in levels])
    assert min(levels) - 1e-6 <= fused[0, 0] <= max(levels) + 1e-6


@given(st.floats(0.90625, 1, width=32), _LEVEL)
def test_one_look_never_overrules_two_that_are_sure(sure: float, other: float) -> None:
    """Where two looks are sure of 0.9 or more, a third cannot move the answer below one half."""
    assert fused_predictions([_flat(sure), _flat(sure), _flat(other)])[0, 0] > 0.5
    assert fused_predictions([_flat(1 - sure), _flat(1 - sure), _flat(other)])[0, 0] < 0.5


def test_the_decided_look_counts_more() -> None:
    """One look at 0.98 outweighs one at 0.4; a plain mean would say 0.69."""
    assert fused_predictions([_flat(0.98), _flat(0.4)])[0, 0] > 0.9


def test_the_look_that_stands_alone_counts_little(discs: Discs) -> None:
    """Of three looks two of which share a disc, the third, which found another one, hardly counts."""
    one, other = discs((60, 60), (15, 30, 8)), discs((60, 60), (45, 30, 8))
    trust = consensus_weights([one, other, one])
    assert trust[0] == trust[2] > 100 * trust[1]
    fused = fused_predictions([one, other, one], trust)
    np.testing.assert_array_equal(fused >= 0.5, one >= 0.5)


def test_looks_that_agree_count_alike(discs: Discs) -> None:
    """Three equal looks have equal weights, and looks that find nothing are no error."""
    assert consensus_weights([discs((60, 60), (15, 30, 8))] * 3) == [1.0] * 3
    assert consensus_weights([discs((60, 60))] * 3) == [1.0] * 3


def test_one_network_is_left_as_it_is() -> None:
    """A single network's map passes unchanged, whatever its trust."""
    np.testing.assert_array_equal(fused_networks([_flat(0.3)], [0.0]), _flat(0.3))


def test_equally_trusted_networks_meet_in_their_log_odds() -> None:
    """Equals stay, opposites meet in the middle, the surer one pulls."""
    np.testing.assert_allclose(fused_networks([_flat(0.3), _flat(0.3)], [1, 1]), 0.3, atol=1e-5)
    np.testing.assert_allclose(fused_networks([_flat(0.9), _flat(0.1)], [1, 1]), 0.5, atol=1e-5)
    assert fused_networks([_flat(0.95), _flat(0.4)], [1, 1])[0, 0] > (0.95 + 0.4) / 2


def test_the_trusted_network_wins() -> None:
    """Of two that are equally sure of opposites the more trusted one decides; no trust at all is no error."""
    assert fused_networks([_flat(0.99), _flat(0.01)], [0.9, 0.3])[0, 0] > 0.8
    np.testing.assert_allclose(fused_networks([_flat(0.9), _flat(0.1)], [0, 0]), 0.5, atol=1e-5)


def test_trust_falls_with_contradiction_and_with_doubt(discs: Discs) -> None:
    """Full trust for the same sure disc twice; less for a pale one; none for two that share nothing."""
    one, other = discs((60, 60), (15, 30, 8)), discs((60, 60), (45, 30, 8))
    assert self_consistency(one, one) == pytest.approx(1.0)
    assert self_consistency(one * 0.6, one * 0.6) == pytest.approx(0.2, abs=0.01)
    assert self_consistency(one, other) == 0.0


def test_overlap_is_one_for_equals_and_zero_for_strangers(discs: Discs) -> None:
    """Equal maps, empty ones too, share all; disjoint ones nothing."""
    one, other = discs((60, 60), (15, 30, 8)), discs((60, 60), (45, 30, 8))
    assert overlap(one, one) == 1.0
    assert overlap(discs((60, 60)), discs((60, 60))) == 1.0
    assert overlap(one, other) == 0.0


def test_an_empty_map_has_decided_nothing() -> None:
    """Where nothing may be subject there is nothing to be decided about."""
    assert decided(_flat(0.05)) == 0.0
    assert decided(_flat(0.9)) == pytest.approx(0.8)
