"""The bench's measures of a matte: zero for the truth, and the size that a known error has."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from bench.metrics import connectivity_error, edge_band, edge_error, gradient_error, iou

SQUARE = cv2.rectangle(np.zeros((120, 160), np.float32), (40, 30), (119, 89), 1, -1).astype(np.float32)


def test_the_truth_has_no_error() -> None:
    """Every error of the truth itself is 0, its IoU 1."""
    assert iou(SQUARE, SQUARE) == 1.0
    assert (
        edge_error(SQUARE, SQUARE)
        == gradient_error(SQUARE, SQUARE)
        == connectivity_error(SQUARE, SQUARE)
        == 0
    )


def test_half_a_square_has_half_the_iou() -> None:
    """Half of the subject gives an IoU of one half."""
    half = SQUARE.copy()
    half[60:] = 0
    assert iou(half, SQUARE) == pytest.approx(0.5)


def test_the_edge_band_is_as_wide_as_it_says() -> None:
    """A hard edge's band reaches 0.9 percent of the diagonal, at least a pixel, to both sides."""
    row = edge_band(SQUARE)[60]
    assert row[40 - 1 : 40 + 1].all()
    assert not row[:38].any()
    assert not row[60:100].any()


def test_errors_far_from_the_edge_do_not_count_as_edge_errors() -> None:
    """A hole in the middle changes the IoU and not the edge error."""
    holed = SQUARE.copy()
    holed[55:65, 75:85] = 0
    assert edge_error(holed, SQUARE) == 0
    assert iou(holed, SQUARE) < 1


def test_a_detached_part_is_a_connectivity_error() -> None:
    """What hangs apart from the common part counts, what hangs on it does not count as much."""
    apart, joined = SQUARE.copy(), SQUARE.copy()
    apart[5:15, 5:15] = 1
    joined[90:100, 40:50] = 1
    assert connectivity_error(apart, SQUARE) > 0
    assert connectivity_error(apart, SQUARE) >= connectivity_error(joined, SQUARE)
