"""What a person has pointed at, in the order it was said, and where the window looks. No GIMP, no GTK.

Standard library only, Python 3.9 and later. Places are pixels of the layer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mattebox.gimp_plugin.mattebox.point_request import PointRequest
else:
    try:
        from point_request import PointRequest
    except ImportError:  # imported as a part of mattebox, not run by GIMP
        from mattebox.gimp_plugin.mattebox.point_request import PointRequest

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
CLOSEST, FARTHEST = 32.0, 1 / 64


@dataclass
class Said:
    """Clicks, boxes and strokes; undo takes the last one back, whatever it was."""

    words: list[tuple[str, Any]] = field(default_factory=list)

    def click(self, x: float, y: float, inside: bool) -> None:
        """A point of the subject, or one that is none of it."""
        self.words.append(("click", [x, y, inside]))

    def box(self, x: float, y: float, to_x: float, to_y: float) -> None:
        """A box around the subject, by two of its corners; it replaces one that was there."""
        self.words.append(("box", [min(x, to_x), min(y, to_y), max(x, to_x), max(y, to_y)]))

    def stroke(self, say: str, size: float, points: Iterable[Iterable[float]]) -> None:
        """A brush's stroke: in, out or unsure."""
        self.words.append(("stroke", {"say": say, "size": size, "points": [list(point) for point in points]}))

    def undo(self) -> None:
        """Take back what was said last."""
        del self.words[-1:]

    def request(self, edges: dict[str, Any], full: bool = False) -> PointRequest:
        """What is asked of the engine."""
        boxes = [value for word, value in self.words if word == "box"]
        return PointRequest(
            clicks=[value for word, value in self.words if word == "click"],
            box=boxes[-1] if boxes else None,
            strokes=[value for word, value in self.words if word == "stroke"],
            edges=edges,
            full=full,
        )


@dataclass
class Viewport:
    """Where a picture lies in a window: `scale` window pixels per pixel of the layer, from `left`, `top`."""

    scale: float = 1.0
    left: float = 0.0
    top: float = 0.0

    def fit(self, layer: tuple[int, int], window: tuple[int, int]) -> None:
        """Show the whole layer in the middle of the window."""
        self.scale = min(window[0] / layer[0], window[1] / layer[1])
        self.left = (window[0] - layer[0] * self.scale) / 2
        self.top = (window[1] - layer[1] * self.scale) / 2

    def zoom(self, factor: float, x: float, y: float) -> None:
        """Come closer or go away; the place under x, y of the window stays there."""
        scale = min(max(self.scale * factor, FARTHEST), CLOSEST)
        self.left = x - (x - self.left) * scale / self.scale
        self.top = y - (y - self.top) * scale / self.scale
        self.scale = scale

    def pan(self, x: float, y: float) -> None:
        """Move the picture by so many pixels of the window."""
        self.left, self.top = self.left + x, self.top + y

    def place(self, x: float, y: float) -> tuple[float, float]:
        """The layer's place under a place of the window."""
        return (x - self.left) / self.scale, (y - self.top) / self.scale

    def shown(self, x: float, y: float) -> tuple[float, float]:
        """The window's place of a place of the layer."""
        return x * self.scale + self.left, y * self.scale + self.top


def read_points(text: str) -> list[tuple[float, float]]:
    """The points of "X,Y X,Y". Raises ValueError."""
    points = []
    for group in text.split():
        numbers = group.split(",")
        if len(numbers) != 2 or not all(NUMBER.fullmatch(number) for number in numbers):
            raise ValueError(group)
        points.append((float(numbers[0]), float(numbers[1])))
    return points


def read_box(text: str) -> tuple[float, float, float, float]:
    """The box of "LEFT,TOP,RIGHT,BOTTOM". Raises ValueError."""
    numbers = [number.strip() for number in text.split(",")]
    if len(numbers) != 4 or not all(NUMBER.fullmatch(number) for number in numbers):
        raise ValueError(text)
    left, top, right, bottom = (float(number) for number in numbers)
    if left >= right or top >= bottom:
        raise ValueError(text)
    return left, top, right, bottom
