"""Hair, curls, fur and feathers that grow from the outline of a body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from bench.refiner.shapes import FRACTION_BITS, fixed_point, outline

if TYPE_CHECKING:
    from bench.refiner.shapes import Matte, Points
    from numpy.typing import NDArray

_STEPS = 24  # points along one strand
_GROUPS = 6  # strands that are drawn together share width and opacity


@dataclass(frozen=True, slots=True)
class Coat:
    """How strands look; lengths are shares of the picture's side, widths are pixels of the canvas."""

    count: int
    length: float
    width: float
    opacity: float
    spread: float  # how far strands leave the normal, in units of it
    bend: float  # radians along a strand
    curl: float  # turns along a strand
    curl_size: float
    patch: float  # size of the part of the outline that is covered


def hair_coat(rng: np.random.Generator, scale: float) -> Coat:
    """Long strands, straight or waved; `scale` is canvas pixels per pixel of the matte."""
    return Coat(
        count=int(rng.uniform(25, 220)),
        length=rng.uniform(0.05, 0.4),
        width=scale * rng.uniform(0.5, 2.0),
        opacity=rng.uniform(0.3, 1.0),
        spread=rng.uniform(0.1, 0.8),
        bend=rng.normal(0, 1.2),
        curl=0.0 if rng.random() < 0.6 else rng.uniform(0.5, 2.5),
        curl_size=rng.uniform(0.003, 0.02),
        patch=rng.uniform(0.1, 0.6),
    )


def curl_coat(rng: np.random.Generator, scale: float) -> Coat:
    """Curls: strands that wind tightly."""
    return Coat(
        count=int(rng.uniform(30, 160)),
        length=rng.uniform(0.05, 0.22),
        width=scale * rng.uniform(0.7, 2.4),
        opacity=rng.uniform(0.5, 1.0),
        spread=rng.uniform(0.2, 0.9),
        bend=rng.normal(0, 1.0),
        curl=rng.uniform(2, 7),
        curl_size=rng.uniform(0.005, 0.03),
        patch=rng.uniform(0.1, 0.6),
    )


def fur_coat(rng: np.random.Generator, scale: float) -> Coat:
    """Short dense strands."""
    return Coat(
        count=int(rng.uniform(400, 1400)),
        length=rng.uniform(0.01, 0.07),
        width=scale * rng.uniform(0.5, 2.2),
        opacity=rng.uniform(0.4, 1.0),
        spread=rng.uniform(0.1, 0.6),
        bend=rng.normal(0, 0.8),
        curl=0.0,
        curl_size=0.0,
        patch=rng.uniform(0.3, 1.5),
    )


def _paths(rng: np.random.Generator, roots: Points, normals: Points, coat: Coat, side: int) -> Points:
    """The strands' centre lines, (n, steps, 2), from a little inside the body outwards."""
    count = len(roots)
    comb = rng.normal(0, 1, 2)
    comb *= rng.uniform(0, 1.5) / (np.linalg.norm(comb) + 1e-6)
    heading = normals + comb + rng.normal(0, coat.spread, (count, 2))
    along = np.linspace(0, 1, _STEPS)
    angle = np.arctan2(heading[:, 1], heading[:, 0])[:, None]
    angle = angle + (coat.bend + rng.normal(0, 0.3, (count, 1))) * along
    length = coat.length * side * rng.uniform(0.3, 1.4, (count, 1, 1))
    steps = np.stack([np.cos(angle), np.sin(angle)], axis=2) * length / _STEPS
    paths = roots[:, None] + np.cumsum(steps, axis=1) - 3.0 * steps[:, :1]
    if coat.curl:
        phase = rng.uniform(0, 2 * np.pi, (count, 1))
        swing = (
            coat.curl_size * side * np.sin(2 * np.pi * coat.curl * along + phase) * np.minimum(1, 4 * along)
        )
        paths = paths + np.stack([-np.sin(angle), np.cos(angle)], axis=2) * swing[..., None]
    return paths.astype(np.float32)


def grow(rng: np.random.Generator, shape: Matte, coat: Coat) -> Matte:
    """The shape with strands on a part of its outline, (n, n) float32 in 0..1."""
    points, normals = outline(shape)
    if not len(points):
        return shape
    side = len(shape)
    spot = points[int(rng.integers(len(points)))]
    near = np.exp(-((points - spot) ** 2).sum(axis=1) / (2 * (coat.patch * side) ** 2)) + 1e-4
    chosen = rng.choice(len(points), coat.count, p=near / near.sum())
    paths = _paths(rng, points[chosen], normals[chosen], coat, side)
    clear = np.ones((side, side), np.float32)
    canvas = np.zeros((side, side), np.uint8)
    for group in np.array_split(paths, _GROUPS):
        canvas[:] = 0
        width = max(1, round(coat.width * rng.uniform(0.5, 1.3)))
        tip = round(255 * rng.uniform(0.4, 1.0))
        _draw(canvas, group[:, : _STEPS * 2 // 3], 255, width)
        _draw(canvas, group[:, _STEPS * 2 // 3 - 1 :], tip, max(1, width // 2))
        clear *= 1.0 - min(1.0, coat.opacity * rng.uniform(0.6, 1.3)) * canvas.astype(np.float32) / 255
    return 1.0 - (1.0 - shape) * clear


def _draw(canvas: NDArray[np.uint8], paths: Points, value: int, width: int) -> None:
    lines = [fixed_point(path) for path in paths]
    cv2.polylines(canvas, lines, isClosed=False, color=value, thickness=width, lineType=cv2.LINE_AA,
                  shift=FRACTION_BITS)  # fmt: skip


def feathers(rng: np.random.Generator, shape: Matte) -> Matte:
    """The shape with feathers: quills with combed, partly split barbs."""
    points, normals = outline(shape)
    if not len(points):
        return shape
    side = len(shape)
    canvas = np.zeros((side, side), np.uint8)
    for index in rng.choice(len(points), int(rng.integers(4, 28))):
        length = side * rng.uniform(0.06, 0.25)
        heading = np.arctan2(normals[index, 1], normals[index, 0]) + rng.normal(0, 0.4)
        along = np.linspace(-0.1, 1, 60)
        bend = heading + rng.normal(0, 0.5) * along
        quill = points[index] + np.stack([np.cos(bend), np.sin(bend)], 1) * along[:, None] * length
        breadth = (
            length * rng.uniform(0.1, 0.3) * np.sqrt(np.clip(1 - along, 0, 1)) * (0.3 + np.clip(along, 0, 1))
        )
        lean = rng.uniform(0.4, 0.9)
        keep = rng.random(60) > rng.uniform(0, 0.3)
        for hand in (-1, 1):
            barb = bend + hand * lean
            ends = quill + np.stack([np.cos(barb), np.sin(barb)], 1) * breadth[:, None]
            pairs = np.stack([quill, ends], axis=1)[keep]
            _draw(canvas, pairs.astype(np.float32), round(255 * rng.uniform(0.5, 1)), int(rng.integers(1, 4)))
        _draw(canvas, quill[None].astype(np.float32), 255, 2)
    return np.maximum(shape, canvas.astype(np.float32) / 255)
