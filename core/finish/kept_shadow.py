"""The shadow that the subject cast in the photo, told from the evenly lit ground around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.photo.colour import in_depth, to_srgb
from mattebox.core.segment.backdrop import even_backdrop, srgb_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Photo, Pixels

_SIDE: Final = 512
_ROUNDS: Final = 12
_NOISE: Final = 0.03  # darkening below this is grain and vignetting, not shadow
_PLAIN: Final = 0.06  # the median misfit of a backdrop that is still plain
_DEEPEST: Final = 0.95
# Of a backdrop that is modelled: so many times the spread of what is lit is shadow, and at least so much.
_SIGMAS: Final = 3.0
_LEAST: Final = 0.004
_MAD_TO_SIGMA: Final = 1.4826


def kept_shadow(photo: Photo, alpha: Pixels) -> tuple[Pixels, bool]:
    """The opacity (h, w) of the cast shadow in the photo, and whether its backdrop is plain enough.

    What is darker than the backdrop's light is shadow: black of this opacity over it gives the photo's light
    back. An even backdrop is measured against its model (core.segment.backdrop) down to noise. Of another
    one the light is a quadratic surface, fitted to what is outside of the subject by least squares that lose
    interest in darker pixels from round to round.
    """
    height, width = alpha.shape
    top = np.iinfo(alpha.dtype).max
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small: NDArray[Any] = cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA)
    colours = to_srgb(small.reshape(size[1], size[0], -1), photo.mode, photo.icc)
    light = colours.astype(np.float32).mean(axis=2) / top
    matte = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) / np.float32(top), np.float32)
    around = cv2.dilate(matte, np.ones((7, 7), np.uint8)) < 0.02
    if around.sum() < 64:
        return np.zeros_like(alpha), False
    modelled = even_backdrop(np.asarray(in_depth(colours, 8), np.uint8), matte)
    if modelled is not None:
        plain = True
        rows, columns = slice(0, size[1]), slice(0, size[0])
        surface = srgb_levels(modelled.light((size[1], size[0]), rows, columns)).mean(axis=2)
        dark = _measured(np.clip(1 - light / np.maximum(surface, 0.02), -1, _DEEPEST), around)
    else:
        fitted, misfit = _backdrop(light, around)
        plain = misfit < _PLAIN
        dark = np.clip(1 - light / np.maximum(fitted, 0.02), 0, _DEEPEST)
        dark = np.clip((dark - _NOISE) / (1 - _NOISE), 0, 1)
    dark = cv2.GaussianBlur(_behind(dark * (matte < 0.98), matte), (0, 0), 1.0)
    large = cv2.resize(dark, (width, height), interpolation=cv2.INTER_LINEAR)
    opacity: NDArray[Any] = np.rint(np.clip(large, 0, 1) * top).astype(alpha.dtype)
    return opacity, plain


def _measured(dark: NDArray[Any], around: NDArray[np.bool_]) -> NDArray[Any]:
    """Darkening (h, w) without that of noise; what is more stays as it is."""
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(dark[around])))
    bound = min(_NOISE, max(_LEAST, _SIGMAS * spread))
    return np.asarray(np.maximum(dark, 0) * np.clip(2 * dark / bound - 1, 0, 1))


def _backdrop(light: NDArray[np.float32], around: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """A quadratic surface through the lit backdrop, and the median misfit to its brighter half."""
    height, width = light.shape
    down, across = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    terms = np.stack([np.ones_like(down), across, down, across**2, across * down, down**2], axis=-1)
    known, level = terms[around], light[around].astype(np.float64)
    weight = np.ones_like(level)
    fit = np.zeros(6)
    for _ in range(_ROUNDS):
        root = np.sqrt(weight)[:, None]
        fit = np.linalg.lstsq(known * root, level * root[:, 0], rcond=None)[0]
        below = np.maximum(0.0, known @ fit - level)
        weight = 1 / (1 + (below / 0.02) ** 2)
    rest = np.abs(known @ fit - level)
    lit = weight > np.median(weight) * 0.5
    return terms @ fit, float(np.median(rest[lit]))


def _behind(dark: NDArray[Any], matte: NDArray[Any]) -> NDArray[np.float32]:
    """The shadow continued a little behind the subject, so that no bright seam shows at its edge."""
    weight = np.asarray(1.0 - matte, np.float32)
    share = cv2.GaussianBlur(weight, (0, 0), 4.0)
    spread = cv2.GaussianBlur((dark * weight).astype(np.float32), (0, 0), 4.0)
    continued = spread / np.maximum(share, 0.05)
    return np.asarray(dark * weight + continued * (1 - weight), np.float32)
