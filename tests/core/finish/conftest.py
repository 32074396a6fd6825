"""Cutouts of drawn subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from mattebox.core.cutout import Cutout
from mattebox.core.photo import Photo
from mattebox.core.report.cut_report import CutReport

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def cutout() -> Callable[..., Cutout]:
    """A cutout of an ellipse in a photo of noise: size, centre and half axes in pixels."""

    def made(
        size: tuple[int, int] = (300, 200),
        centre: tuple[float, float] = (120, 90),
        axes: tuple[float, float] = (50, 30),
        kind: type = np.uint8,
        mode: str = "rgb",
        seed: int = 0,
    ) -> Cutout:
        width, height = size
        top = np.iinfo(kind).max
        down, across = np.mgrid[0:height, 0:width]
        away = np.hypot((across + 0.5 - centre[0]) / axes[0], (down + 0.5 - centre[1]) / axes[1])
        alpha = (np.clip((1 - away) * min(axes) + 0.5, 0, 1) * top).astype(kind)
        channels = {"gray": 1, "rgb": 3, "cmyk": 4}[mode]
        noise = np.random.default_rng(seed).integers(0, top + 1, (height, width, channels)).astype(np.float32)
        pixels = cv2.GaussianBlur(noise, (0, 0), 2).reshape(height, width, channels).astype(kind)
        return Cutout(Photo(pixels, mode), alpha, None, CutReport("none", 1.0))

    return made
