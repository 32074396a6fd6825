"""Strips of an enlarged map are the whole enlarged map."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mattebox.core.enlarge import STRIP_ROWS, enlarged_rows, strips


@pytest.mark.parametrize("cubic", [True, False])
@pytest.mark.parametrize("size", [(700, 90), (61, 40), (37, 53)])
def test_strips_equal_a_resize_of_the_whole(size: tuple[int, int], *, cubic: bool) -> None:
    """Every strip equals those rows of OpenCV's own resize."""
    small = np.random.default_rng(0).random((37, 29, 2)).astype(np.float32)
    way = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    whole = cv2.resize(small, (size[1], size[0]), interpolation=way)
    for rows in strips(size[0]):
        np.testing.assert_allclose(enlarged_rows(small, size, rows, cubic=cubic), whole[rows], atol=2e-5)


def test_strips_cover_all_rows_once() -> None:
    """The strips of a height are its rows in order, none longer than the limit."""
    parts = list(strips(2 * STRIP_ROWS + 7))
    rows = [row for part in parts for row in range(part.start, part.stop)]
    assert rows == list(range(2 * STRIP_ROWS + 7))
    assert max(part.stop - part.start for part in parts) == STRIP_ROWS
