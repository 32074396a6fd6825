"""From what networks have seen, or somebody has drawn, to a cutout; no network is needed any more."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mattebox.core.cutout import Cutout
from mattebox.core.matte.foreground import straight_foreground
from mattebox.core.matte.refine import refine_matte, refine_rough
from mattebox.core.parallel import both
from mattebox.core.photo.own_alpha import multiplied
from mattebox.core.report.advice import warn
from mattebox.core.report.confidence import confidence
from mattebox.core.report.cut_report import CutReport
from mattebox.core.report.features import measure
from mattebox.core.segment.boxes import subject_box
from mattebox.core.segment.view import close_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mattebox.core.photo import Photo, Pixels
    from mattebox.core.report.advice import Advice
    from mattebox.core.report.features import Features
    from mattebox.core.segment.segmentation import Sight
    from mattebox.core.settings import CutSettings


def go_on(step: str) -> None:
    """Stop at no step."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A photo that networks have looked at.

    small: the photo's pixels at the size of its view, (h, w, c); view: what the networks saw, (h, w, 3)
    uint8. probability: (h, w) float32 of the chosen subjects, `count` of them. device: where the networks
    ran; notes: why that is not the device that was asked for. seconds: by step.
    """

    photo: Photo
    settings: CutSettings
    small: Pixels
    view: NDArray[np.uint8]
    sight: Sight
    probability: NDArray[np.float32]
    count: int
    model: str
    device: str
    notes: tuple[str, ...]
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What a report says beside the matte's own facts."""

    model: str
    sure: float
    advice: Sequence[Advice]
    looks: tuple[str, ...] = ()
    device: str = "cpu"
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


def cut_seen(seen: Seen, heed: Callable[[str], None] = go_on) -> Cutout:
    """The cutout of what networks have seen: alpha at full resolution, clean colours, a report.

    heed: called with the name of each step before it; what it raises stops the work.
    """
    photo, settings, seconds = seen.photo, seen.settings, dict(seen.seconds)

    def measured() -> Features | None:
        with timed(seconds, "report"):
            return measure(seen.view, seen.sight, seen.probability, close_up(seen.photo, seen.view))

    def refined() -> Pixels:
        with timed(seconds, "refine"):
            return refine_matte(
                photo,
                seen.probability,
                settings.refine,
                seen.sight.detail,
                seen.small,
                learned=settings.quality != "fast",
            )

    heed("refine")
    features, alpha = both(measured, refined)
    advice = warn(features, seen.count, max(photo.width, photo.height))
    judgement = _Judgement(
        seen.model, confidence(features), advice, seen.sight.names, seen.device, seen.notes, seconds
    )
    return _cutout(photo, settings, alpha, judgement, heed)


def cut_drawn(
    photo: Photo, settings: CutSettings, rough: NDArray[np.float32], heed: Callable[[str], None] = go_on
) -> Cutout:
    """The cutout of a rough matte (h, w), of any size, 0..1, that somebody has drawn; as `cut_seen`."""
    # There is no network to doubt.
    advice = () if (rough >= 0.5).any() else warn(None, 0, 0)
    judgement = _Judgement("", 0.0 if advice else 1.0, advice)
    with timed(judgement.seconds, "refine", heed):
        alpha = refine_rough(photo, rough, settings.refine)
    return _cutout(photo, settings, alpha, judgement, heed)


def _cutout(
    photo: Photo, settings: CutSettings, alpha: Pixels, told: _Judgement, heed: Callable[[str], None]
) -> Cutout:
    if photo.alpha is not None and settings.input_alpha == "multiply":
        alpha = multiplied(alpha, photo.alpha)
    foreground = None
    if settings.decontaminate:
        with timed(told.seconds, "foreground", heed):
            foreground = straight_foreground(photo.pixels, alpha)
    box = subject_box(alpha)
    advice = told.advice if box is not None else warn(None, 0, 0)
    report = CutReport(
        model=told.model,
        confidence=round(told.sure, 4) if box else 0.0,
        warnings=tuple(item.name for item in advice),
        subject_box=box,
        seconds=told.seconds,
        looks=told.looks,
        device=told.device,
        notes=(*told.notes, *(item.sentence for item in advice)),
    )
    return Cutout(photo, alpha, foreground, report)


@contextmanager
def timed(seconds: dict[str, float], step: str, heed: Callable[[str], None] = go_on) -> Iterator[None]:
    """Add what the block takes to `seconds` of `step`; `heed` hears of the step before it."""
    heed(step)
    start = time.perf_counter()
    yield
    seconds[step] = round(seconds.get(step, 0.0) + time.perf_counter() - start, 4)
