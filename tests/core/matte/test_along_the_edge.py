"""Alpha at full size is computed along the edge alone, and is what the whole picture's way gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from mattebox.core.matte import refine as module
from mattebox.core.matte.colour_projection import project
from mattebox.core.matte.enlarge import enlarged
from mattebox.core.photo import Photo

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Map = NDArray[np.float32]

SIZE = (900, 1300)
SMALL = (180, 260)


@pytest.fixture
def scene(discs: Callable[..., Map]) -> tuple[Photo, Map, module.ColourModel]:
    """A disc before a backdrop, its soft small map, and what colour says along its edge."""
    truth = discs(SIZE, (450, 600, 300))
    grain = np.random.default_rng(2).normal(0, 4, (*SIZE, 3))
    colours = truth[..., None] * [200, 90, 40] + (1 - truth[..., None]) * [40, 80, 140]
    photo = Photo(np.clip(colours + grain, 0, 255).astype(np.uint8), "rgb")
    level = cv2.resize(truth, SMALL[::-1], interpolation=cv2.INTER_AREA)
    level = np.asarray(cv2.GaussianBlur(level, (0, 0), 2), np.float32)
    small = cv2.resize(photo.pixels, SMALL[::-1], interpolation=cv2.INTER_AREA)
    colour = module._colour_model(np.asarray(small, np.uint8), level, module._EVIDENCE["hair"], 1.0)
    assert colour is not None
    return photo, level, colour


def test_it_is_the_whole_pictures_own(scene: tuple[Photo, Map, module.ColourModel]) -> None:
    """Everything enlarged at once and mixed everywhere gives the same levels, but for one at few pixels."""
    photo, level, colour = scene
    everywhere = slice(0, SIZE[0]), slice(0, SIZE[1])
    large = np.clip(enlarged(level, SIZE, *everywhere, cubic=True), 0, 1)
    said = project(photo.pixels, enlarged(colour.model, SIZE, *everywhere))
    whole = large + enlarged(colour.weight, SIZE, *everywhere) * (said - large)
    found = module._full_size(photo, level, colour, 1.0)
    apart = np.abs(found.astype(int) - module.levels(whole, np.dtype(np.uint8)).astype(int))
    assert apart.max() <= 2
    assert (apart > 1).mean() < 1e-3


def test_colour_is_asked_near_the_edge_alone(
    scene: tuple[Photo, Map, module.ColourModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the photo's pixels only those in boxes around the edge are projected; a wider backdrop adds none."""
    photo, level, colour = scene
    asked: list[int] = []

    def counted(pixels: NDArray[np.uint8], model: Map) -> Map:
        asked.append(pixels.shape[0] * pixels.shape[1])
        return project(pixels, model)

    monkeypatch.setattr(module, "project", counted)
    module._full_size(photo, level, colour, 1.0)
    near, before = sum(asked), np.count_nonzero(colour.weight)
    assert before * 25 <= near < 0.5 * photo.pixels[..., 0].size
    # A backdrop twice as wide and high around the same subject costs nothing.
    asked.clear()
    wide = np.pad(photo.pixels, ((0, SIZE[0]), (0, SIZE[1]), (0, 0)), mode="edge")
    around = ((0, SMALL[0]), (0, SMALL[1]))
    other = module.ColourModel(np.pad(colour.model, (*around, (0, 0))), np.pad(colour.weight, around))
    module._full_size(Photo(wide, "rgb"), np.pad(level, around), other, 1.0)
    assert sum(asked) < 1.05 * near
