"""Only inside the selection: the shape cuts, and decides whether to look again in its box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mattebox.core.cutout import Cutout
from mattebox.core.photo import Photo
from mattebox.core.report.cut_report import CutReport
from mattebox.gimp_plugin import selected

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLANES: Any = st.sampled_from([np.uint8, np.uint16]).flatmap(
    lambda depth: st.tuples(arrays(depth, (5, 7)), arrays(depth, (5, 7)))
)


def cutout(alpha: NDArray[Any]) -> Cutout:
    """A cutout with this matte."""
    photo = Photo(np.zeros((*alpha.shape, 3), alpha.dtype), "rgb")
    return Cutout(photo, alpha, None, CutReport("none", 0.9))


def box(left: int, top: int, right: int, bottom: int) -> NDArray[Any]:
    """255 in a rectangle of 40 x 60, 0 elsewhere."""
    plane = np.zeros((40, 60), np.uint8)
    plane[top:bottom, left:right] = 255
    return plane


@given(PLANES)
def test_the_shape_is_zero_outside_and_whole_inside(planes: tuple[NDArray[Any], NDArray[Any]]) -> None:
    """Never more than either, the matte where all is selected, nothing where nothing is."""
    matte, selection = planes
    shaped = selected.shaped(matte, selection)
    assert shaped.dtype == matte.dtype
    assert not shaped[selection == 0].any()
    full = selection == np.iinfo(selection.dtype).max
    assert np.array_equal(shaped[full], matte[full])
    assert (shaped <= np.minimum(matte, selection)).all()


def never() -> Cutout:
    """Must not be asked."""
    raise AssertionError("looked again")


@pytest.mark.parametrize(
    ("selection", "why"),
    [
        (box(12, 12, 20, 20), "inside of the subject"),
        (box(5, 5, 45, 38), "around the subject"),
        (box(0, 0, 60, 40), "everything"),
        (box(25, 8, 33, 32), "across the subject's edge, half of it within"),
    ],
)
def test_a_selection_in_or_around_the_subject_means_the_subject(selection: NDArray[Any], why: str) -> None:
    """The whole picture's answer is taken, and no second look is paid for."""
    whole = cutout(box(10, 10, 30, 30))
    assert selected.inside(selection, whole, never) is whole, why


def test_a_selection_around_something_else_means_that() -> None:
    """Also where the main subject reaches into it a little; without a find there the first answer stays."""
    whole, beside = cutout(box(10, 10, 30, 30)), cutout(box(40, 10, 55, 30))
    for selection in (box(38, 5, 58, 35), box(28, 5, 58, 35)):
        assert selected.inside(selection, whole, lambda: beside) is beside
        assert selected.inside(selection, whole, lambda: cutout(box(0, 0, 0, 0))) is whole


def test_what_is_less_than_half_there_is_nothing() -> None:
    """A haze within the selection, or a subject outside of it, is not held by it."""
    matte = box(10, 10, 30, 30)
    assert selected.holds(box(29, 29, 40, 40), matte)
    assert not selected.holds(box(30, 30, 40, 40), matte)
    assert not selected.holds(box(0, 0, 60, 40), matte // 3)
