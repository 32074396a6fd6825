"""A solid inside: full where the network is sure, untouched where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from mattebox.core.matte.solid import solid

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Discs = Callable[..., Map]


def test_sure_insides_are_full_and_sure_outsides_empty(discs: Discs) -> None:
    """A network's 0.98 inside and 0.01 outside become 1 and 0."""
    probability = 0.01 + 0.97 * discs((120, 160), (80, 60, 40))
    level = solid(probability, 1.0)
    assert level[60, 80] == 1.0
    assert level[5, 5] == 0.0


def test_a_haze_within_is_closed_away_from_edges(discs: Discs) -> None:
    """0.8 deep inside is solid; 0.3 there is a hole that stays."""
    probability = discs((120, 160), (80, 60, 50))
    probability[50:70, 60:70] = 0.8
    probability[50:70, 90:100] = 0.3
    level = solid(probability, 1.0)
    assert level[60, 65] == 1.0
    assert level[60, 95] < 0.3


@pytest.mark.parametrize("detail", [1.0, 3.2])
@pytest.mark.parametrize("seen", [0.5, 0.55, 0.6, 0.65, 0.7])
def test_what_is_half_seen_becomes_no_opaque_part(discs: Discs, seen: float, detail: float) -> None:
    """A part beside the subject that is seen at 0.5 to 0.7 stays nearly as undecided, however wide it is."""
    subject, part = discs((240, 320), (90, 120, 60)), discs((240, 320), (220, 120, 85))
    level = solid(np.maximum(subject, part * np.float32(seen)), detail)
    assert level[120, 90] == 1.0
    assert level[120, 240:300].max() <= seen + 0.06


@pytest.mark.parametrize("seen", [0.1, 0.14])
def test_what_is_faintly_seen_is_not_lost_for_sure(discs: Discs, seen: float) -> None:
    """A limb that a network sees at 0.1 is no sure background, so that refining may still find it."""
    subject, part = discs((240, 320), (90, 120, 60)), discs((240, 320), (220, 120, 85))
    level = solid(np.maximum(subject, part * np.float32(seen)), 1.0)
    assert level[120, 240:300].min() > 0.05


def test_the_edge_keeps_its_ramp(discs: Discs) -> None:
    """Near the edge values between sure in and sure out keep their order."""
    ramp = cv2.GaussianBlur(discs((120, 160), (80, 60, 40)), (0, 0), 2)
    level = solid(ramp, 1.0)
    row = level[60, 30:60]
    assert (np.diff(row) >= 0).all()
    assert ((row > 0.05) & (row < 0.95)).sum() >= 4
