"""Coarse answers as networks give them: the truth at a small size, moved, blurred, simplified."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from bench.refiner.shapes import Matte
    from numpy.typing import NDArray


def _field(rng: np.random.Generator, size: tuple[int, int], cell: int) -> NDArray[np.float32]:
    """A smooth random field over (width, height), one independent value per cell of pixels."""
    width, height = size
    grid = rng.standard_normal((max(2, height // cell), max(2, width // cell))).astype(np.float32)
    return cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)


def _warp(rng: np.random.Generator, small: Matte, reach: float) -> Matte:
    height, width = small.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    size = (width, height)
    return cv2.remap(
        small, x + reach * _field(rng, size, 8), y + reach * _field(rng, size, 8), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip


def _contrast(rng: np.random.Generator, small: Matte, most: float) -> Matte:
    shifted = (small - 0.5 + rng.uniform(-0.12, 0.12)) * rng.uniform(1, most) + 0.5
    return np.clip(shifted, 0, 1).astype(np.float32)


def _disc(size: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _exact(rng: np.random.Generator, small: Matte) -> Matte:
    moved = _warp(rng, small, rng.uniform(0, 0.35))
    blurred = cv2.GaussianBlur(moved, (0, 0), rng.uniform(0.25, 0.9))
    return _contrast(rng, blurred, 2.0) if rng.random() < 0.6 else blurred


def _wrong(rng: np.random.Generator, small: Matte, strength: float) -> Matte:
    """Thin things unseen or closed, the edge in or out, wavy, blurred, with soft local mistakes."""
    height, width = small.shape
    if rng.random() < 0.3 + 0.3 * strength:
        how = cv2.MORPH_OPEN if rng.random() < 0.75 else cv2.MORPH_CLOSE
        simple = cv2.morphologyEx(small, how, _disc(int(rng.choice([3, 3, 5, 7]))))
        share = rng.uniform(0.4, 1)
        small = (small * (1 - share) + simple * share).astype(np.float32)
    if rng.random() < 0.6:
        element = _disc(int(rng.choice([3, 3, 5] if strength > 0.5 else [3])))
        moved = (cv2.erode if rng.random() < 0.5 else cv2.dilate)(small, element)
        where = np.clip(_field(rng, (width, height), 16) + 0.5, 0, 1) if rng.random() < 0.5 else np.float32(1)
        small = (small * (1 - where) + moved * where).astype(np.float32)
    small = _warp(rng, small, rng.uniform(0, 0.8 + 1.4 * strength))
    small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.4, 1.0 + 0.7 * strength))
    if rng.random() < 0.5:
        small = _contrast(rng, small, 2.5)
    if rng.random() < 0.3 * strength:
        unsure = cv2.GaussianBlur(((small > 0.05) & (small < 0.95)).astype(np.float32), (0, 0), 2)
        local = _field(rng, (width, height), 12) * rng.uniform(0, 0.35)
        small = np.clip(small + local * np.clip(2 * unsure, 0, 1), 0, 1).astype(np.float32)
    return small


def coarse_answer(rng: np.random.Generator, alpha: Matte, scale: float, strength: float) -> Matte:
    """What a network at 1/scale of the size might say of `alpha`; same shape, float32 0..1.

    strength: 0 nearly exact, above 0 wrong in the ways of a salient object network, up to 1.
    """
    height, width = alpha.shape
    size = (max(8, round(width / scale)), max(8, round(height / scale)))
    small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    small = _exact(rng, small) if strength == 0 else _wrong(rng, small, strength)
    how = cv2.INTER_LINEAR if rng.random() < 0.6 else cv2.INTER_CUBIC
    return np.clip(cv2.resize(small, (width, height), interpolation=how), 0, 1)
