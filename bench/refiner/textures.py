"""Textures for subjects and backgrounds: free photos from scikit-image, and procedural ones.

Only photos whose own data README or docstring in scikit-image names a free licence are here; the
others that scikit-image ships (coins, moon, page, motorcycle, ihc, faces) are left out.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from bench.refiner.shapes import noise

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Texture = NDArray[np.float32]

# Photo in scikit-image: its licence by skimage.data's docstrings, and its share of the photo textures.
PHOTOS: dict[str, tuple[str, float]] = {
    "astronaut": ("public domain (NASA)", 3),
    "chelsea": ("CC0 (Stefan van der Walt)", 3),
    "coffee": ("CC0 (Rachel Michetti)", 3),
    "rocket": ("public domain (SpaceX)", 2),
    "hubble_deep_field": ("public domain (NASA)", 0.5),
    "retina": ("CC0 (Häggström)", 0.5),
    "camera": ("CC0 (Lav Varshney)", 1),
    "brick": ("CC0 (CC0Textures)", 1),
    "grass": ("CC0 (CC0Textures)", 2),
    "gravel": ("CC0 (CC0Textures)", 1.5),
}


@cache
def _photo(name: str) -> NDArray[np.uint8]:
    from skimage import data

    pixels = np.asarray(getattr(data, name)())
    return np.ascontiguousarray(pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2))


def _from_photo(rng: np.random.Generator, side: int) -> Texture:
    shares = np.array([share for _, share in PHOTOS.values()])
    pixels = _photo(list(PHOTOS)[int(rng.choice(len(PHOTOS), p=shares / shares.sum()))])
    height, width = pixels.shape[:2]
    crop = int(min(height, width) * rng.uniform(0.3, 1))
    y, x = int(rng.integers(height - crop + 1)), int(rng.integers(width - crop + 1))
    how = cv2.INTER_AREA if crop > side else cv2.INTER_CUBIC
    texture = cv2.resize(pixels[y : y + crop, x : x + crop], (side, side), interpolation=how).astype(
        np.float32
    )
    texture = np.clip(texture / 255, 0, 1)
    if rng.random() < 0.3:
        texture = texture[..., rng.permutation(3)]
    if rng.random() < 0.5:
        texture = texture ** rng.uniform(0.6, 1.7) * rng.uniform(0.6, 1.2, 3)
    return texture


def _base(rng: np.random.Generator) -> NDArray[np.float64]:
    """A colour: any, or nearly gray, as most of the world is."""
    return rng.uniform(0, 1, 3) if rng.random() < 0.6 else rng.uniform(0, 1) + rng.normal(0, 0.06, 3)


def _clouds(rng: np.random.Generator, side: int) -> Texture:
    field = noise(rng, side, int(rng.integers(2, 40)), rng.uniform(0.3, 0.9), 3)
    mix = rng.normal(0, 0.06, (3, 3)) + rng.normal(0, 0.1)
    return _base(rng) + field @ mix * rng.uniform(0.2, 1)


def _gradient(rng: np.random.Generator, side: int) -> Texture:
    y, x = np.mgrid[:side, :side] / side - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    slope = (x * np.cos(angle) + y * np.sin(angle))[..., None] * rng.normal(0, 0.5, 3)
    return _base(rng) + slope + noise(rng, side, 16, 0.8) * rng.uniform(0, 0.03)


def _strands(rng: np.random.Generator, side: int) -> Texture:
    """Parallel streaks, as combed hair, grass and cloth have them."""
    rows = rng.standard_normal((int(rng.integers(3, 9)), side)).astype(np.float32)
    streaks = cv2.resize(rows, (side, side), interpolation=cv2.INTER_CUBIC)
    streaks = cv2.GaussianBlur(streaks, (0, 0), rng.uniform(0.5, 2))
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(0, 360), 1.45)
    streaks = cv2.warpAffine(streaks, turn, (side, side), borderMode=cv2.BORDER_REFLECT)
    tint = rng.uniform(0.02, 0.25) * rng.uniform(0.5, 1, 3)
    return _base(rng) + streaks[..., None] * tint + noise(rng, side, 3, 0.5) * 0.08


def _bokeh(rng: np.random.Generator, side: int) -> Texture:
    """Discs of light out of focus on a smooth ground."""
    picture = _gradient(rng, side).astype(np.float32)
    for _ in range(int(rng.integers(5, 40))):
        disc = np.zeros((side, side), np.float32)
        centre = tuple(int(v) for v in rng.uniform(0, side, 2))
        cv2.circle(disc, centre, int(rng.uniform(0.01, 0.08) * side), 1.0, -1, cv2.LINE_AA)
        picture += disc[..., None] * (rng.uniform(0.05, 0.5) * rng.uniform(0.3, 1, 3)).astype(np.float32)
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(1, 4))


def _flat(rng: np.random.Generator, side: int) -> Texture:
    return np.asarray(_base(rng) + noise(rng, side, 4, 0.3) * rng.uniform(0, 0.05) * np.ones(3), np.float32)


KINDS: dict[str, tuple[float, Callable[[np.random.Generator, int], Texture]]] = {
    "photo": (0.46, _from_photo),
    "clouds": (0.2, _clouds),
    "gradient": (0.08, _gradient),
    "strands": (0.12, _strands),
    "bokeh": (0.05, _bokeh),
    "flat": (0.09, _flat),
}


def texture(seed: int, side: int) -> NDArray[np.uint8]:
    """One texture, (side, side, 3) uint8 sRGB; equal seeds give equal textures."""
    rng = np.random.default_rng([seed, side, 1])
    shares = np.array([share for share, _ in KINDS.values()])
    kind = list(KINDS)[int(rng.choice(len(KINDS), p=shares / shares.sum()))]
    return (np.clip(KINDS[kind][1](rng, side), 0, 1) * 255 + 0.5).astype(np.uint8)
