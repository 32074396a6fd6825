"""Pictures to calibrate and to check a quantised network on: the user's photos, or drawn scenes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.errors import MatteboxError, OptimizeError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    View = NDArray[np.uint8]

_SIDE: Final = 512
_CALIBRATE: Final = 24
_CHECK: Final = 12
_LEAST: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """(h, w, 3) uint8 sRGB pictures; those to check on are none of those to calibrate on."""

    calibrate: Sequence[View]
    check: Sequence[View]
    about: str

    def __len__(self) -> int:
        """How many there are in all."""
        return len(self.calibrate) + len(self.check)


def drawn_pictures() -> Pictures:
    """The built-in recipe: 24 drawn scenes to calibrate on, 12 others to check on."""
    return Pictures(drawn_scenes(_CALIBRATE, 0), drawn_scenes(_CHECK, 1), f"{_CHECK} drawn scenes")


def own_pictures(paths: Sequence[Path]) -> Pictures:
    """At most 24 of these photos to calibrate on, and at most 12 others to check on.

    The choice does not change when a photo is added: a photo's place follows from a hash of its name.
    Photos that cannot be read are passed over. Raises OptimizeError where fewer than 8 can be read.
    """
    from mattebox.core.photo import read_photo  # noqa: PLC0415 - decoders
    from mattebox.core.view import network_view  # noqa: PLC0415

    order = sorted(paths, key=lambda path: hashlib.sha256(path.name.encode("utf-8", "replace")).digest())
    views: list[View] = []
    for path in order:
        if len(views) == _CALIBRATE + _CHECK:
            break
        try:
            views.append(network_view(read_photo(path)))
        except MatteboxError:
            continue
    if len(views) < _LEAST:
        raise OptimizeError(
            f"Only {len(views)} of these {len(order)} photos can be read; optimising needs at least {_LEAST}."
        )
    kept = max(len(views) // 3, len(views) - _CALIBRATE)
    return Pictures(views[kept:], views[:kept], f"{kept} of your photos")


def drawn_scenes(count: int, seed: int = 0) -> list[View]:
    """`count` drawn pictures, (512, 512, 3) uint8: a lit subject with texture before a blurred ground.

    They need no photo of anybody: fractal noise gives the statistics of natural textures (power falls
    with the square of frequency), random blobs give subjects with smooth and with ragged outlines.
    """
    random = np.random.default_rng(seed)
    return [_scene(random) for _ in range(count)]


def _scene(random: np.random.Generator) -> View:
    ground = _texture(random, _SIDE, random.uniform(1.6, 2.6))
    ground = np.asarray(cv2.GaussianBlur(ground, (0, 0), random.uniform(0.5, 9.0)), np.float64)
    subject = _texture(random, _SIDE, random.uniform(1.2, 2.2))
    alpha = _outline(random)
    light = _gradient(random)
    picture = ground * (1 - alpha) + subject * light[..., None] * alpha
    exposure = random.uniform(0.55, 1.25)
    grain = random.normal(0, random.uniform(0, 0.02), picture.shape)
    return np.asarray(np.clip(picture * exposure + grain, 0, 1) * 255, np.uint8)


def _texture(random: np.random.Generator, side: int, slope: float) -> NDArray[np.float64]:
    """Coloured fractal noise of 0..1 whose amplitude falls with frequency to the power of slope / 2."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    frequency[0, 0] = 1.0
    shape = (side, side // 2 + 1)
    channels = []
    for _ in range(3):
        spectrum = random.normal(size=shape) + 1j * random.normal(size=shape)
        noise = np.fft.irfft2(spectrum / frequency ** (slope / 2 + 0.4), s=(side, side))
        channels.append((noise - noise.min()) / np.ptp(noise))
    # Channels of real things vary together: mix them towards their mean, then tint the whole.
    stack = np.dstack(channels)
    stack = stack.mean(axis=2, keepdims=True) * 0.75 + stack * 0.25
    return np.asarray(stack * random.uniform(0.4, 1.0, 3) + random.uniform(0.0, 0.35, 3), np.float64)


def _outline(random: np.random.Generator) -> NDArray[np.float64]:
    """An alpha (512, 512, 1) of one to three bodies with wavy outlines."""
    canvas = np.zeros((_SIDE, _SIDE), np.uint8)
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    for _ in range(random.integers(1, 4)):
        centre = random.uniform(0.3, 0.7, 2) * _SIDE
        size = random.uniform(0.08, 0.3, 2) * _SIDE
        waves = np.zeros_like(turn)
        for order in (2, 3, 5, 8, 13, 30):
            waves += random.uniform(0, 0.35 / order) * np.sin(order * turn + random.uniform(0, 2 * np.pi))
        points = centre + np.column_stack([np.cos(turn), np.sin(turn)]) * size * (1 + waves)[:, None]
        cv2.fillPoly(canvas, [points.astype(np.int32)], 255)
    soft = cv2.GaussianBlur(canvas, (0, 0), random.uniform(0.6, 3.0))
    return np.asarray(soft[..., None] / 255.0, np.float64)


def _gradient(random: np.random.Generator) -> NDArray[np.float64]:
    angle = random.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    light = 1.0 + random.uniform(0.1, 0.5) * (np.cos(angle) * x + np.sin(angle) * y)
    return np.asarray(light, np.float64)
