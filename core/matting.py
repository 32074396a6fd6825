"""From a segmentation, or a rough mask, to a cutout; no network is needed any more."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mattebox.core.cutout import Cutout
from mattebox.core.matte.foreground import straight_foreground
from mattebox.core.matte.refine import refine_matte, refine_rough
from mattebox.core.parallel import both
from mattebox.core.photo.own_alpha import multiplied
from mattebox.core.report.advice import warn
from mattebox.core.report.confidence import confidence
from mattebox.core.report.cut_report import CutReport
from mattebox.core.report.features import measure
from mattebox.core.segment.backdrop import even_backdrop
from mattebox.core.segment.boxes import subject_box
from mattebox.core.segment.enclosed import enclosed_backdrop
from mattebox.core.segment.view import close_up
from mattebox.core.settings.backdrop import LearntBackdrop, LitBackdrop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mattebox.core.photo import Photo, Pixels
    from mattebox.core.report.advice import Advice
    from mattebox.core.report.features import Features
    from mattebox.core.segment.backdrop import Backdrop
    from mattebox.core.segment.enclosed import Enclosed
    from mattebox.core.segment.prediction import Frame
    from mattebox.core.segment.prompt.network import Encoded
    from mattebox.core.segment.prompt.prompts import Prompts
    from mattebox.core.segment.segmentation import Segmentation
    from mattebox.core.settings import CutSettings


_OTHER_SET: Final = (
    "The photo of the empty set does not show what surrounds the subject, so it was not used; take it anew "
    "from the same place, in the same light."
)


_OTHER_LIGHT: Final = (
    "The exposure with the lit backdrop does not show the subject before an even light, so it was not used."
)


def no_op(step: str) -> None:
    """Stop at no step."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentedPhoto:
    """A photo and its segmentation.

    small: the photo's pixels at the size of its view, (h, w, c); view: what the networks saw, (h, w, 3)
    uint8. probability: (h, w) float32 of the chosen subjects, `count` of them. device: where the networks
    ran; notes: why that is not the device that was asked for. seconds: by step. prompts: what a person has
    pointed at, if anything; changed: where that differs from the former matte they go on from; advice: what
    of it was not found; pointed_by: the network that answered. judge: the network that judged parts, if any;
    encoded: what it remembers of the view.
    """

    photo: Photo
    settings: CutSettings
    small: Pixels
    view: NDArray[np.uint8]
    segmentation: Segmentation
    probability: NDArray[np.float32]
    count: int
    model: str
    device: str
    notes: tuple[str, ...]
    seconds: dict[str, float]
    prompts: Prompts | None = None
    changed: NDArray[np.float32] | None = None
    advice: tuple[Advice, ...] = ()
    pointed_by: str | None = None
    judge: str | None = None
    encoded: Encoded | None = None

    @property
    def undecided(self) -> tuple[Frame, ...]:
        """Boxes of parts that may or may not belong to the subject, in pixels of the photo."""
        judgement = self.segmentation.judgement
        if judgement is None or self.prompts is not None:
            return ()
        across, down = self.photo.width / self.view.shape[1], self.photo.height / self.view.shape[0]
        return tuple(
            (
                int(left * across),
                int(top * down),
                min(self.photo.width, ceil(right * across)),
                min(self.photo.height, ceil(bottom * down)),
            )
            for left, top, right, bottom in judgement.undecided
        )


@dataclass(frozen=True, slots=True)
class _Assessment:
    """What a report says beside the matte's own facts."""

    model: str
    sure: float
    advice: Sequence[Advice]
    looks: tuple[str, ...] = ()
    device: str = "cpu"
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    judge: str | None = None
    undecided: tuple[tuple[int, int, int, int], ...] = ()
    learnt_from: int = 0


def cut_segmented(segmented: SegmentedPhoto, on_step: Callable[[str], None] = no_op) -> Cutout:
    """The cutout of a segmented photo: alpha at full resolution, clean colours, a report.

    on_step: called with the name of each step before it; what it raises stops the work.
    """
    photo, settings, seconds = segmented.photo, segmented.settings, dict(segmented.seconds)
    with timed(seconds, "backdrop"):
        backdrop, unfit = _backdrop(segmented)
        enclosed = _enclosed(segmented, backdrop)
    chosen = segmented.probability if enclosed is None else enclosed.out_of(segmented.probability)

    def measured() -> Features | None:
        with timed(seconds, "report"):
            return measure(
                segmented.view,
                segmented.segmentation,
                chosen,
                close_up(segmented.photo, segmented.view),
            )

    def refined() -> Pixels:
        with timed(seconds, "refine"):
            return refine_matte(
                photo,
                segmented.probability,
                settings.refine,
                segmented.segmentation.detail,
                segmented.small,
                learned=settings.quality != "fast",
            )

    on_step("refine")
    features, alpha = both(measured, refined)
    longest = max(photo.width, photo.height)
    doubtful = () if enclosed is None else _of_photo(enclosed.doubtful, segmented)
    told = warn(
        features,
        segmented.count,
        longest,
        segmented.undecided,
        quality=photo.quality,
        enclosed=doubtful,
    )
    advice = (*told, *segmented.advice)
    silhouette, unmeasured = _silhouette(segmented)
    if silhouette is not None:
        alpha = silhouette
    elif enclosed is not None and enclosed.open.any():
        from mattebox.core.matte.see_through import without_enclosed  # noqa: PLC0415 - only where it is seen

        with timed(seconds, "backdrop"):
            alpha = without_enclosed(photo, alpha, enclosed)
    if segmented.prompts is not None:
        from mattebox.core.matte.paint import painted  # noqa: PLC0415 - only where somebody has pointed

        alpha = painted(photo, alpha, segmented.prompts, segmented.changed, settings.refine)
    looks = (
        segmented.segmentation.names
        if segmented.pointed_by is None
        else (*segmented.segmentation.names, f"{segmented.pointed_by} prompts")
    )
    assessment = _Assessment(
        segmented.model,
        confidence(features, doubtful=bool(doubtful)),
        advice,
        looks,
        segmented.device,
        (*segmented.notes, *unfit, *unmeasured),
        seconds,
        segmented.judge,
        segmented.undecided,
        0 if backdrop is None else backdrop.learnt_from,
    )
    return _cutout(photo, settings, alpha, assessment, on_step)


def _backdrop(segmented: SegmentedPhoto) -> tuple[Backdrop | None, tuple[str, ...]]:
    """What is behind the subject, where that is known and nobody has pointed at anything; notes about it."""
    photo, settings = segmented.photo, segmented.settings
    if settings.backdrop == "none" or segmented.prompts is not None:
        return None, ()
    # The colours that a photo hides are arbitrary.
    if photo.alpha is not None or not segmented.count:
        return None, ()
    view, probability = segmented.view, segmented.probability
    if isinstance(settings.backdrop, Path):
        from mattebox.core.matte.set_photos import photo_of_set  # noqa: PLC0415 - only where there is one

        empty = photo_of_set(settings.backdrop, "the photo of the empty set", photo, settings)
        known, unfit = even_backdrop(view, probability, empty), _OTHER_SET
    elif isinstance(settings.backdrop, LearntBackdrop):
        from mattebox.core.segment.set_files import learnt_backdrop  # noqa: PLC0415 - only where one is

        known, unfit = learnt_backdrop(settings.backdrop.learnt, view, probability)
    else:
        known, unfit = None, ""
    notes = (unfit,) if known is None and unfit else ()
    return known or even_backdrop(view, probability), notes


def _enclosed(segmented: SegmentedPhoto, backdrop: Backdrop | None) -> Enclosed | None:
    """What the subject encloses of the backdrop."""
    if backdrop is None:
        return None
    return enclosed_backdrop(segmented.view, segmented.probability, backdrop)


def _silhouette(segmented: SegmentedPhoto) -> tuple[Pixels | None, tuple[str, ...]]:
    """Alpha measured by a second exposure, where settings name one; notes about that."""
    photo, settings = segmented.photo, segmented.settings
    if not isinstance(settings.backdrop, LitBackdrop) or segmented.prompts is not None:
        return None, ()
    from mattebox.core.matte.lit_backdrop import measured_alpha  # noqa: PLC0415 - only where there is one
    from mattebox.core.matte.set_photos import photo_of_set  # noqa: PLC0415

    path = settings.backdrop.beside(photo.source)
    lit = photo_of_set(path, "the exposure with the lit backdrop", photo, settings)
    alpha = measured_alpha(photo, lit, segmented.probability)
    return alpha, () if alpha is not None else (_OTHER_LIGHT,)


def _of_photo(boxes: Sequence[Frame], segmented: SegmentedPhoto) -> tuple[Frame, ...]:
    """Boxes of the view in pixels of the photo."""
    photo, (height, width) = segmented.photo, segmented.view.shape[:2]
    across, down = photo.width / width, photo.height / height
    return tuple(
        (int(left * across), int(top * down), ceil(right * across), ceil(bottom * down))
        for left, top, right, bottom in boxes
    )


def cut_rough(
    photo: Photo, settings: CutSettings, rough: NDArray[np.float32], on_step: Callable[[str], None] = no_op
) -> Cutout:
    """The cutout of a rough matte (h, w), of any size, 0..1, made by hand; as `cut_segmented`."""
    # There is no network to doubt.
    advice = () if (rough >= 0.5).any() else warn(None, 0, 0)
    assessment = _Assessment("", 0.0 if advice else 1.0, advice)
    with timed(assessment.seconds, "refine", on_step):
        alpha = refine_rough(photo, rough, settings.refine)
    return _cutout(photo, settings, alpha, assessment, on_step)


def _cutout(
    photo: Photo,
    settings: CutSettings,
    alpha: Pixels,
    assessment: _Assessment,
    on_step: Callable[[str], None],
) -> Cutout:
    if photo.alpha is not None and settings.input_alpha == "multiply":
        alpha = multiplied(alpha, photo.alpha)
    foreground = None
    if settings.decontaminate:
        with timed(assessment.seconds, "foreground", on_step):
            foreground = straight_foreground(photo.pixels, alpha)
    box = subject_box(alpha)
    advice = assessment.advice if box is not None else warn(None, 0, 0)
    report = CutReport(
        model=assessment.model,
        confidence=round(assessment.sure, 4) if box else 0.0,
        warnings=tuple(item.name for item in advice),
        subject_box=box,
        seconds=assessment.seconds,
        judge=assessment.judge,
        undecided=assessment.undecided if box else (),
        learnt_from=assessment.learnt_from if box else 0,
        looks=assessment.looks,
        device=assessment.device,
        notes=(*assessment.notes, *(item.sentence for item in advice)),
    )
    return Cutout(photo, alpha, foreground, report)


@contextmanager
def timed(seconds: dict[str, float], step: str, on_step: Callable[[str], None] = no_op) -> Iterator[None]:
    """Add what the block takes to `seconds` of `step`; `on_step` is called with the step before it."""
    on_step(step)
    start = time.perf_counter()
    yield
    seconds[step] = round(seconds.get(step, 0.0) + time.perf_counter() - start, 4)
