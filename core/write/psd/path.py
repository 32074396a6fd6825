"""A clipping path: the matte's half-way line as closed Bezier curves.

Source: Adobe Photoshop File Formats Specification, "Path resource format": 26-byte records, points as
8.24 fixed fractions of the picture's size, vertical before horizontal.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.write.psd.planes import cut_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Pixels
    from mattebox.core.write.psd.planes import Box

    Points = NDArray[np.float64]

# In pixels: how far the polygon of a curve's knots may leave the line.
_TOLERANCE: Final = 0.5
_SMALLEST_AREA: Final = 24.0
# A turn sharper than this stays a corner.
_CORNER_COSINE: Final = float(np.cos(np.deg2rad(50)))
_SMOOTHING: Final = 0.8
_STEPS: Final = np.linspace(-1.0, 2.0, 13)
_FILL_RULE, _START_EMPTY, _CLOSED, _SMOOTH_KNOT, _CORNER_KNOT = 6, 8, 0, 1, 2
_UNITE, _EXCLUDE = 1, 0


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One closed curve: knots (n, 3, 2) as x, y of the control before, the anchor, the control after.

    Coordinates are pixels of the canvas, 0 is its left or upper edge. hole: it is cut out of another.
    """

    knots: Points
    smooth: NDArray[np.bool_]
    hole: bool


def trace(alpha: Pixels, box: Box) -> list[Curve]:
    """The curves around all that is at least half opaque, the largest first; specks are left out.

    alpha: (h, w) the matte. box: where it is not 0.
    """
    part = cut_out(alpha, box)
    full = int(np.iinfo(alpha.dtype).max)
    # A clear border closes what the canvas cuts off, and keeps the search for the line inside.
    soft: NDArray[np.uint8] = np.pad(part if full == 255 else part >> 8, 2).astype(np.uint8)
    contours, hierarchy = cv2.findContours(
        (soft > 127).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    if not contours:
        return []
    found = []
    for contour, links in zip(contours, hierarchy[0], strict=True):
        line = _on_the_line(soft, contour[:, 0].astype(np.float64))
        area = abs(cv2.contourArea(line.astype(np.float32)))
        if len(line) < 3 or area < _SMALLEST_AREA:
            continue
        # A pixel's middle lies half a pixel inside it; 2 is the border above.
        line += (box.left - 1.5, box.top - 1.5)
        found.append((area, _curve(line, hole=int(links[3]) >= 0)))
    return [curve for _, curve in sorted(found, key=lambda item: -item[0])]


def path_data(curves: list[Curve], size: tuple[int, int]) -> bytes:
    """The resource's records for a picture of that width and height."""
    records = [struct.pack(">H24x", _FILL_RULE), struct.pack(">HH22x", _START_EMPTY, 0)]
    for curve in curves:
        operation = _EXCLUDE if curve.hole else _UNITE
        records.append(struct.pack(">HHhH18x", _CLOSED, len(curve.knots), operation, 1))
        fractions = curve.knots[..., ::-1] / (size[1], size[0])
        fixed = np.round(fractions * (1 << 24)).astype(">i4").reshape(len(curve.knots), 6)
        for knot, smooth in zip(fixed, curve.smooth, strict=True):
            records.append(struct.pack(">H", _SMOOTH_KNOT if smooth else _CORNER_KNOT) + knot.tobytes())
    return b"".join(records)


def _on_the_line(soft: NDArray[np.uint8], points: Points) -> Points:
    """Each outline pixel moved along the matte's slope to where the matte is one half."""
    x, y = points[:, 0].astype(np.intp), points[:, 1].astype(np.intp)
    slope = _slope(soft, x, y)
    length = np.hypot(slope[:, 0], slope[:, 1])
    outwards = -slope / np.maximum(length, 1e-6)[:, None]
    at = points[:, None, :] + outwards[:, None, :] * _STEPS[None, :, None]
    values = _samples(soft, at)
    # The last step that is inside; between it and the next one the line is crossed.
    inside = values > 127.5
    last = inside.shape[1] - 1 - np.argmax(inside[:, ::-1], axis=1)
    crosses = inside.any(axis=1) & (last < len(_STEPS) - 1) & (length > 0)
    last = np.minimum(last, len(_STEPS) - 2)
    rows = np.arange(len(points))
    above, below = values[rows, last], values[rows, last + 1]
    share = np.clip((above - 127.5) / np.maximum(above - below, 1e-6), 0, 1)
    way = _STEPS[last] + share * (_STEPS[1] - _STEPS[0])
    moved: Points = points + np.where(crosses, way, 0.0)[:, None] * outwards
    return _smoothed(moved)


def _slope(soft: NDArray[np.uint8], x: NDArray[np.intp], y: NDArray[np.intp]) -> Points:
    """The matte's gradient (n, 2) at some pixels: Sobel's weights on their neighbours."""
    near = {(dx, dy): soft[y + dy, x + dx].astype(np.float64) for dx in (-1, 0, 1) for dy in (-1, 0, 1)}
    across = sum(near[1, d] * (2 - abs(d)) - near[-1, d] * (2 - abs(d)) for d in (-1, 0, 1))
    down = sum(near[d, 1] * (2 - abs(d)) - near[d, -1] * (2 - abs(d)) for d in (-1, 0, 1))
    return np.stack([np.asarray(across), np.asarray(down)], axis=1)


def _samples(soft: NDArray[np.uint8], at: Points) -> Points:
    """Bilinear samples at (..., 2) x, y."""
    height, width = soft.shape
    x, y = np.clip(at[..., 0], 0, width - 1.001), np.clip(at[..., 1], 0, height - 1.001)
    left, top = x.astype(np.intp), y.astype(np.intp)
    right_share, lower_share = x - left, y - top
    upper = soft[top, left] * (1 - right_share) + soft[top, left + 1] * right_share
    lower = soft[top + 1, left] * (1 - right_share) + soft[top + 1, left + 1] * right_share
    found: Points = upper * (1 - lower_share) + lower * lower_share
    return found


def _smoothed(line: Points) -> Points:
    """The pixel grid's small steps taken out of a closed line."""
    if len(line) < 8:
        return line
    reach = 2
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * _SMOOTHING**2))
    wrapped = np.concatenate([line[-reach:], line, line[:reach]])
    return np.stack(
        [np.convolve(wrapped[:, axis], weights / weights.sum(), "valid") for axis in (0, 1)], axis=1
    )


def _curve(line: Points, *, hole: bool) -> Curve:
    """Knots on a closed line: its polygon within the tolerance, rounded where it does not turn sharply."""
    kept: NDArray[Any] = cv2.approxPolyDP(line.astype(np.float32)[:, None], _TOLERANCE, closed=True)
    anchors = kept[:, 0].astype(np.float64)
    to_next = np.roll(anchors, -1, axis=0) - anchors
    step = np.maximum(np.hypot(to_next[:, 0], to_next[:, 1]), 1e-9)[:, None]
    ahead = to_next / step
    behind = np.roll(ahead, 1, axis=0)
    tangent = ahead + behind
    tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-9)[:, None]
    smooth = (ahead * behind).sum(axis=1) > _CORNER_COSINE
    reach = np.where(smooth, 1 / 3, 0.0)[:, None]
    before = anchors - tangent * np.roll(step, 1, axis=0) * reach
    after = anchors + tangent * step * reach
    return Curve(np.stack([before, anchors, after], axis=1), smooth, hole)
