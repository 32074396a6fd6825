"""Edge choices: an edge moves by the pixels that were said, and what was not meant stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattebox.core.matte.edges import EdgeChoices, with_edges

RAMP = np.tile(np.clip((np.arange(64) - 28) / 8, 0, 1), (64, 1))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("shift", [-3.0, 2.0, 2.5])
def test_every_level_of_an_edge_moves_alike(kind: type, shift: float) -> None:
    """A ramp stays a ramp of the same width, so many pixels farther."""
    alpha = np.rint(RAMP * np.iinfo(kind).max).astype(kind)
    moved = with_edges(alpha, EdgeChoices(shift=shift))
    wanted = np.clip((np.arange(64) - 28 + shift) / 8, 0, 1)[8:56]
    assert moved.dtype == kind
    assert np.abs(moved[32, 8:56] / np.iinfo(kind).max - wanted).max() < 0.04


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_nothing_chosen_is_nothing_changed(seed: int, hair: bool) -> None:
    """Usual choices give the same levels, with or without "keep hair"."""
    alpha = np.random.default_rng(seed).integers(0, 256, (9, 11)).astype(np.uint8)
    assert np.array_equal(with_edges(alpha, EdgeChoices(keep_hair=hair)), alpha)


def test_softness_widens_and_sharper_narrows() -> None:
    """The count of pixels between clear and opaque grows with softness and shrinks with sharper."""
    alpha = np.rint(RAMP * 255).astype(np.uint8)

    def soft(choices: EdgeChoices) -> int:
        return int(((with_edges(alpha, choices) > 5) & (with_edges(alpha, choices) < 250)).sum())

    assert soft(EdgeChoices(softness=8.0)) > soft(EdgeChoices()) > soft(EdgeChoices(sharper=1.0))


def test_hair_is_kept_where_a_plain_edge_moves() -> None:
    """A wide soft part keeps its levels, and a hard edge far from it moves as if there were no hair."""
    alpha = np.zeros((120, 120), np.uint8)
    alpha[20:100, 20:60] = 255
    alpha[20:100, 60:100] = 120
    moved = with_edges(alpha, EdgeChoices(shift=-3.0, keep_hair=True))
    assert (moved[40:80, 70:90] == 120).all()
    assert (moved[40:80, 20:23] == 0).all()
    assert (moved[40:80, 30] == 255).all()
