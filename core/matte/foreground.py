"""Straight foreground colours for soft edges (decontamination)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.matte.enlarge import tiles
from mattebox.core.parallel import side_by_side
from mattebox.core.patched import Patch, Patched
from mattebox.core.segment.boxes import mask_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Pixels

    Map = NDArray[np.float32]
    Box = tuple[slice, slice]

# The widths of the two passes for photos of up to _USUAL pixels a side; larger ones have wider edges.
_WIDE: Final = 45
_NARROW: Final = 5
_USUAL: Final = 2000
_LARGEST: Final = 3
# What a wide pass sees is smooth, so that it is computed on every such pixel of the usual size alone.
_SKIP: Final = 3
_EPSILON: Final = 1e-5


def straight_foreground(pixels: Pixels, alpha: Pixels) -> Patched:
    """The subject's own colour in every partially transparent pixel.

    pixels: (h, w, c), alpha: (h, w), equal dtype uint8 or uint16. Gives (h, w, c) of that dtype;
    where alpha is 0 or full the input stands bit for bit. Two-pass blur fusion: Forte, "Approximate
    Fast Foreground Colour Estimation", ICIP 2021, equations 4-7, in tiles around the soft pixels, the
    wide pass at reduced size.
    """
    scale = min(_LARGEST, max(1, round(max(alpha.shape) / _USUAL)))
    found = side_by_side(lambda tile: _tile(pixels, alpha, tile, scale), tiles(*alpha.shape))
    return Patched(pixels, tuple(patch for patch in found if patch is not None))


def _tile(pixels: Pixels, alpha: Pixels, tile: Box, scale: int) -> Patch | None:
    """The clean colours of a tile's soft pixels."""
    top = np.iinfo(pixels.dtype).max
    soft = (alpha[tile] > 0) & (alpha[tile] < top)
    box = mask_box(soft)
    if box is None:
        return None
    soft = np.ascontiguousarray(soft[box])
    first, left = tile[0].start + box[0].start, tile[1].start + box[1].start
    place = slice(first, first + soft.shape[0]), slice(left, left + soft.shape[1])
    near = _grown(place, alpha.shape, _NARROW // 2 + 1)
    wide_subject, wide_background = _wide_means(pixels, alpha, near, scale)
    image = _unit(pixels[near])
    matte = _spread_channels(_unit(alpha[near]), image.shape[2])
    subject = _subject(image, matte, wide_subject, wide_background)
    levels = _subject(image, matte, *_means(subject, wide_background, matte, _NARROW))
    levels *= np.float32(top)
    levels += np.float32(0.5)
    above, before = first - near[0].start, left - near[1].start
    inner = levels[above : above + soft.shape[0], before : before + soft.shape[1]]
    colours: Any = inner.astype(pixels.dtype)
    return Patch(place, soft, colours)


def _wide_means(pixels: Pixels, alpha: Pixels, near: Box, scale: int) -> tuple[Map, Map]:
    """Both sides' mean colours in a wide window around each pixel of `near`, (h, w, c) each."""
    step = _SKIP * scale
    around = _grown(near, alpha.shape, _WIDE * scale // 2 + step, step)
    image = _reduced(pixels[around], step)
    matte = _spread_channels(_reduced(alpha[around], step)[..., 0], image.shape[2])
    subject, background = _means(image, image, matte, _WIDE // _SKIP)
    return _spread(subject, around, near, step), _spread(background, around, near, step)


def _grown(part: Box, shape: tuple[int, ...], margin: int, step: int = 1) -> Box:
    """A box with a margin, on whole steps from the picture's corner, so that no tile shows."""
    rows, columns = (
        slice(
            max(0, (side.start - margin) // step * step),
            min(length, -(-(side.stop + margin) // step) * step),
        )
        for side, length in zip(part, shape, strict=True)
    )
    return rows, columns


def _reduced(pixels: Pixels, step: int) -> Map:
    """Every step x step pixels as their mean, (h, w, c) in 0..1; the last ones repeat what there is."""
    height, width = (-(-length // step) for length in pixels.shape[:2])
    lack = height * step - pixels.shape[0], width * step - pixels.shape[1]
    if any(lack):
        pixels = cv2.copyMakeBorder(pixels, 0, lack[0], 0, lack[1], cv2.BORDER_REPLICATE)  # type: ignore[assignment]  # it keeps the dtype
    small: Any = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return _unit(small).reshape(height, width, -1)


def _spread(small: Map, around: Box, near: Box, step: int) -> Map:
    """A map of `around` in steps at the size of `near`, a box within it; linear."""
    window, inner = [], []
    for whole, part, length in zip(around, near, small.shape[:2], strict=True):
        first = max(0, (part.start - whole.start) // step - 1)
        window.append(slice(first, min(length, -(-(part.stop - whole.start) // step) + 1)))
        start = part.start - whole.start - first * step
        inner.append(slice(start, start + part.stop - part.start))
    asked = small[window[0], window[1]]
    height, width = (length * step for length in asked.shape[:2])
    large = np.asarray(cv2.resize(asked, (width, height), interpolation=cv2.INTER_LINEAR))
    return np.asarray(large.reshape(height, width, -1)[inner[0], inner[1]], np.float32)


def _means(subject: Map, background: Map, matte: Map, width: int) -> tuple[Map, Map]:
    share = _blur(matte, width)
    mean_subject = _blur(subject * matte, width)
    mean_subject /= share + np.float32(_EPSILON)
    mean_background = _blur(background * (1 - matte), width)
    mean_background /= np.float32(1 + _EPSILON) - share
    return mean_subject, mean_background


def _subject(image: Map, matte: Map, mean_subject: Map, mean_background: Map) -> Map:
    """Equation 4, with as few passes over the pixels as it has terms."""
    fused = mean_subject - mean_background
    fused *= matte
    np.subtract(image, fused, out=fused)
    fused -= mean_background
    fused *= matte
    fused += mean_subject
    return np.asarray(np.clip(fused, 0.0, 1.0, out=fused), np.float32)


def _spread_channels(matte: Map, channels: int) -> Map:
    """A matte (h, w) once for each channel: broadcasting over a few channels is many times slower."""
    return np.asarray(cv2.merge([matte] * channels), np.float32).reshape(*matte.shape, channels)


def _blur(picture: Map, width: int) -> Map:
    return np.asarray(cv2.blur(picture, (width, width)), np.float32).reshape(picture.shape)


def _unit(pixels: Pixels) -> Map:
    return np.asarray(pixels, np.float32) / np.float32(np.iinfo(pixels.dtype).max)
