"""Drawn products on one structured set: floor line, seam, stand, stains and the fall-off of light.

Every photo of a set has the same camera and lamps; products, their places, sizes and shadows, the exposure,
noise and the JPEG's quality differ. Everything comes from a seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from bench.product_scenes import SHAPES, cast_shadow, enclosed_by, exposed, painted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Map = NDArray[np.float32]

_FINER: Final = 3
_HOLLOW: Final = ("frame", "bag", "ring", "mug", "chair", "letters", "mesh")


@dataclass(frozen=True, slots=True, eq=False)
class SetPhoto:
    """A photo of a set: its JPEG, its product's exact alpha (h, w), and what that encloses, (h, w) bool."""

    name: str
    data: bytes
    pixels: NDArray[np.uint8]
    alpha: Map
    enclosed: NDArray[np.bool_]


def set_light(seed: int, side: int, lamp: float = 0.0) -> NDArray[np.float64]:
    """The set without a product in linear light, (side, side, 3). lamp: how far its lamp was moved, 0..1."""
    dice = np.random.default_rng([seed, 77])
    down, across = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    lit = 1 - 0.25 * ((down + 0.4) ** 2 + (across - 0.2 + 1.4 * lamp) ** 2)
    lit -= 0.12 * np.exp(-(((across + 0.8 - lamp) / 0.2) ** 2))
    paper = np.asarray([0.62, 0.62, 0.60]) * dice.uniform(0.8, 1.2)
    table = paper * np.asarray([0.72, 0.70, 0.66])
    edge = 0.12 + 0.1 * dice.uniform()
    floor = np.clip((down - edge) * side / 8, 0, 1)[..., None]
    light = lit[..., None] * (paper * (1 - floor) + table * floor)
    seam = dice.uniform(-0.6, 0.6)
    light *= 1 - 0.10 * np.exp(-(((across - seam) * side / 6) ** 2))[..., None]
    for _ in range(14):
        y, x, wide = dice.uniform(-1, 1), dice.uniform(-1, 1), dice.uniform(0.03, 0.12)
        spot = np.exp(-((down - y) ** 2 + (across - x) ** 2) / wide**2)
        light *= 1 - dice.uniform(0.08, 0.2) * spot[..., None]
    pole = dice.choice([-0.86, 0.86])
    stand = ((np.abs(across - pole) < 0.02) & (down < 0.5))[..., None]
    return np.asarray(np.where(stand, 0.25 * light, light))


def set_photos(
    seed: int, count: int, side: int = 800, *, lamp: float = 0.0, start: int = 0
) -> Iterator[SetPhoto]:
    """Photos of that set, each of another product."""
    behind = set_light(seed, side, lamp)
    for number in range(start, start + count):
        dice = np.random.default_rng([seed, number])
        name = str(dice.choice(_HOLLOW)) if number % 3 else "solid"
        alpha = _product(name, side, dice)
        shadow = cast_shadow(alpha, side)
        mixed = alpha[..., None] * painted(side, dice) + (1 - alpha[..., None]) * behind * (
            1 - shadow[..., None]
        )
        pixels, data = exposed(
            mixed * dice.uniform(0.96, 1.04), dice.uniform(0.6, 1.6), int(dice.choice([90, 93, 95])), dice
        )
        yield SetPhoto(name, data, pixels, alpha, enclosed_by(alpha))


def _product(name: str, side: int, dice: np.random.Generator) -> Map:
    """A product of its own size at its own place, (side, side)."""
    large = np.zeros((side * _FINER, side * _FINER), np.float32)
    unit = side * _FINER / 1000
    if name == "solid":
        wide, high = dice.uniform(120, 260), dice.uniform(120, 300)
        corners = np.asarray(
            [(500 - wide, 780 - 2 * high), (500 + wide, 780 - 2 * high), (500 + wide, 780), (500 - wide, 780)]
        )
        cv2.fillPoly(large, [np.asarray(corners * unit, np.int32)], 1.0)
    else:
        SHAPES[name](large, unit, dice)
    scale, middle = dice.uniform(0.55, 0.95), 500 * unit
    place = np.asarray(
        [
            [scale, 0, middle * (1 - scale) + dice.uniform(-140, 140) * unit],
            [0, scale, middle * (1 - scale) + dice.uniform(-60, 90) * unit],
        ]
    )
    moved = cv2.warpAffine(large, place, large.shape[::-1], flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(moved, (side, side), interpolation=cv2.INTER_AREA), np.float32)
