"""Where the frame of a photo lies on the finished picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mattebox.core.errors import SettingsError

if TYPE_CHECKING:
    from mattebox.core.photo import Pixels
    from mattebox.core.settings import FinishSettings

Box = tuple[int, int, int, int]
FineBox = tuple[float, float, float, float]

# What counts as visible: strands of hair do, a faint haze does not.
_VISIBLE: Final = 0.1
_SLACK: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Placement:
    """A box of the photo and the box on the canvas that it fills: left, top, right, bottom in pixels."""

    canvas: tuple[int, int]
    source: FineBox
    target: FineBox

    @property
    def scale(self) -> tuple[float, float]:
        """Canvas pixels for one pixel of the photo, across and down; they differ by rounding alone."""
        across = (self.target[2] - self.target[0]) / (self.source[2] - self.source[0])
        down = (self.target[3] - self.target[1]) / (self.source[3] - self.source[1])
        return across, down


def visible_box(alpha: Pixels) -> Box | None:
    """The smallest box of whole pixels that holds all alpha above a tenth, or None: hair and all."""
    shown = alpha > np.iinfo(alpha.dtype).max * _VISIBLE
    rows = np.flatnonzero(shown.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(shown.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def solid_box(alpha: Pixels) -> FineBox | None:
    """Where alpha crosses one half, in fractions of pixels, or None.

    The half is the edge itself, however soft it is; so the same subject has the same box at any
    position and size, which no lower threshold gives.
    """
    across = _crossings(alpha.max(axis=0))
    down = _crossings(alpha.max(axis=1))
    if across is None or down is None:
        return None
    return across[0], down[0], across[1], down[1]


def _crossings(profile: Pixels) -> tuple[float, float] | None:
    """First and last place where a profile crosses one half, between the middles of its pixels."""
    level = np.iinfo(profile.dtype).max / 2
    shown = np.flatnonzero(profile > level)
    if shown.size == 0:
        return None
    first, last = int(shown[0]), int(shown[-1])
    start, end = float(first), float(last + 1)
    if first > 0:
        low, high = float(profile[first - 1]), float(profile[first])
        start = first - 0.5 + (level - low) / (high - low)
    if last + 1 < profile.size:
        low, high = float(profile[last + 1]), float(profile[last])
        end = last + 1.5 - (level - low) / (high - low)
    return start, end


def place(frame: FineBox, settings: FinishSettings) -> Placement:
    """The canvas and the frame's box on it. Pure arithmetic: equal frames give equal boxes.

    At the photo's own size both boxes are whole pixels. Raises SettingsError where margins leave no room.
    """
    placed = _framed(_outward(frame), settings) if settings.canvas is None else _on_canvas(frame, settings)
    return placed if settings.megapixels is None else _at_most(placed, settings.megapixels * 1e6)


def _on_canvas(frame: FineBox, settings: FinishSettings) -> Placement:
    assert settings.canvas is not None  # noqa: S101 - place() has asked
    width, height = settings.canvas
    margin = settings.margin
    left, right = margin.left.pixels(width), margin.right.pixels(width)
    top, bottom = margin.top.pixels(height), margin.bottom.pixels(height)
    across, down = width - left - right, height - top - bottom
    if across < 1 or down < 1:
        raise SettingsError(
            f"finish.margin leaves no room on a canvas of {width} x {height} pixels; "
            f"choose smaller margins or a larger canvas."
        )
    scale = _scale(frame, settings, across, down)
    if scale == 1.0:
        frame = _outward(frame)
    target_width, target_height = (frame[2] - frame[0]) * scale, (frame[3] - frame[1]) * scale
    start = left + (across - target_width) * settings.position[0] / 100
    upper = top + (down - target_height) * settings.position[1] / 100
    if all(value == int(value) for value in frame):
        start, upper = round(start), round(upper)
        target_width, target_height = max(1, round(target_width)), max(1, round(target_height))
    return Placement((width, height), frame, (start, upper, start + target_width, upper + target_height))


def _at_most(placed: Placement, pixels: float) -> Placement:
    """The same picture with at most so many pixels, never larger; its shape differs by rounding alone."""
    width, height = placed.canvas
    if width * height <= pixels:
        return placed
    scale = math.sqrt(pixels / (width * height))
    canvas = max(1, math.floor(width * scale + _SLACK)), max(1, math.floor(height * scale + _SLACK))
    across, down = canvas[0] / width, canvas[1] / height
    left, top, right, bottom = placed.target
    return Placement(canvas, placed.source, (left * across, top * down, right * across, bottom * down))


def _scale(frame: FineBox, settings: FinishSettings, across: float, down: float) -> float:
    ratios = (across / (frame[2] - frame[0]), down / (frame[3] - frame[1]))
    share = settings.scale / 100
    return {
        "contain": min(ratios) * share,
        "cover": max(ratios) * share,
        "shrink": min(1.0, min(ratios) * share),
        "none": 1.0,
    }[settings.fit]


def _outward(frame: FineBox) -> Box:
    """The whole pixels that a box touches; what is a rounding error beyond a pixel's edge is not."""
    left, top = math.floor(frame[0] + _SLACK), math.floor(frame[1] + _SLACK)
    return left, top, math.ceil(frame[2] - _SLACK), math.ceil(frame[3] - _SLACK)


def _framed(frame: Box, settings: FinishSettings) -> Placement:
    """The frame at its own size with its margins around it."""
    width, height = frame[2] - frame[0], frame[3] - frame[1]
    longest = max(width, height)
    margin = settings.margin
    left, top = round(margin.left.pixels(longest)), round(margin.top.pixels(longest))
    right, bottom = round(margin.right.pixels(longest)), round(margin.bottom.pixels(longest))
    canvas = (left + width + right, top + height + bottom)
    return Placement(canvas, frame, (left, top, left + width, top + height))
