"""Parts of one picture, worked on side by side."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mattebox.core import parallel
from mattebox.core.matte.foreground import straight_foreground
from mattebox.core.parallel import both, limit_lanes, side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def lanes(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Set how many parts are worked on at once, for one test."""
    monkeypatch.setattr(parallel, "_LANES", None)
    return limit_lanes


@pytest.mark.parametrize("count", [1, 2, 5])
def test_order(lanes: Callable[[int], None], count: int) -> None:
    """Results come in the order of the items, however many lanes there are."""
    lanes(count)
    assert list(side_by_side(lambda number: number * number, range(40))) == [n * n for n in range(40)]


def test_two_lanes_at_once(lanes: Callable[[int], None]) -> None:
    """Two lanes work at the same time: each waits for the other to have come."""
    lanes(2)
    both = threading.Barrier(2, timeout=20)
    assert sorted(side_by_side(lambda number: both.wait() >= 0 and number, (1, 2))) == [1, 2]


def test_few_results_are_held(lanes: Callable[[int], None]) -> None:
    """Items are drawn as results are taken, so that a long row of parts is never in memory at once."""
    lanes(2)
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            drawn.append(number)
            yield number

    results = side_by_side(lambda number: number, items())
    assert next(results) == 0
    assert len(drawn) <= 6


def test_an_error_ends_the_work(lanes: Callable[[int], None]) -> None:
    """What a part raises reaches the caller as it is."""
    lanes(2)

    def work(number: int) -> int:
        if number == 3:
            raise ValueError(number)
        return number

    with pytest.raises(ValueError, match="3"):
        list(side_by_side(work, range(10)))


@pytest.mark.parametrize("count", [1, 2])
def test_both(lanes: Callable[[int], None], count: int) -> None:
    """Two pieces of work give their two results, and what either raises is raised."""
    lanes(count)
    assert both(lambda: 1, lambda: "two") == (1, "two")
    with pytest.raises(ZeroDivisionError):
        both(lambda: 1 // 0, lambda: 2)
    with pytest.raises(ZeroDivisionError):
        both(lambda: 2, lambda: 1 // 0)


def test_lanes_change_no_pixel(lanes: Callable[[int], None]) -> None:
    """Colours cleaned in one lane equal those cleaned in three, so that a worker equals the command."""
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (900, 1100, 3), np.uint8)
    alpha = np.clip(np.add.outer(np.arange(900), np.arange(1100)) - 800, 0, 255).astype(np.uint8)
    lanes(1)
    alone = straight_foreground(pixels, alpha).whole()
    lanes(3)
    assert np.array_equal(straight_foreground(pixels, alpha).whole(), alone)
