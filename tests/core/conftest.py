"""Parts of mattes: networks that answer what a test says, and pictures with known subjects."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class FakeNetwork:
    """Stands where a Segmenter stands: it answers with what `answer` makes of the view."""

    def __init__(self, answer: Callable[[NDArray[np.uint8]], Any], name: str = "fake") -> None:
        self.network = SimpleNamespace(name=name, input_size=32)
        self.seen: list[NDArray[np.uint8]] = []
        self._answer = answer

    def probability(self, view: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The answer, as a network gives it."""
        self.seen.append(view)
        return np.asarray(self._answer(view), np.float32)


@pytest.fixture
def fake_network() -> type[FakeNetwork]:
    """The class of fake networks."""
    return FakeNetwork


@pytest.fixture
def discs() -> Callable[..., NDArray[np.float32]]:
    """Draws discs of (x, y, radius) on a map of a size (h, w): 1 inside, 0 outside."""

    def draw(size: tuple[int, int], *circles: tuple[int, int, int]) -> NDArray[np.float32]:
        picture = np.zeros(size, np.uint8)
        for x, y, radius in circles:
            cv2.circle(picture, (x, y), radius, 255, -1)
        return picture.astype(np.float32) / 255

    return draw
