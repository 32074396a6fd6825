"""A reflection inside the subject is no hole, and a hole stays one."""

from __future__ import annotations

import numpy as np
import pytest

from mattebox.core.matte.solid import fill_dips, solid


def subject_with(value: float, *, at_frame: bool = False) -> np.ndarray:
    """A map of a sure subject with one softer spot of `value`, its rim half-way up."""
    level = np.full((200, 200), 0.002, np.float32)
    level[0 if at_frame else 20 : 180, 20:180] = 0.99
    top = 0 if at_frame else 90
    level[top : top + 24, 88:112] = (0.99 + value) / 2
    level[top + 4 * (not at_frame) : top + 20, 92:108] = value
    return level


@pytest.mark.parametrize("value", [0.5, 0.6, 0.7, 0.85, 0.96])
@pytest.mark.parametrize("at_frame", [False, True])
def test_a_dip_that_stays_likely_is_closed(value: float, at_frame: bool) -> None:
    """Where the network never falls below one half, the inside is solid, also at the frame."""
    matte = solid(subject_with(value, at_frame=at_frame), 1.0)
    assert (matte[20:170, 30:170] == 1.0).all()
    assert (matte[185:] == 0.0).all()


@pytest.mark.parametrize("value", [0.0, 0.2, 0.45])
def test_a_hole_stays_a_hole(value: float) -> None:
    """A spot that the network takes for background is not closed by solidity."""
    spot = subject_with(value)
    assert solid(spot, 1.0)[94:106, 94:106].max() < 0.5
    assert np.array_equal(fill_dips(spot)[92:108, 92:108], spot[92:108, 92:108])


def test_a_soft_edge_is_no_dip() -> None:
    """A slope from inside to outside has no floor of its own and stays as it is."""
    slope = np.tile(np.linspace(1, 0, 160, dtype=np.float32), (80, 1))
    assert np.array_equal(fill_dips(slope), slope)
