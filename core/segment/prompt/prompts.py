"""Prompts: all that a person has said of one photo, as arrays and numbers in its pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Click:
    """A point in pixels of the photo, and whether the subject is there."""

    x: float
    y: float
    inside: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Strokes:
    """What was painted over a photo, three masks (h, w) of its size: subject, not, and to be solved again."""

    inside: Mask
    outside: Mask
    unsure: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Prompts:
    """Clicks in their order, a box (left, top, right, bottom), strokes, and a matte to go on from.

    former: (h, w) float32 in 0..1 of the photo's size. Undo is the same prompts without the last.
    """

    clicks: tuple[Click, ...] = ()
    box: tuple[float, float, float, float] | None = None
    strokes: Strokes | None = None
    former: Map | None = None

    def __bool__(self) -> bool:
        """Whether anything was said."""
        return bool(self.clicks or self.box or self.strokes is not None or self.former is not None)

    def with_click(self, x: float, y: float, *, inside: bool = True) -> Prompts:
        """The same and one click more."""
        return replace(self, clicks=(*self.clicks, Click(x, y, inside)))
