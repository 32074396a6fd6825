"""CutReport: what the engine says about its own matte."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CutReport:
    """What is known about one matte without knowing the truth.

    confidence: 0..1. warnings: names. subject_box: left, top, right, bottom in pixels of the
    photo (right and bottom exclusive), or None where there is no subject. seconds: by step.
    looks: which networks looked where, as the fusion let them in. device: where they ran. notes:
    sentences such as why that is not the device that was asked for. judge: the network that judged whole
    parts, or None. undecided: boxes in pixels of the photo, as subject_box, of parts that may or may not
    belong to the subject. learnt_from: how many photos the set was learnt from by which the backdrop was
    told; 0 where none was.
    """

    model: str
    confidence: float
    warnings: tuple[str, ...] = ()
    subject_box: tuple[int, int, int, int] | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    looks: tuple[str, ...] = ()
    device: str = "cpu"
    notes: tuple[str, ...] = ()
    judge: str | None = None
    undecided: tuple[tuple[int, int, int, int], ...] = ()
    learnt_from: int = 0
