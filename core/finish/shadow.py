"""Shadows drawn below the subject: a soft drop shadow and a contact shadow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.finish.layout import Box
    from mattebox.core.photo import Pixels
    from mattebox.core.settings.finish import ShadowValue

_FEET: Final = 0.12  # the lowest part of the subject that is near the ground, of its height
_FLATNESS: Final = 0.3  # how high that part's shadow lies, of the part's height
_FINE: Final = 4.0  # a blur wider than this loses nothing at a reduced size


def drawn_shadow(shape: Pixels, box: Box, settings: ShadowValue) -> Pixels:
    """The opacity (h, w) of a black shadow of `shape`, which is an alpha; box: where the subject is.

    Angle, distance and blur as in Photoshop's drop shadow: the angle is where the light stands.
    """
    longest = max(box[2] - box[0], box[3] - box[1])
    top = int(np.iinfo(shape.dtype).max)
    blur = settings.blur.pixels(longest)
    level: NDArray[Any] = np.zeros(shape.shape, np.float32)
    if settings.kind in {"drop", "both"}:
        distance = settings.distance.pixels(longest)
        turn = math.radians(settings.angle)
        moved = _shifted(shape, -math.cos(turn) * distance, math.sin(turn) * distance)
        level = _soft(moved.astype(np.float32) / top, blur)
    if settings.kind in {"contact", "both"}:
        level = np.maximum(level, _contact(shape, box, blur))
    out: NDArray[Any] = np.rint(level * (top * settings.opacity / 100)).astype(shape.dtype)
    return out


def _shifted(plane: Pixels, right: float, down: float) -> NDArray[Any]:
    move = np.array([[1, 0, round(right)], [0, 1, round(down)]], np.float64)
    shifted: NDArray[Any] = cv2.warpAffine(
        plane, move, (plane.shape[1], plane.shape[0]), flags=cv2.INTER_NEAREST
    )
    return shifted


def _contact(shape: Pixels, box: Box, blur: float) -> NDArray[Any]:
    """The subject's feet flattened onto the ground at its lower edge."""
    left, top, right, bottom = box
    feet = max(2, round((bottom - top) * _FEET))
    flat = max(1, round(feet * _FLATNESS))
    part = shape[bottom - feet : bottom, left:right].astype(np.float32) / np.iinfo(shape.dtype).max
    pressed = cv2.resize(part, (right - left, flat), interpolation=cv2.INTER_AREA)
    ground = np.zeros(shape.shape, np.float32)
    start = max(0, bottom - flat // 2)
    end = min(shape.shape[0], start + flat)
    ground[start:end, left:right] = pressed[: end - start]
    spread: NDArray[Any] = np.minimum(1.0, _soft(ground, max(1.0, blur / 2)) * 1.5)
    return spread


def _soft(plane: NDArray[Any], sigma: float) -> NDArray[Any]:
    """A Gaussian blur, on a reduced copy where it is wide."""
    if sigma <= 0:
        return plane
    factor = max(1, int(sigma / _FINE))
    height, width = plane.shape
    size = (max(1, width // factor), max(1, height // factor))
    small = plane if factor == 1 else cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / factor)
    if factor > 1:
        soft = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(soft, 0.0, 1.0), np.float32)
