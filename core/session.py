"""Session: a photo looked at once, and then asked again and again what a person points at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

import cv2
import numpy as np

from mattebox.core.matting import cut_segmented, no_op, timed
from mattebox.core.report.advice import Advice
from mattebox.core.segment.prepare import network_input
from mattebox.core.segment.prompt.alone import found_alone
from mattebox.core.segment.prompt.choose import disagreement
from mattebox.core.segment.prompt.places import middle
from mattebox.core.segment.prompt.pointer import DOUBTFUL, Pointer
from mattebox.core.segment.prompt.prompts import Click, Prompts
from mattebox.core.segment.subject import choose_subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mattebox.core.cutout import Cutout
    from mattebox.core.matting import SegmentedPhoto
    from mattebox.core.network.segmenter import Segmenter
    from mattebox.core.photo import Photo
    from mattebox.core.segment.prompt.network import Promptable
    from mattebox.core.settings import CutSettings

    Box = tuple[float, float, float, float]
    Map = NDArray[np.float32]
    Mask = NDArray[np.bool_]

# Of all the strokes of a side so many are shown to the network, the largest ones, by a point in their middle.
_STROKES: Final = 4
_NO_CURVE: Final = (
    "How often a matte that was pointed at is right has not been measured; its confidence is that of the "
    "networks' looks without pointing."
)


class Networks(Protocol):
    """The loaded networks that a session asks, as an Engine has them."""

    def segment_salient(
        self, photo: Photo, settings: CutSettings, *, on_step: Callable[[str], None] = no_op
    ) -> SegmentedPhoto:
        """What stands out in a photo by itself."""

    def segmenter(self, settings: CutSettings) -> Segmenter:
        """The salient network that settings name."""

    def promptable(self, *, fetch: bool = True) -> tuple[Promptable | None, str | None]:
        """The network that answers clicks, or the sentence that says why there is none."""


def open_session(
    engine: Networks,
    photo: Photo,
    settings: CutSettings,
    *,
    fetch: bool = True,
    on_step: Callable[[str], None] = no_op,
) -> Session:
    """A session on `photo`: networks look at it here, and all its answers come from what they said.

    settings: how it is cut; its prompts are not heard here. fetch: whether the promptable network may be
    fetched where it is missing. on_step: called with each step's name before it. Raises what
    Engine.segmenter() raises; that the promptable network is missing is no error.
    """
    segmented = engine.segment_salient(photo, settings, on_step=on_step)
    network, missing = engine.promptable(fetch=fetch)
    if network is None:
        return Session(segmented, None, segmenter=engine.segmenter(settings), missing=missing)
    own_alpha = settings.input_alpha == "multiply"
    encoded = segmented.encoded
    # A click's choice among masks hangs on less than the judge's: what he was asked with does not serve.
    if encoded is None or not encoded.padded:
        with timed(segmented.seconds, "encode", on_step):
            encoded = network.encode(
                network_input(photo, max(segmented.view.shape), own_alpha=own_alpha).enhanced
            )
    return Session(
        segmented, Pointer(network, encoded, segmented.segmentation.salient), network=network.network.name
    )


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What prompts amount to, at the view's size: level (h, w) float32 in 0..1, ready to be shown.

    advice: what was not found. network: the promptable network that answered, or None.
    """

    level: Map
    advice: tuple[Advice, ...]
    network: str | None


class Session:
    """One photo and what networks know of it. Memory: its view, their looks, and the last few answers.

    Threads may not share one.
    """

    def __init__(
        self,
        segmented: SegmentedPhoto,
        pointer: Pointer | None,
        *,
        segmenter: Segmenter | None = None,
        network: str | None = None,
        missing: str | None = None,
    ) -> None:
        """As open_session() makes one: segmented and pointer are what networks know of the photo.

        segmenter: looks closer where there is no pointer. network: the name of the one that answers; missing:
        the sentence that says why there is none.
        """
        self.segmented = segmented
        self._pointer, self._segmenter = pointer, segmenter
        self._network, self._missing = network, missing

    def on(self, segmented: SegmentedPhoto) -> Session:
        """A session on a copy of the photo, in another size or by other settings, from the same answers."""
        return Session(
            segmented, self._pointer, segmenter=self._segmenter, network=self._network, missing=self._missing
        )

    @property
    def scale(self) -> float:
        """Pixels of the view per pixel of the photo."""
        return float(self.segmented.view.shape[1] / self.segmented.photo.width)

    def answer(self, prompts: Prompts) -> Answer:
        """What is pointed at, at the view's size; to show at once. Raises InferenceError."""
        level, _, agreement = self._level(prompts)
        return Answer(level, self._advice(level, prompts, agreement), self._network)

    def cut(self, prompts: Prompts, on_step: Callable[[str], None] = no_op) -> Cutout:
        """The cutout of what is pointed at, at the photo's full resolution. Raises InferenceError."""
        return cut_segmented(self.pointed(prompts), on_step)

    def pointed(self, prompts: Prompts) -> SegmentedPhoto:
        """What networks have segmented, with what is pointed at as its subject. Raises InferenceError."""
        segmented = self.segmented
        if not prompts:
            return segmented
        seconds = dict(segmented.seconds)
        with timed(seconds, "point"):
            level, changed, agreement = self._level(prompts)
            advice = self._advice(level, prompts, agreement)
        detail = segmented.segmentation.detail
        if self._pointer is not None:
            # An answer's cells are as coarse as a network's input of that many pixels.
            detail = max(detail, max(level.shape) / max(self._pointer.cells))
        count, _ = cv2.connectedComponents((level >= 0.5).astype(np.uint8))
        return replace(
            segmented,
            segmentation=replace(segmented.segmentation, detail=detail),
            probability=level,
            count=count - 1,
            notes=(*segmented.notes, *((self._missing,) if self._missing else ()), _NO_CURVE),
            seconds=seconds,
            prompts=prompts,
            changed=changed,
            advice=advice,
            pointed_by=self._network,
        )

    def _level(self, prompts: Prompts) -> tuple[Map, Map | None, float]:
        """The answer at the view's size, where it differs from a former matte, and how far networks agree."""
        clicks = [Click(c.x * self.scale, c.y * self.scale, c.inside) for c in _with_strokes(prompts)]
        box = None if prompts.box is None else _scaled(prompts.box, self.scale)
        former, agreement = prompts.former, 1.0
        height, width = self.segmented.view.shape[:2]
        if not clicks and box is None:
            level = self.segmented.probability if former is None else _at(former, width, height)
            return level, None, agreement
        if self._pointer is None:
            base = self._in_box(box) if former is None else _at(former, width, height)
            level = self._alone(base, clicks)
        else:
            step = self._pointer.answer(clicks, box, former)
            level = self._pointer.enlarged(step, self.segmented.segmentation.salient)
            agreement = 1.0 if step is None else step.agreement
        level = self._tidied(level, clicks)
        changed = None if former is None else disagreement(level, _at(former, width, height))
        return level, changed, agreement

    def _alone(self, base: Map, clicks: list[Click]) -> Map:
        if self._segmenter is None:
            return base
        return found_alone(self.segmented.view, self._segmenter, base, clicks)

    def _in_box(self, box: Box | None) -> Map:
        """What the salient network found, within a box where there is one."""
        found = self.segmented.segmentation.probability
        if box is None:
            return found
        settings = self.segmented.settings.model_copy(update={"subject": box})
        chosen, _ = choose_subject(found, settings)
        return chosen

    def _tidied(self, level: Map, clicks: list[Click]) -> Map:
        """Without specks and holes, but for those that were clicked at."""
        settings = self.segmented.settings.model_copy(update={"subject": "auto"})
        tidy, _ = choose_subject(level, settings, self.scale)
        for click in clicks:
            y, x = (
                min(int(place), side - 1) for place, side in zip((click.y, click.x), level.shape, strict=True)
            )
            same = level >= 0.5 if click.inside else level < 0.5
            if same[y, x] and (tidy[y, x] >= 0.5) != click.inside:
                _, labels = cv2.connectedComponents(same.astype(np.uint8))
                part = labels == labels[y, x]
                tidy = np.where(part, level, tidy)
        return np.asarray(tidy, np.float32)

    def _advice(self, level: Map, prompts: Prompts, agreement: float) -> tuple[Advice, ...]:
        missed = [click for click in prompts.clicks if not self._holds(level, click)]
        if missed:
            where = " and ".join(f"{click.x:g},{click.y:g}" for click in missed)
            sentence = f"Nothing was found for the point {where}; give another point or a box."
        elif agreement < DOUBTFUL:
            sentence = (
                f"No one thing was found at the point (the networks share {agreement:.0%} of it); "
                "give another point or a box."
            )
        elif self._pointer is None and prompts.clicks and self._same(level):
            sentence = (
                "Pointing changed nothing; fetch the network for it with 'mattebox models pull mobile-sam'."
            )
        else:
            return ()
        return (Advice("point_not_found", sentence),)

    def _same(self, level: Map) -> bool:
        """Whether the answer is what is found without pointing."""
        return bool(((level >= 0.5) == (self.segmented.segmentation.probability >= 0.5)).all())

    def _holds(self, level: Map, click: Click) -> bool:
        height, width = level.shape
        x, y = min(int(click.x * self.scale), width - 1), min(int(click.y * self.scale), height - 1)
        around = level[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
        return bool(around.max() >= 0.5) if click.inside else bool(around.min() < 0.5)


def _scaled(box: Box, scale: float) -> Box:
    left, top, right, bottom = box
    return left * scale, top * scale, right * scale, bottom * scale


def _at(level: Map, width: int, height: int) -> Map:
    return np.asarray(cv2.resize(level, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _with_strokes(prompts: Prompts) -> list[Click]:
    """Clicks, and behind them one in the middle of each large stroke: they correct what a click has found.

    Behind, as clicks that were answered stay answered while a person paints.
    """
    strokes = prompts.strokes
    if strokes is None:
        return list(prompts.clicks)
    drawn = [Click(x, y) for x, y in _middles(strokes.inside)]
    drawn += [Click(x, y, inside=False) for x, y in _middles(strokes.outside)]
    return [*prompts.clicks, *drawn]


def _middles(mask: Mask) -> list[tuple[float, float]]:
    _, labels, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    order = np.argsort(-facts[1:, cv2.CC_STAT_AREA])[:_STROKES] + 1
    found = (middle(np.asarray(labels == part)) for part in order)
    return [(float(place[0]), float(place[1])) for place in found if place is not None]
