"""Choosing the subject: all, the largest, the central one, by box, by points, so many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mattebox.core.segment.subject import choose_subject, fill_holes
from mattebox.core.settings import CutSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Discs = Callable[..., Map]


BIG, MIDDLE, SMALL = (30, 60, 20), (80, 60, 12), (130, 60, 10)


@pytest.fixture
def three(discs: Discs) -> Map:
    """A big disc at the left, a middling one in the centre, a small one at the right."""
    return discs((120, 160), BIG, MIDDLE, SMALL)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [1, 1, 1]),
        ({"subject": "largest"}, [1, 0, 0]),
        ({"subject": "centre"}, [0, 1, 0]),
        ({"subject": [200, 80, 300, 160]}, [0, 0, 1]),
        ({"subject": [[62, 118]]}, [1, 0, 0]),
        ({"subject": [[62, 118], [262, 122]]}, [1, 0, 1]),
        ({"subject": [[128, 120]]}, [0, 1, 0]),
        ({"subject": [[160, 10]]}, [0, 0, 0]),
        ({"keep": 2}, [1, 1, 0]),
        ({"keep": 9}, [1, 1, 1]),
        ({"specks": 0.3}, [1, 1, 0]),
    ],
)
def test_choice(three: Map, settings: dict[str, Any], expected: list[int]) -> None:
    """Each way of choosing keeps exactly the subjects that it names; points and boxes count photo pixels."""
    chosen, count = choose_subject(three, CutSettings(**settings), scale=0.5)
    assert [int(chosen[y, x]) for x, y, _ in (BIG, MIDDLE, SMALL)] == expected
    assert count == sum(expected)


def test_soft_pixels_go_with_the_nearest_part(three: Map) -> None:
    """The soft rim of a part that is removed goes with it, that of a kept part stays."""
    soft = np.maximum(three, np.float32(0.2))
    chosen, _ = choose_subject(soft, CutSettings(subject="largest"))
    assert chosen[60, 55] == pytest.approx(0.2)
    assert not chosen[60, 110:].any()


def test_nothing_likely_is_an_empty_map() -> None:
    """Where nothing reaches one half there is no subject and not a ghost of one."""
    chosen, count = choose_subject(np.full((40, 50), 0.45, np.float32), CutSettings())
    assert count == 0
    assert not chosen.any()


def test_specks_go_and_stay_at_will(discs: Discs) -> None:
    """A part below the share of specks is removed; with 0 it stays."""
    probability = discs((120, 160), (60, 60, 30), (150, 10, 2))
    assert choose_subject(probability, CutSettings())[0][10, 150] == 0
    assert choose_subject(probability, CutSettings(specks=0))[0][10, 150] == 1


def test_a_speck_within_a_half_seen_part_is_no_stray(discs: Discs) -> None:
    """What is likely in the midst of a faint part of the subject takes nothing of that part along."""
    subject, petal, speck = (discs((120, 160), disc) for disc in ((50, 60, 30), (95, 60, 20), (100, 60, 1)))
    probability = np.maximum(np.maximum(subject, petal * np.float32(0.4)), speck * np.float32(0.8))
    chosen, count = choose_subject(probability, CutSettings())
    assert np.array_equal(chosen, probability)
    assert count == 1


def ghosts(discs: Discs, *more: tuple[int, int, int], strength: float) -> Map:
    """A sure disc, and others that are only so likely."""
    sure, faint = discs((120, 160), (50, 60, 30)), discs((120, 160), *more)
    return np.maximum(sure, faint * np.float32(strength))


@pytest.mark.parametrize("strength", [0.08, 0.25, 0.49])
def test_a_faint_trace_apart_from_the_subject_goes(discs: Discs, strength: float) -> None:
    """What is nowhere likely and joined to nothing likely goes from a matte; the subject stays."""
    probability = ghosts(discs, (130, 60, 10), strength=strength)
    chosen, count = choose_subject(probability, CutSettings())
    assert count == 1
    assert not chosen[:, 110:].any()
    assert np.array_equal(chosen[:, :90], probability[:, :90])


def test_specks_of_nothing_leave_ghosts_too(discs: Discs) -> None:
    """Who keeps every speck keeps every trace."""
    probability = ghosts(discs, (130, 60, 10), strength=0.3)
    assert np.array_equal(choose_subject(probability, CutSettings(specks=0))[0], probability)


def test_a_faint_part_that_touches_the_subject_stays(discs: Discs) -> None:
    """A veil, a blurred limb: what is joined to the subject is its own, however faint."""
    probability = ghosts(discs, (90, 60, 12), strength=0.2)
    assert np.array_equal(choose_subject(probability, CutSettings())[0], probability)


def test_a_large_faint_part_stays(discs: Discs) -> None:
    """Where a good part of a subject may be half seen nothing is dropped: that is for the report to say."""
    probability = ghosts(discs, (120, 60, 20), strength=0.3)
    assert np.array_equal(choose_subject(probability, CutSettings())[0], probability)


def test_small_holes_close_and_large_ones_stay(discs: Discs) -> None:
    """A hole below the share is filled, a larger one is not, nor is what touches the frame."""
    probability = discs((120, 160), (80, 60, 50))
    probability[40:42, 80:82] = 0
    probability[60:75, 80:95] = 0
    filled = fill_holes(probability, 0.002)
    assert filled[41, 81] == 1
    assert filled[66, 88] == 0
    assert filled[0, 0] == 0


def test_a_bay_of_the_frame_is_no_hole() -> None:
    """Background that the subject and the frame enclose together stays background."""
    probability = np.ones((60, 60), np.float32)
    probability[0:2, 10:12] = 0
    assert fill_holes(probability, 0.1)[0, 10] == 0


@given(
    part=st.floats(0.52, 1.0),
    floor=st.floats(0.0, 0.49),
    side=st.integers(1, 5),
    place=st.tuples(st.integers(14, 60), st.integers(14, 80)),
)
def test_a_hole_becomes_as_likely_as_what_surrounds_it(
    part: float, floor: float, side: int, place: tuple[int, int]
) -> None:
    """However half-seen a part is, a hole in it is raised to that part (to .05) and never above it."""
    probability = np.zeros((80, 100), np.float32)
    probability[8:72, 8:92] = part
    top, left = place
    probability[top : top + side, left : left + side] = floor
    filled = fill_holes(probability, 0.02)
    hole = filled[top : top + side, left : left + side]
    assert hole.min() >= 0.5
    assert hole.min() >= np.float32(part) - 0.0501
    assert filled.max() <= np.float32(part)
    assert np.array_equal(np.delete(filled, range(8, 72), 0), np.delete(probability, range(8, 72), 0))


def test_a_hole_beside_a_larger_one_does_not_close_it(discs: Discs) -> None:
    """A small hole whose rim runs out into a large one is raised no higher than that rim."""
    probability = discs((120, 160), (80, 60, 50))
    probability[50:70, 60:80] = 0
    probability[50:70, 80] = 0.6
    probability[58:61, 81:84] = 0.1
    filled = fill_holes(probability, 0.01)
    assert 0.55 <= filled[59, 82] <= 0.6
    assert not filled[50:70, 60:80].any()


@given(seed=st.integers(0, 10_000), keep=st.integers(1, 4))
def test_never_more_than_asked_nor_more_than_there_was(seed: int, keep: int) -> None:
    """Choosing removes and never adds to what it keeps, and `keep` is a limit."""
    probability = np.random.default_rng(seed).random((24, 30)).astype(np.float32)
    chosen, count = choose_subject(probability, CutSettings(keep=keep, holes=0, specks=0))
    assert count <= keep
    assert (chosen <= probability + 1e-6).all()


@pytest.mark.parametrize("subject", ["left", [], [5, 5, 1, 9], [1, 2, 3], [[1]], [-1, 0, 5, 5]])
def test_what_is_no_subject_is_refused(subject: Any) -> None:
    """A word, box or point that means nothing is an error of the settings."""
    with pytest.raises(ValidationError):
        CutSettings(subject=subject)
