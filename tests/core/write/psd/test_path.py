"""The clipping path: near the matte's half-way line, with holes, in the resources that print tools read."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from psd_tools import PSDImage
from psd_tools.constants import Resource
from psd_tools.psd.vector import Path as PsdPath

from mattebox.core.settings import PsdNames, PsdOutput
from mattebox.core.write.psd import write
from mattebox.core.write.psd.path import trace
from mattebox.core.write.psd.planes import covered_box

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.core.composition import Composition

SCALE = 8


def disc(size: int, middle: tuple[float, float], radius: float, softness: float = 2.0) -> Any:
    """A matte whose half-way line is a circle about x, y in pixels from the canvas's corner."""
    rows, columns = np.mgrid[0:size, 0:size] + 0.5
    away = np.hypot(columns - middle[0], rows - middle[1])
    return (np.clip((radius - away) / softness + 0.5, 0, 1) * 255).round().astype(np.uint8)


def filled(curves: Any, size: int) -> Any:
    """The curves' inside, drawn at eight times the size and by the operations that a reader applies."""
    out = np.zeros((size * SCALE, size * SCALE), np.uint8)
    for curve in curves:
        points = []
        for here, there in zip(curve.knots, np.roll(curve.knots, -1, axis=0), strict=True):
            t = np.linspace(0, 1, 16, endpoint=False)[:, None]
            control = (here[1], here[2], there[0], there[1])
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            points.append(sum(w * c for w, c in zip(weights, control, strict=True)))
        shape = np.zeros_like(out)
        cv2.fillPoly(shape, [np.round(np.concatenate(points) * SCALE).astype(np.int32)], 1)
        out = out ^ shape if curve.hole else out | shape
    return out


def test_a_circle_stays_a_circle_with_few_knots() -> None:
    """Every anchor lies within half a pixel of the half-way line, the area within one percent."""
    matte = disc(400, (190.3, 205.7), 140.0)
    [curve] = trace(matte, covered_box(matte))
    away = np.hypot(curve.knots[:, 1, 0] - 190.3, curve.knots[:, 1, 1] - 205.7)
    assert np.abs(away - 140.0).max() < 0.5
    assert 8 <= len(curve.knots) <= 64
    assert curve.smooth.all()
    assert filled([curve], 400).sum() / SCALE**2 == pytest.approx(np.pi * 140**2, rel=0.01)


def test_a_hole_is_cut_out_and_an_island_in_it_stands() -> None:
    """The curves, drawn in their order, cover what is at least half opaque."""
    matte = np.maximum(disc(300, (150, 150), 120) - disc(300, (150, 150), 80), disc(300, (160, 150), 30))
    curves = trace(matte, covered_box(matte))
    assert [curve.hole for curve in curves] == [False, True, False]
    drawn = filled(curves, 300).reshape(300, SCALE, 300, SCALE).mean(axis=(1, 3)) > 0.5
    assert np.mean(drawn != (matte > 127)) < 0.003


def test_corners_of_a_box_stay_corners() -> None:
    """A hard rectangle that the canvas cuts off has its four corners within half a pixel."""
    matte = np.zeros((90, 120), np.uint16)
    matte[20:70, 50:] = 65535
    [curve] = trace(matte, covered_box(matte))
    corners = curve.knots[:, 1]
    corners = corners[np.lexsort(corners.T)]
    assert not curve.smooth.any()
    np.testing.assert_allclose(corners, [(50, 20), (120, 20), (50, 70), (120, 70)], atol=0.51)


def test_specks_and_an_empty_matte_give_no_path(
    composition_of: Callable[..., Composition], tmp_path: Path
) -> None:
    """A few stray pixels are not worth a curve; without a curve the file has no path."""
    matte = np.zeros((50, 50), np.uint8)
    matte[10:13, 10:13] = 255
    assert trace(matte, covered_box(matte)) == []
    made = composition_of()
    made.alpha[:] = 0
    write(made, PsdOutput(clipping_path=True), tmp_path / "x.psd")
    resources = PSDImage.open(tmp_path / "x.psd").image_resources
    assert not {2000, Resource.CLIPPING_PATH_NAME.value} & set(resources)


def test_the_path_is_named_as_clipping_path(
    composition_of: Callable[..., Composition], tmp_path: Path
) -> None:
    """Resource 2000 holds the records that the specification asks for, and 2999 its name."""
    made = composition_of(size=(300, 200))
    write(made, PsdOutput(clipping_path=True, names=PsdNames(path="Freisteller")), tmp_path / "x.psd")
    resources = PSDImage.open(tmp_path / "x.psd").image_resources
    assert resources.get_data(Resource.CLIPPING_PATH_NAME) == "Freisteller"
    assert resources[2000].name == "Freisteller"
    data = resources[2000].data
    assert len(data) % 26 == 0
    assert struct.unpack(">H", data[:2]) == (6,)
    [rule, start, *curves] = PsdPath.frombytes(data)
    assert (type(rule).__name__, start.value) == ("PathFillRule", 0)
    expected = trace(made.alpha, covered_box(made.alpha))
    assert [len(curve) for curve in curves] == [len(curve.knots) for curve in expected]
    anchors = np.array([knot.anchor for knot in curves[0]])[:, ::-1] * (300, 200)
    np.testing.assert_allclose(anchors, expected[0].knots[:, 1], atol=1e-4)
