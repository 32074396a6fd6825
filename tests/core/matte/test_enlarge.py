"""Tiles of an enlarged map are the whole enlarged map."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mattebox.core.matte.enlarge import TILE, enlarged, enlarged_smooth, reached, source_window, tiles


@pytest.mark.parametrize("cubic", [True, False])
@pytest.mark.parametrize("size", [(700, 90), (61, 1100), (37, 53)])
def test_tiles_equal_a_resize_of_the_whole(size: tuple[int, int], *, cubic: bool) -> None:
    """Every tile equals that part of OpenCV's own resize."""
    small = np.random.default_rng(0).random((37, 29, 2)).astype(np.float32)
    way = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    whole = cv2.resize(small, (size[1], size[0]), interpolation=way)
    for tile in tiles(*size):
        np.testing.assert_allclose(enlarged(small, size, *tile, cubic=cubic), whole[tile], atol=2e-5)


def test_tiles_cover_every_pixel_once() -> None:
    """The tiles of a picture are its pixels, none wider or higher than the limit."""
    seen = np.zeros((2 * TILE + 7, TILE + 1), np.uint8)
    for tile in tiles(*seen.shape):
        seen[tile] += 1
        assert max(seen[tile].shape) <= TILE
    assert (seen == 1).all()


def test_nothing_outside_the_part_beneath_reaches_a_tile() -> None:
    """What `source_window` names is all that a tile depends on."""
    random = np.random.default_rng(1)
    small = random.random((60, 50)).astype(np.float32)
    size = (1300, 1100)
    for tile in tiles(*size):
        other = random.random(small.shape).astype(np.float32)
        window = source_window(small.shape, size, *tile)
        other[window] = small[window]
        np.testing.assert_array_equal(
            enlarged(other, size, *tile, cubic=True), enlarged(small, size, *tile, cubic=True)
        )


@pytest.mark.parametrize("planes", [None, 1, 3, 4, 5, 8])
def test_a_smooth_map_is_enlarged_alike_in_any_number_of_planes(planes: int | None) -> None:
    """Each plane of a smooth map is what the exact way makes of it, to a 64th of a pixel."""
    rows, columns = np.mgrid[0:40, 0:50].astype(np.float32) / 50
    waves = [np.sin(rows * (1 + plane) + columns * 2) for plane in range(planes or 1)]
    small = waves[0] if planes is None else np.dstack(waves)
    size = (530, 610)
    for tile in tiles(*size):
        exact = enlarged(small, size, *tile)
        quick = enlarged_smooth(small, size, *tile)
        np.testing.assert_allclose(quick.reshape(exact.shape), exact, atol=0.004)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1.0, 9.0), st.floats(1.0, 9.0))
def test_nothing_is_left_out_of_what_is_reached(seed: int, down: float, across: float) -> None:
    """Outside the boxes that `reached` names the enlarged map is 0, exact or smooth; and they are small."""
    random = np.random.default_rng(seed)
    small = np.zeros((60, 70), np.float32)
    top, left = random.integers(0, 50, 2)
    small[top : top + 4, left : left + 5] = 1
    size = (round(60 * down), round(70 * across))
    asked = 0
    for tile in tiles(*size):
        box = reached(small, size, *tile)
        for large in (enlarged(small, size, *tile), enlarged_smooth(small, size, *tile)):
            if box is not None:
                rows, columns = (
                    slice(side.start - whole.start, side.stop - whole.start)
                    for side, whole in zip(box, tile, strict=True)
                )
                large[rows, columns] = 0
            assert not large.any()
        asked += 0 if box is None else (box[0].stop - box[0].start) * (box[1].stop - box[1].start)
    # Two pixels of the map more on each side, and the rims of tiles.
    assert asked <= 16 * 17 * down * across + 4 * TILE
