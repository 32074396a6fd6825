"""Mattes drawn by rule: hair, fur, feathers, nets, leaves, blur, smoke, glass, hard and thin things.

A matte is drawn at twice its size and averaged down, so that its edges are exact to a sixteenth of alpha.
Widths are pixels and lengths are shares of the side: a window of any photo, up to 20 times the
network's picture, looks like some matte of this family.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from bench.refiner.shapes import FRACTION_BITS, body, fixed_point, noise
from bench.refiner.strands import curl_coat, feathers, fur_coat, grow, hair_coat

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.refiner.shapes import Matte
    from numpy.typing import NDArray

SUPERSAMPLING = 2


def _blur(field: Matte, sigma: float) -> Matte:
    return np.asarray(cv2.GaussianBlur(field, (0, 0), max(sigma, 0.3)), np.float32)


def _hair(rng: np.random.Generator, side: int) -> Matte:
    shape = body(rng, side)
    alpha = grow(rng, shape, hair_coat(rng, SUPERSAMPLING))
    for _ in range(int(rng.integers(0, 3))):
        alpha = np.maximum(alpha, grow(rng, shape, hair_coat(rng, SUPERSAMPLING)))
    return alpha


def _curls(rng: np.random.Generator, side: int) -> Matte:
    shape = body(rng, side)
    alpha = grow(rng, shape, curl_coat(rng, SUPERSAMPLING))
    return np.maximum(alpha, grow(rng, shape, curl_coat(rng, SUPERSAMPLING)))


def _fur(rng: np.random.Generator, side: int) -> Matte:
    shape = body(rng, side)
    alpha = grow(rng, shape, fur_coat(rng, SUPERSAMPLING))
    for _ in range(int(rng.integers(0, 3))):
        alpha = np.maximum(alpha, grow(rng, shape, fur_coat(rng, SUPERSAMPLING)))
    if rng.random() < 0.4:
        soft = _blur(shape, rng.uniform(1, 5) * SUPERSAMPLING)
        alpha = np.maximum(alpha * np.float32(rng.uniform(0.7, 1)), soft)
    return alpha


def _feathers(rng: np.random.Generator, side: int) -> Matte:
    return feathers(rng, body(rng, side))


def _net(rng: np.random.Generator, side: int) -> Matte:
    """A mesh of threads, warped, inside a shape or over the whole frame."""
    canvas = np.zeros((side, side), np.uint8)
    pitch = rng.uniform(8, 40) * SUPERSAMPLING
    width = max(1, int(rng.uniform(0.7, 3) * SUPERSAMPLING))
    warp = noise(rng, side, 3, 0.4, 2) * rng.uniform(0, 8) * SUPERSAMPLING
    first = rng.uniform(0, np.pi)
    reach = np.arange(-side, side, 6.0)
    for angle in (first, first + np.pi / 2) if rng.random() < 0.7 else (first,):
        along = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-along[1], along[0]])
        lines = []
        for offset in np.arange(-side, side, pitch):
            points = side / 2 + reach[:, None] * along + offset * across
            points = points[((points > 0) & (points < side - 1)).all(axis=1)]
            if len(points) > 1:
                cell = points.astype(int)
                lines.append(fixed_point(points + warp[cell[:, 1], cell[:, 0]]))
        cv2.polylines(canvas, lines, False, 255, width, cv2.LINE_AA, FRACTION_BITS)
    alpha = canvas.astype(np.float32) / 255
    if rng.random() < 0.7:
        alpha *= body(rng, side)
    return np.maximum(alpha, body(rng, side)) if rng.random() < 0.5 else alpha


def _leaves(rng: np.random.Generator, side: int) -> Matte:
    """Branches that fork, with leaves at their ends."""
    canvas = np.zeros((side, side), np.uint8)
    twigs = [
        (rng.uniform(0.3, 0.7, 2) * side, rng.uniform(0, 2 * np.pi), rng.uniform(0.08, 0.2) * side,
         rng.uniform(1, 6) * SUPERSAMPLING, int(rng.integers(3, 6)))
        for _ in range(int(rng.integers(1, 4)))
    ]  # fmt: skip
    leaf = rng.uniform(2, 12) * SUPERSAMPLING
    while twigs and len(twigs) < 600:
        start, angle, length, width, depth = twigs.pop(0)
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        line = fixed_point(np.stack([start, end]))
        cv2.polylines(canvas, [line], False, 255, max(1, round(width)), cv2.LINE_AA, FRACTION_BITS)
        if depth:
            twigs += [
                (end, angle + rng.normal(0, 0.6), length * rng.uniform(0.55, 0.95), width * 0.65, depth - 1)
                for _ in range(int(rng.integers(1, 4)))
            ]
        elif rng.random() < 0.7:
            axes = (max(1, int(leaf * rng.uniform(0.6, 1.4))), max(1, int(leaf * rng.uniform(0.2, 0.7))))
            centre = (int(end[0]), int(end[1]))
            cv2.ellipse(canvas, centre, axes, float(np.degrees(angle)), 0, 360, 255, -1, cv2.LINE_AA)
    alpha = canvas.astype(np.float32) / 255
    return np.maximum(alpha, body(rng, side)) if rng.random() < 0.5 else alpha


def _motion(rng: np.random.Generator, side: int) -> Matte:
    """A shape that moved while the shutter was open."""
    length = max(3, int(rng.uniform(3, 30) * SUPERSAMPLING))
    angle = rng.uniform(0, np.pi)
    path = np.zeros((length, length), np.float32)
    middle, reach = (length - 1) / 2, length / 2 * np.array([np.cos(angle), np.sin(angle)])
    line = fixed_point(np.stack([middle - reach, middle + reach]))
    cv2.polylines(path, [line], False, 1.0, 1, cv2.LINE_AA, FRACTION_BITS)
    moved = cv2.filter2D(body(rng, side), -1, path / path.sum(), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _lens(rng: np.random.Generator, side: int) -> Matte:
    """A shape whose edge leaves the focal plane: sharp here, soft there."""
    shape = (
        grow(rng, body(rng, side), hair_coat(rng, SUPERSAMPLING)) if rng.random() < 0.3 else body(rng, side)
    )
    where = np.clip(noise(rng, side, 2, 0.4)[..., 0] * 0.5 + 0.5, 0, 1)
    sharp = _blur(shape, rng.uniform(0.3, 3) * SUPERSAMPLING)
    soft = _blur(shape, rng.uniform(3, 12) * SUPERSAMPLING)
    return where * sharp + (1 - where) * soft


def _smoke(rng: np.random.Generator, side: int) -> Matte:
    """Wisps without any edge, around a shape or alone."""
    field = noise(rng, side, int(rng.integers(3, 8)), rng.uniform(0.45, 0.65))[..., 0]
    wisps = np.clip(field * rng.uniform(0.2, 0.5) + rng.uniform(0, 0.5), 0, 1)
    alpha = wisps * _blur(body(rng, side), rng.uniform(8, 40) * SUPERSAMPLING)
    return np.maximum(alpha, body(rng, side)) if rng.random() < 0.5 else alpha


def _glass(rng: np.random.Generator, side: int) -> Matte:
    """A see-through body with a denser rim and reflections."""
    shape = body(rng, side)
    reflections = noise(rng, side, 3, 0.5)[..., 0]
    reflections = (reflections - reflections.min()) / (np.ptp(reflections) + 1e-6)
    rim = _blur(shape, rng.uniform(2, 10) * SUPERSAMPLING) < 0.75
    density = rng.uniform(0.1, 0.6) + rng.uniform(0, 0.7) * reflections + rim * rng.uniform(0, 0.6)
    alpha = shape * np.clip(density, 0, 1)
    return np.maximum(alpha, body(rng, side)) if rng.random() < 0.5 else alpha


def _lattice(rng: np.random.Generator, side: int) -> Matte:
    """A body full of small holes, or frayed near its rim."""
    shape = body(rng, side)
    field = noise(rng, side, int(rng.integers(8, 40)), 0.5)[..., 0]
    holes = np.clip((field - np.quantile(field, rng.uniform(0.2, 0.7))) / 0.05, 0, 1)
    if rng.random() < 0.7:
        holes = np.where(_blur(shape, rng.uniform(3, 25)) > 0.97, 1.0, holes)
    return shape * holes


def _thin(rng: np.random.Generator, side: int) -> Matte:
    """A body with wires, straps, spokes and stalks."""
    alpha = body(rng, side)
    along = np.linspace(0, 1, 30)[:, None]
    for _ in range(int(rng.integers(2, 14))):
        knots = rng.uniform(0, side, (3, 2))
        if rng.random() < 0.4:
            knots[1] = knots[[0, 2]].mean(axis=0)
        curve = (1 - along) ** 2 * knots[0] + 2 * along * (1 - along) * knots[1] + along**2 * knots[2]
        canvas = np.zeros((side, side), np.uint8)
        width = max(1, int(rng.uniform(0.6, 6) * SUPERSAMPLING))
        cv2.polylines(canvas, [fixed_point(curve)], False, 255, width, cv2.LINE_AA, FRACTION_BITS)
        alpha = np.maximum(alpha, canvas.astype(np.float32) / 255)
    return alpha


KINDS: dict[str, tuple[float, Callable[[np.random.Generator, int], Matte]]] = {
    "hard": (0.27, body),
    "hair": (0.19, _hair),
    "curls": (0.05, _curls),
    "fur": (0.14, _fur),
    "feathers": (0.03, _feathers),
    "net": (0.04, _net),
    "leaves": (0.06, _leaves),
    "motion": (0.03, _motion),
    "lens": (0.06, _lens),
    "smoke": (0.02, _smoke),
    "glass": (0.03, _glass),
    "lattice": (0.03, _lattice),
    "thin": (0.05, _thin),
}  # share of the training, and how it is drawn on a canvas


def matte(seed: int, side: int, kind: str | None = None) -> NDArray[np.uint8]:
    """One matte, (side, side) uint8 0..255; equal seeds give equal mattes.

    `kind` None draws one by its share.
    """
    rng = np.random.default_rng([seed, side])
    if kind is None:
        shares = np.array([share for share, _ in KINDS.values()])
        kind = list(KINDS)[int(rng.choice(len(KINDS), p=shares / shares.sum()))]
    canvas = KINDS[kind][1](rng, side * SUPERSAMPLING)
    small = cv2.resize(canvas.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
    return (np.clip(small, 0, 1) * 255 + 0.5).astype(np.uint8)
