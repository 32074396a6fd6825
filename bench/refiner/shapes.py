"""Solid shapes: the bodies that hair grows on and edges belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Matte = NDArray[np.float32]
    Points = NDArray[np.float32]

FRACTION_BITS = 4  # drawing takes sixteenths of a pixel


def noise(
    rng: np.random.Generator, side: int, start: int, falloff: float = 0.5, channels: int = 1
) -> NDArray[np.float32]:
    """Smooth random fields of many octaves, (side, side, channels) float32, roughly zero mean.

    start: cells of the coarsest octave; falloff: strength of each finer octave against the last.
    """
    field = np.zeros((side, side, channels), np.float32)
    strength, cells = 1.0, start
    while cells <= side and strength > 0.02:
        grid = rng.standard_normal((cells, cells, channels)).astype(np.float32)
        finer = cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC)
        field += strength * finer.reshape(side, side, channels)
        strength *= falloff
        cells *= 2
    return field


def fixed_point(points: NDArray[np.float64] | Points) -> NDArray[np.int32]:
    """Coordinates as OpenCV's drawing functions take them, in sixteenths of a pixel."""
    return np.round(points * (1 << FRACTION_BITS)).astype(np.int32)


def fill(side: int, outline: NDArray[np.float64]) -> Matte:
    """A filled outline, (side, side) float32, 0 or 1."""
    canvas = np.zeros((side, side), np.uint8)
    cv2.fillPoly(canvas, [fixed_point(outline)], 1, cv2.LINE_8, FRACTION_BITS)
    return canvas.astype(np.float32)


def around(centre: NDArray[np.float64], angle: NDArray[np.float64], radius: NDArray[np.float64]) -> Points:
    """Points at polar coordinates around a centre, (n, 2) as x, y."""
    return (centre + np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)).astype(np.float32)


def _cloud(rng: np.random.Generator, side: int) -> Matte:
    field = noise(rng, side, int(rng.integers(2, 5)), 0.35)[..., 0]
    return (field > np.quantile(field, rng.uniform(0.35, 0.75))).astype(np.float32)


def _polygon(rng: np.random.Generator, side: int) -> Matte:
    corners = int(rng.integers(3, 11))
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = rng.uniform(0.15, 0.55, corners) * side
    return fill(side, around(rng.uniform(0.3, 0.7, 2) * side, angle, radius))


def _ellipses(rng: np.random.Generator, side: int) -> Matte:
    canvas = np.zeros((side, side), np.uint8)
    for _ in range(int(rng.integers(1, 5))):
        centre = tuple(int(v) for v in rng.uniform(0.2, 0.8, 2) * side)
        axes = tuple(int(v) for v in rng.uniform(0.06, 0.35, 2) * side)
        cv2.ellipse(canvas, centre, axes, rng.uniform(0, 180), 0, 360, 1, -1)
    return canvas.astype(np.float32)


def _harmonic(rng: np.random.Generator, side: int) -> Matte:
    angle = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    radius = np.ones_like(angle)
    for order in range(1, 12):
        radius += rng.normal(0, 0.22 / order) * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    radius = np.clip(radius, 0.1, 2.5) * side * rng.uniform(0.18, 0.36)
    return fill(side, around(rng.uniform(0.35, 0.65, 2) * side, angle, radius))


def _bust(rng: np.random.Generator, side: int) -> Matte:
    """Head, neck and shoulders: where most hair is seen."""
    canvas = np.zeros((side, side), np.uint8)
    x, y = rng.uniform(0.35, 0.65) * side, rng.uniform(0.25, 0.45) * side
    head = rng.uniform(0.1, 0.22) * side
    neck = head * rng.uniform(0.4, 0.7)
    bottom = int(y + 2 * head)
    cv2.ellipse(canvas, (int(x), int(y)), (int(head * 0.78), int(head)), rng.normal(0, 12), 0, 360, 1, -1)
    cv2.rectangle(canvas, (int(x - neck), int(y)), (int(x + neck), bottom), 1, -1)
    shoulders = (int(head * rng.uniform(1.6, 2.8)), int(head * rng.uniform(0.6, 1.4)))
    cv2.ellipse(canvas, (int(x), bottom), shoulders, 0, 180, 360, 1, -1)
    cv2.rectangle(canvas, (int(x) - shoulders[0], bottom), (int(x) + shoulders[0], side), 1, -1)
    return canvas.astype(np.float32)


_SHAPES: tuple[Callable[[np.random.Generator, int], Matte], ...] = (
    _cloud, _polygon, _ellipses, _harmonic, _harmonic, _bust,
)  # fmt: skip


def body(rng: np.random.Generator, side: int) -> Matte:
    """One solid shape, (side, side) float32, 0 or 1; seldom the hole instead of the shape."""
    shape = _SHAPES[int(rng.integers(len(_SHAPES)))](rng, side)
    return 1.0 - shape if rng.random() < 0.06 else shape


def outline(shape: Matte) -> tuple[Points, Points]:
    """The points of a shape's outline and their outward normals, both (n, 2) as x, y.

    Points at the frame are left out; a shape without an outline gives two empty arrays.
    """
    side = len(shape)
    contours, _ = cv2.findContours(shape.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)
    points = np.concatenate([contour.reshape(-1, 2) for contour in contours])
    points = points[((points > 3) & (points < side - 4)).all(axis=1)]
    smooth = cv2.GaussianBlur(shape, (0, 0), 4)
    x, y = points[:, 0], points[:, 1]
    slope = np.stack(
        [cv2.Sobel(smooth, cv2.CV_32F, 1, 0)[y, x], cv2.Sobel(smooth, cv2.CV_32F, 0, 1)[y, x]], axis=1
    )
    normals = -slope / (np.linalg.norm(slope, axis=1, keepdims=True) + 1e-6)
    return points.astype(np.float32), normals.astype(np.float32)
