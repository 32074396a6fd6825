"""The bench that fits confidence: its regression, its figures and what it leaves out together."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from mattebox.core.photo import Photo
from mattebox.core.segment.prediction import Prediction
from mattebox.core.segment.segmentation import Segmentation

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


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_a_row_holds_the_finished_mattes_iou(calibrate: Any, tmp_path: Path, share: float) -> None:
    """What counts is the matte that a user gets, not the map, whatever size the truth has."""
    disc = np.zeros((480, 640), np.uint8)
    cv2.circle(disc, (300, 240), 90, 255, -1)
    pixels = np.where(disc[..., None] > 0, np.uint8([200, 40, 40]), np.uint8([40, 160, 60]))
    view = np.asarray(cv2.resize(pixels, (160, 120), interpolation=cv2.INTER_AREA), np.uint8)
    # Off by two pixels of the view, and soft, as a network's answer is.
    seen = cv2.GaussianBlur(cv2.resize(np.roll(disc, 8, axis=1), (160, 120)), (0, 0), 2.5)
    probability = seen.astype(np.float32) / 255
    segmentation = Segmentation(
        probability, (Prediction("fake", "whole", probability, (0, 0, 160, 120)),), 1.0
    )
    Image.fromarray(disc).resize((int(640 * share), int(480 * share))).save(tmp_path / "truth.png")
    (row,) = calibrate.one_row("a", Photo(pixels, "rgb"), view, segmentation, tmp_path / "truth.png")
    likely, true = cv2.resize(probability, (640, 480)) >= 0.5, disc > 0
    of_the_map = (likely & true).sum() / (likely | true).sum()
    assert of_the_map + 0.01 < row["iou"] <= 1
    assert row["looks"] == 1


def test_a_photo_without_a_subject_has_no_row(calibrate: Any, tmp_path: Path) -> None:
    """Nothing that was found is nothing to be calibrated on."""
    empty = np.zeros((120, 160), np.float32)
    Image.fromarray(np.zeros((120, 160), np.uint8)).save(tmp_path / "truth.png")
    photo = Photo(np.full((120, 160, 3), 90, np.uint8), "rgb")
    segmentation = Segmentation(empty, (Prediction("fake", "whole", empty, (0, 0, 160, 120)),), 1.0)
    assert calibrate.one_row("a", photo, photo.pixels, segmentation, tmp_path / "truth.png") == []
