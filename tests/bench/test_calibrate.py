"""The bench that fits confidence: its regression, its figures and what it leaves out together."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def calibrate(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The bench as a module, as if started from its folder."""
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("calibrate")


def _drawn(slopes: list[float], bias: float, count: int = 4000) -> tuple[Any, Any, Any]:
    """Measures of unequal spread, the true probability of each to be good, and outcomes drawn from it."""
    random = np.random.default_rng(5)
    values = random.normal(0, 1, (count, len(slopes))) * [0.3, 4.0] + [2.0, -7.0]
    share = 1 / (1 + np.exp(-(values @ np.array(slopes) + bias)))
    return values, share, random.random(count) < share


def test_a_fitted_curve_gives_the_share_that_is_good(calibrate: Any) -> None:
    """However strong the ridge, guesses on other rows are calibrated, and in nearly the best order."""
    values, share, good = _drawn([-4.0, -0.3], 6.2)
    slopes, bias = calibrate.fit_logistic(values[::2], good[::2])
    guess = 1 / (1 + np.exp(-(values[1::2] @ slopes + bias)))
    assert calibrate.calibration_error(guess, good[1::2]) < 0.03
    assert calibrate.auroc(guess, good[1::2]) > calibrate.auroc(share[1::2], good[1::2]) - 0.01


def test_a_measure_that_says_nothing_of_any_row_changes_nothing(calibrate: Any) -> None:
    """A constant measure has no slope, and the rest is fitted as without it."""
    values, _, good = _drawn([-4.0, -0.3], 6.2)
    alone, _ = calibrate.fit_logistic(values, good)
    beside, _ = calibrate.fit_logistic(np.column_stack([values, np.full(len(values), 3.0)]), good)
    assert beside[2] == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_allclose(beside[:2], alone, rtol=1e-3)


def test_auroc_counts_pairs_in_order(calibrate: Any) -> None:
    """Every good above every bad is 1, the reverse 0, all alike one half."""
    good = np.array([True, True, False])
    assert calibrate.auroc(np.array([0.9, 0.8, 0.1]), good) == 1.0
    assert calibrate.auroc(np.array([0.1, 0.2, 0.8]), good) == 0.0
    assert calibrate.auroc(np.array([0.5, 0.5, 0.5]), good) == 0.5


def test_copies_and_frames_are_left_out_with_their_photo(calibrate: Any) -> None:
    """All copies of a photo, and all frames of a film, are in one part."""
    names = ["ecssd/1", "ecssd/1 dark", "ecssd/1 quality 10", "davis/cow_00005", "davis/cow_00030 flat"]
    parts = calibrate._folds([{"name": name} for name in [*names, *(f"ecssd/{n}" for n in range(2, 30))]])
    assert len(set(parts[:3])) == 1
    assert parts[3] == parts[4]
    assert len(set(parts)) == 5
