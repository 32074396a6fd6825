"""Judgement: what the judge made of a map, and how sure of it one can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mattebox.core.segment.prediction import Frame

    Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shared:
    """What a map and the judge have in common, 0..1 each; 0 where there is nothing to ask the judge about.

    agreement: of the map and its opinions; unity: of its opinions among themselves. half_seen: the area of
    the map that is neither in nor out and wider than an edge, over the subject's; 0 upwards.
    """

    agreement: float
    unity: float
    half_seen: float

    @property
    def common(self) -> float:
        """How far the map and all opinions say the same, 0..1."""
        return self.agreement * self.unity


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What a judged map is: `probability` (h, w) float32 in 0..1.

    agreement: what the salient map and the judge share, 0..1; unity: the judge's opinions among themselves.
    undecided: boxes (left, top, right, bottom) in pixels of the view, of parts that may or may not belong to
    the subject, the largest first; doubt: their share of the subject.
    """

    probability: Map
    agreement: float
    unity: float
    undecided: tuple[Frame, ...] = ()
    doubt: float = 0.0
