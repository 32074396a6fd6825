"""Pictures to calibrate and to check a quantised network on; without photos of a user, drawn scenes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    View = NDArray[np.uint8]
    Plane = NDArray[np.float64]

_SIDE: Final = 512
# How many pictures are calibrated on, and on how many others the result is checked.
CALIBRATE: Final = 24
CHECK: Final = 12


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """(h, w, 3) uint8 sRGB pictures; those to check on are none of those to calibrate on."""

    calibrate: Sequence[View]
    check: Sequence[View]
    about: str

    def __len__(self) -> int:
        """How many there are in all."""
        return len(self.calibrate) + len(self.check)


def synthetic_pictures() -> Pictures:
    """The built-in recipe: 24 synthetic scenes to calibrate on, 12 others to check on."""
    return drawn(CALIBRATE, CHECK)


def drawn(calibrate: int, check: int) -> Pictures:
    """Drawn scenes, so many to calibrate on (none where ranges are known) and so many to check on."""
    return Pictures(synthetic_scenes(calibrate, 0), synthetic_scenes(check, 1), f"{check} drawn scenes")


def synthetic_scenes(count: int, seed: int = 0) -> list[View]:
    """`count` synthetic pictures, (512, 512, 3) uint8: lit subjects with texture before a ground.

    They need no photo of anybody. Fractal noise gives the statistics of natural textures (power falls
    with the square of frequency), stripes and strands give the hard and thin edges that natural noise
    lacks, and contrast runs from flat to clipped: a network's largest activations come from extremes.
    """
    random = np.random.default_rng(seed)
    return [_scene(random) for _ in range(count)]


def _scene(random: np.random.Generator) -> View:
    ground = _surface(random)
    if random.random() < 0.7:
        ground = np.asarray(cv2.GaussianBlur(ground, (0, 0), random.uniform(0.5, 9.0)), np.float64)
    picture = ground
    for _ in range(random.integers(1, 4)):
        alpha = _outline(random)
        picture = picture * (1 - alpha) + _surface(random) * _light(random)[..., None] * alpha
    if random.random() < 0.4:
        _draw_strands(random, picture)
    contrast = random.uniform(0.6, 2.2)
    picture = (picture - picture.mean()) * contrast + random.uniform(0.25, 0.7)
    grain = random.normal(0, random.uniform(0, 0.03), picture.shape)
    return np.asarray(np.clip(picture + grain, 0, 1) * 255, np.uint8)


def _surface(random: np.random.Generator) -> Plane:
    """One material, (512, 512, 3) of about 0..1: fractal, striped, or of one colour."""
    tint = random.uniform(0.1, 1.0, 3)
    kind = random.random()
    if kind < 0.15:
        return np.broadcast_to(tint, (_SIDE, _SIDE, 3)).copy()
    texture = _fractal(random, random.uniform(1.2, 2.6))
    if kind < 0.35:
        angle, pitch = random.uniform(0, np.pi), random.uniform(4, 60)
        y, x = np.mgrid[0:_SIDE, 0:_SIDE]
        waves = np.sign(np.sin((np.cos(angle) * x + np.sin(angle) * y) * 2 * np.pi / pitch))
        texture = texture * 0.3 + (waves[..., None] * 0.5 + 0.5) * 0.7
    return np.asarray(texture * tint + random.uniform(0.0, 0.3, 3), np.float64)


def _fractal(random: np.random.Generator, slope: float) -> Plane:
    """Coloured noise of 0..1 whose amplitude falls with frequency."""
    frequency = np.hypot(np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE)[None])
    frequency[0, 0] = 1.0
    channels = []
    for _ in range(3):
        spectrum = random.normal(size=frequency.shape) + 1j * random.normal(size=frequency.shape)
        noise = np.fft.irfft2(spectrum / frequency ** (slope / 2 + 0.4), s=(_SIDE, _SIDE))
        channels.append((noise - noise.min()) / np.ptp(noise))
    # Channels of real things vary together: mix them towards their mean.
    stack = np.dstack(channels)
    return np.asarray(stack.mean(axis=2, keepdims=True) * 0.75 + stack * 0.25, np.float64)


def _outline(random: np.random.Generator) -> Plane:
    """An alpha (512, 512, 1) of a body with a wavy or an angular outline, hard or soft."""
    canvas = np.zeros((_SIDE, _SIDE), np.uint8)
    corners = int(random.choice([3, 4, 5, 200, 200, 200]))
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False) + random.uniform(0, 2 * np.pi)
    centre = random.uniform(0.2, 0.8, 2) * _SIDE
    size = random.uniform(0.08, 0.45, 2) * _SIDE
    waves = np.zeros_like(turn)
    for order in (2, 3, 5, 8, 13, 30):
        waves += random.uniform(0, 0.35 / order) * np.sin(order * turn + random.uniform(0, 2 * np.pi))
    points = centre + np.column_stack([np.cos(turn), np.sin(turn)]) * size * (1 + waves)[:, None]
    cv2.fillPoly(canvas, [points.astype(np.int32)], 255)
    soft = cv2.GaussianBlur(canvas, (0, 0), random.uniform(0.4, 4.0))
    return np.asarray(soft[..., None] / 255.0, np.float64)


def _draw_strands(random: np.random.Generator, picture: Plane) -> None:
    """Hair: many thin curves that start together; drawn into `picture`."""
    root, colour = random.uniform(0.2, 0.8, 2) * _SIDE, [float(value) for value in random.uniform(0, 1, 3)]
    along = np.linspace(0, 1, 20)[:, None]
    for _ in range(random.integers(60, 300)):
        angle, bend = random.uniform(0, 2 * np.pi), random.normal(0, 60, 2)
        reach = np.array([np.cos(angle), np.sin(angle)]) * random.uniform(60, 220)
        points = root + along * reach + along**2 * bend
        cv2.polylines(picture, [points.astype(np.int32)], False, colour, 1, cv2.LINE_AA)


def _light(random: np.random.Generator) -> Plane:
    """Light from one side, (512, 512) of about 0.5..1.5."""
    angle = random.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    light = 1.0 + random.uniform(0.1, 0.5) * (np.cos(angle) * x + np.sin(angle) * y)
    return np.asarray(light, np.float64)
