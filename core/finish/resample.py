"""Planes of a photo put on the canvas: copied bit for bit at scale 1, else resampled by Lanczos."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.finish.layout import Placement
    from mattebox.core.photo import Pixels

_SLACK: Final = 1e-6


class _Span(NamedTuple):
    """Canvas pixels start..end show the photo's first..last (fractions of pixels)."""

    start: int
    end: int
    first: float
    last: float


def on_canvas(pixels: Pixels, placement: Placement) -> Pixels:
    """(h, w) or (h, w, c) pixels on the canvas, 0 beyond the photo's edge."""
    across, down = _spans(placement, pixels.shape[1], pixels.shape[0])
    width, height = placement.canvas
    out: NDArray[Any] = np.zeros((height, width, *pixels.shape[2:]), pixels.dtype)
    if across.end > across.start and down.end > down.start:
        window = out[down.start : down.end, across.start : across.end]
        if placement.scale == (1.0, 1.0):
            rows = slice(round(down.first), round(down.last))
            window[...] = pixels[rows, round(across.first) : round(across.last)]
        else:
            top = np.iinfo(pixels.dtype).max
            for index, plane in enumerate(_planes(pixels)):
                level = np.clip(np.rint(_resized(plane, across, down)), 0, top)
                _planes(window)[index][...] = level
    return out


def colours_on_canvas(colours: Pixels, alpha: Pixels, original: Pixels, placement: Placement) -> Pixels:
    """Straight colours on the canvas, weighted by their alpha, so that hidden ones never bleed in.

    original: what stands where nothing is visible, already on the canvas.
    """
    if placement.scale == (1.0, 1.0):
        return on_canvas(colours, placement)
    across, down = _spans(placement, colours.shape[1], colours.shape[0])
    out = original.copy()
    if across.end <= across.start or down.end <= down.start:
        return out
    window = out[down.start : down.end, across.start : across.end]
    top = np.iinfo(colours.dtype).max
    weight = _resized(alpha, across, down)
    shown = weight >= 0.5
    for index in range(colours.shape[2]):
        product = np.multiply(colours[..., index], alpha, dtype=np.float32)
        mixed = _resized(product, across, down)
        level = np.clip(np.rint(mixed[shown] / weight[shown]), 0, top)
        window[..., index][shown] = level
    return out


def _planes(pixels: NDArray[Any]) -> list[NDArray[Any]]:
    return [pixels] if pixels.ndim == 2 else [pixels[..., index] for index in range(pixels.shape[2])]


def _spans(placement: Placement, width: int, height: int) -> tuple[_Span, _Span]:
    left, top, _, _ = placement.source
    start, upper, _, _ = placement.target
    across, down = placement.scale
    return (
        _span(left, start, across, width, placement.canvas[0]),
        _span(top, upper, down, height, placement.canvas[1]),
    )


def _span(source: float, target: float, scale: float, photo: int, canvas: int) -> _Span:
    start = max(0, math.ceil(target - source * scale - _SLACK))
    end = min(canvas, math.floor(target + (photo - source) * scale + _SLACK))
    first = max(0.0, source + (start - target) / scale)
    last = min(float(photo), source + (end - target) / scale)
    return _Span(start, end, first, last)


def _resized(plane: NDArray[Any], across: _Span, down: _Span) -> NDArray[np.float32]:
    """The span of one plane in float32 at its canvas size."""
    # Only what the filter reaches is turned into floats.
    reach_x = math.ceil(3 * max(1.0, (across.last - across.first) / (across.end - across.start))) + 1
    reach_y = math.ceil(3 * max(1.0, (down.last - down.first) / (down.end - down.start))) + 1
    left, upper = max(0, math.floor(across.first) - reach_x), max(0, math.floor(down.first) - reach_y)
    part = plane[upper : math.ceil(down.last) + reach_y, left : math.ceil(across.last) + reach_x]
    image = Image.fromarray(np.ascontiguousarray(part, np.float32))
    box = (across.first - left, down.first - upper, across.last - left, down.last - upper)
    size = (across.end - across.start, down.end - down.start)
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0))
