"""Pointer: answers clicks and a box on one photo, each further one from what is remembered of it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.segment.prompt.choose import (
    blended,
    boxed,
    clicked_part,
    decided,
    disagreement,
    is_whole,
    meant,
    merges,
    recall,
    soft_iou,
    widest,
)
from mattebox.core.segment.prompt.frame import MASK, sigmoid
from mattebox.core.segment.prompt.further import anew, further
from mattebox.core.segment.prompt.network import CORNERS, IN, NONE, OUT

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from numpy.typing import NDArray

    from mattebox.core.segment.prompt.network import Encoded, Mark, Promptable
    from mattebox.core.segment.prompt.prompts import Click

    Map = NDArray[np.float32]
    Box = tuple[float, float, float, float]

# Answers that are kept, of at most 1.3 MiB each: undo and redo ask for them again.
_KEPT: Final = 24
_BEYOND: Final = -10.0
_FINEST: Final = 1e-4
# Where both networks share less than this of the thing at a single click it was not the one that was meant in
# one of three labelled photos, and half of it in the others.
DOUBTFUL: Final = 0.6
# Cells around a click that are changed at the least.
_TOUCH: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """An answer on the cells of a mask: `level` (rows, columns) float32 in 0..1.

    mask: the network's part in it, logits (rows, columns). salient: the part of the salient map that was
    pointed at, or None, and weight: where the network decides against it. logits: (256, 256), what a further
    prompt goes on from. agreement: what both networks share of a single click's thing, 0..1. begun: of a
    corrected answer the one that was corrected first.
    """

    level: Map
    mask: Map
    salient: Map | None
    logits: Map
    weight: Map | None = None
    agreement: float = 1.0
    begun: Step | None = None


class Pointer:
    """One photo's answers. Memory is bounded: an embedding of 4 MiB and the last answers."""

    def __init__(self, network: Promptable, encoded: Encoded, salient: Map) -> None:
        """salient: what the salient network says of the same view, (h, w) float32 in 0..1."""
        self._network, self._encoded = network, encoded
        self._salient = encoded.frame.lowered(salient)
        self._steps: OrderedDict[Hashable, Step] = OrderedDict()

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns of the answers."""
        return self._encoded.frame.cells

    def enlarged(self, step: Step | None, salient: Map) -> Map:
        """An answer at the view's size, (h, w) float32, with the finer edges of the salient map."""
        frame = self._encoded.frame
        if step is None:
            return np.zeros((frame.height, frame.width), np.float32)
        mask = frame.raised(step.mask)
        if step.begun is not None:
            weight = self._fine(disagreement(step.level, step.begun.level))
            return self.enlarged(step.begun, salient) * (1 - weight) + mask * weight
        if step.salient is None or step.weight is None:
            return mask
        # The parts that were pointed at, with the finer map's own levels.
        part = self._fine(np.asarray(step.salient / np.maximum(self._salient, _FINEST), np.float32))
        return blended(mask, np.asarray(salient * part, np.float32), self._fine(step.weight))

    def _fine(self, cells: Map) -> Map:
        """A map of the cells at the view's size."""
        size = (self._encoded.frame.width, self._encoded.frame.height)
        return np.asarray(cv2.resize(cells, size, interpolation=cv2.INTER_LINEAR), np.float32)

    def answer(
        self, clicks: Sequence[Click], box: Box | None = None, former: Map | None = None
    ) -> Step | None:
        """The answer to a box and clicks in their order, in pixels of the view; None where there are none.

        former: a matte (h, w) of any size in 0..1 to go on from. A prompt that was answered before is not
        asked again. Raises InferenceError.
        """
        # A digest: a matte of 24 megapixels has 96 MB, and every answer's key would hold them.
        matte = None if former is None else blake2b(former.tobytes()).digest()
        key: tuple[Hashable, ...] = (matte,)
        step: Step | None = None
        if former is not None:
            step = self._step(key, partial(self._former, former))
        if box is not None:
            key, before = (*key, box), step
            step = self._step(key, partial(self._box, box, before))
        for count in range(1, len(clicks) + 1):
            key, known, before = (*key, clicks[count - 1]), clicks[:count], step
            step = self._step(key, partial(self._click, known, box, before))
        return step

    def _step(self, key: Hashable, make: Callable[[], Step]) -> Step:
        if key not in self._steps:
            self._steps[key] = make()
            while len(self._steps) > _KEPT:
                self._steps.popitem(last=False)
        self._steps.move_to_end(key)
        return self._steps[key]

    def _former(self, matte: Map) -> Step:
        level = self._encoded.frame.lowered(matte)
        return Step(level, _logit(level), None, _whole(_logit(level)))

    def _box(self, box: Box, before: Step | None) -> Step:
        """The thing in a box."""
        former = None if before is None else [before.logits]
        (answer,) = self._network.answer(self._encoded, [_corners(box)], former)
        left, top, right, bottom = (round(edge * self._per_pixel) for edge in box)
        cells = left, top, max(right, left + 1), max(bottom, top + 1)
        salient = self._in_box(*cells)
        masks = [sigmoid(logits) for logits in answer.logits]
        best = boxed(masks, [min(float(guess), 1.0) for guess in answer.guesses], cells, salient)
        logits = answer.logits[best].copy()
        if salient is None:
            return Step(masks[best], logits, None, _whole(logits))
        # A box says more than a click: the network decides in every part.
        weight = disagreement(masks[best], salient)
        return Step(blended(masks[best], salient, weight), logits, salient, _whole(logits), weight)

    def _in_box(self, left: int, top: int, right: int, bottom: int) -> Map | None:
        """What of the salient map lies in a box of cells; None where that is nothing likely."""
        part = np.zeros_like(self._salient)
        part[top:bottom, left:right] = self._salient[top:bottom, left:right]
        return part if (part > 0.5).any() else None

    def _click(self, clicks: Sequence[Click], box: Box | None, before: Step | None) -> Step:
        if before is None:
            return self._first(clicks[-1])
        return self._further(clicks, box, before)

    def _first(self, click: Click) -> Step:
        mark = _mark(click)
        (answer,) = self._network.answer(self._encoded, [[mark, NONE]])
        logits, guesses = list(answer.logits), answer.guesses.tolist()
        masks = [sigmoid(item) for item in logits]
        salient = clicked_part(self._salient, *self._cell(click))
        if salient is None or merges(masks, guesses, salient):
            best = widest(masks, guesses)
            return Step(masks[best], logits[best].copy(), None, _whole(logits[best]))
        if is_whole(masks[-1], guesses[-1], salient):
            best, agreement = len(masks) - 1, recall(masks[-1], salient)
        else:
            rows, columns = np.nonzero(salient > 0.5)
            left, top = columns.min() / self._per_pixel, rows.min() / self._per_pixel
            right, bottom = (columns.max() + 1) / self._per_pixel, (rows.max() + 1) / self._per_pixel
            corners = _corners((float(left), float(top), float(right), float(bottom)))
            (boxed,) = self._network.answer(self._encoded, [[mark, *corners]])
            logits += list(boxed.logits)
            masks += [sigmoid(item) for item in boxed.logits]
            best = meant(masks, salient)
            agreement = soft_iou(masks[best], salient)
        weight = decided(masks[best], salient)
        level = blended(masks[best], salient, weight)
        # A copy: of the four masks that lie together one is kept.
        return Step(level, logits[best].copy(), salient, _whole(logits[best]), weight, agreement)

    def _further(self, clicks: Sequence[Click], box: Box | None, before: Step) -> Step:
        """The former answer corrected by one click more; never without what an earlier click marked."""
        marks = [*(() if box is None else _corners(box)), *(_mark(click) for click in clicks)]
        if box is None:
            marks.append(NONE)
        cells = [(*self._cell(click), click.inside) for click in clicks]
        (answer,) = self._network.answer(self._encoded, [marks], [before.logits])
        logits, guesses = list(answer.logits), answer.guesses.tolist()
        found = further(logits, guesses, before.level, cells)
        begun = before if before.begun is None else before.begun
        rows, columns = before.level.shape
        known = before.logits[:rows, :columns]
        if found is not None:
            whole = _whole(np.where(found.weight > 0.5, found.logits, known))
            return Step(found.level, _logit(found.level), None, whole, begun=begun)
        best = anew(logits, guesses, cells) if before.agreement < DOUBTFUL else -1
        if best >= 0:
            # All of a doubtful answer goes: it was another thing.
            return Step(sigmoid(logits[best]), logits[best].copy(), None, _whole(logits[best]))
        level = self._touched(before.level, clicks[-1])
        whole = _whole(np.where(level == before.level, known, _logit(level)))
        return Step(level, _logit(level), None, whole, agreement=before.agreement, begun=begun)

    def _touched(self, level: Map, click: Click) -> Map:
        """The answer with no more changed than a small disc around the click."""
        changed = level.copy()
        cv2.circle(changed, self._cell(click), _TOUCH, float(click.inside), cv2.FILLED)
        return changed

    @property
    def _per_pixel(self) -> float:
        """Cells per pixel of the view."""
        return self._encoded.frame.scale / 4

    def _cell(self, click: Click) -> tuple[int, int]:
        rows, columns = self._encoded.frame.cells
        return min(int(click.x * self._per_pixel), columns - 1), min(int(click.y * self._per_pixel), rows - 1)


def _mark(click: Click) -> Mark:
    return click.x, click.y, IN if click.inside else OUT


def _corners(box: Box) -> list[Mark]:
    return [(box[0], box[1], CORNERS[0]), (box[2], box[3], CORNERS[1])]


def _logit(level: Map) -> Map:
    """Levels of 0..1 as logits."""
    level = np.clip(level, _FINEST, 1 - _FINEST)
    return np.asarray(np.log(level / (1 - level)), np.float32)


def _whole(logits: Map) -> Map:
    """Logits of a mask's cells in the network's own frame, (256, 256)."""
    whole = np.full((MASK, MASK), _BEYOND, np.float32)
    whole[: logits.shape[0], : logits.shape[1]] = logits
    return whole
