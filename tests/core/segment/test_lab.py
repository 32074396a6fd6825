"""Lab without OpenCV's tables."""

from __future__ import annotations

import cv2
import numpy as np

from mattebox.core.segment.lab import rgb_to_lab


def test_lab_is_opencvs_own() -> None:
    """Every third level of each tone, in all mixtures, has the Lab that OpenCV gives it, to the last bit."""
    tones = np.arange(0, 256, 3, np.uint8)
    red, green, blue = np.meshgrid(tones, tones, tones, indexing="ij")
    picture = np.stack([red, green, blue], axis=-1).reshape(86, -1, 3)
    assert np.array_equal(rgb_to_lab(picture), np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)))


def test_lab_of_dark_and_bright_neighbours() -> None:
    """So has every mixture of the sixteen darkest and the sixteen brightest levels."""
    tones = np.concatenate([np.arange(16), np.arange(240, 256)]).astype(np.uint8)
    picture = np.stack(np.meshgrid(tones, tones, tones), axis=-1).reshape(32, -1, 3)
    assert np.array_equal(rgb_to_lab(picture), np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)))
