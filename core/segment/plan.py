"""Plan: which looks at a photo are taken, and whether the judge is asked; decided from their answers alone.

A first look that is sure stands alone. Else the judge gives the second opinion, for it sees other things than
a mirrored look does; where its answers agree with each other and with the look, that is enough. Then comes
the mirrored look, and where the two or the judge still disagree the closer one. Without a judge the mirrored
look is the second opinion. Against all looks and the judge at each photo the maps of no set of labelled
photos lose more than .001 of IoU (docs/architecture.md).
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mattebox.core.segment.fusion import overlap
from mattebox.core.segment.judge.judge import ask, decide
from mattebox.core.segment.segmentation import Segmentation, segment
from mattebox.core.segment.sure import is_sure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mattebox.core.network.segmenter import Segmenter
    from mattebox.core.segment.judge.judgement import Shared
    from mattebox.core.segment.prediction import Frame
    from mattebox.core.segment.prompt.network import Encoded, Promptable
    from mattebox.core.segment.segmentation import Quality

# One look is enough where the judge's opinions share this with each other and this with the look, and no more
# than this is half seen. With .93 two of 192 photos lose more than .03 of IoU; with .97 and .85 the edges
# of ecssd were worse by .0015.
_UNITED: Final = 0.98
_LIKE_ONE: Final = 0.9
_HALF_SEEN: Final = 0.1
# A closer look is taken where whole and mirrored one share less than this, or they and the judge less than
# that: at 39 of 192 photos. With .9 and .88 one more loses more than .03.
_ALIKE: Final = 0.92
_AGREED: Final = 0.9
# A further look after which they and the judge have this much less in common has seen another thing, and is
# set aside: at one of 192 photos, whose IoU it took from .98 to .28.
_LOST: Final = 0.3
# The same as _ALIKE where there is no judge.
_ALIKE_ALONE: Final = 0.97
# Whole and mirrored look.
_PAIR: Final = 2
_LIKELY: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What was seen of a view, and what the judge's network remembers of it; None where it was not asked."""

    segmentation: Segmentation
    encoded: Encoded | None = None


@dataclass(frozen=True, slots=True)
class Looker:
    """Who looks at a view (h, w, 3) uint8 sRGB: networks, the judge where there is one, and where they look.

    within: the box of the view to search. pointed_at: whether a person says which parts are meant. through:
    whether an even backdrop that is seen through the subject goes later, whatever looks say of it. on_step:
    called before each look, and may raise to stop. during: a context around the work of a step, by its name.
    """

    segmenters: Sequence[Segmenter]
    judge: Promptable | None = None
    within: Frame | None = None
    pointed_at: bool = False
    through: bool = False
    on_step: Callable[[str], None] = lambda _: None
    during: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext()

    def look(self, view: NDArray[np.uint8], quality: Quality) -> Seen:
        """What the quality asks for, `balanced` no more than the photo needs. Raises InferenceError."""
        if quality != "balanced":
            with self.during("segment"):
                found = segment(
                    view,
                    self.segmenters,
                    quality,
                    self.within,
                    self.on_step,
                    pointed_at=self.pointed_at,
                )
            return self._judged(view, found, adaptive=False)
        with self.during("segment"):
            found = segment(view, self.segmenters, "fast", self.within)
            sure = is_sure(found.probability, view, through=self.through)
        if sure:
            return Seen(found)
        if self.judge is None:
            pair = self._further(view, found, closer=False)
            closer = None if _alike(pair) >= _ALIKE_ALONE else self._further(view, pair, closer=True)
            return Seen(closer or pair)
        if not (found.probability >= _LIKELY).any():
            found = self._further(view, found, closer=False)
        return self._judged(view, found, adaptive=True)

    def _more(self, view: NDArray[np.uint8], found: Segmentation, shared: Shared) -> Segmentation:
        """The segmentation with a further look or two; the same where it and the judge are enough."""
        if len(found.predictions) == 1:
            if is_enough(shared):
                return found
            pair = self._further(view, found, closer=False)
            # Then a closer look is needed whatever the judge says: its four answers cost as much as a look.
            return self._further(view, pair, closer=True) if _alike(pair) < _ALIKE else pair
        if len(found.predictions) == _PAIR and is_doubtful(found, shared):
            return self._further(view, found, closer=True)
        return found

    def _further(self, view: NDArray[np.uint8], found: Segmentation, *, closer: bool) -> Segmentation:
        with self.during("segment"):
            return segment(
                view,
                self.segmenters,
                "balanced",
                self.within,
                self.on_step,
                known=found.predictions,
                go_closer=closer,
            )

    def _judged(self, view: NDArray[np.uint8], found: Segmentation, *, adaptive: bool) -> Seen:
        """What was found, judged; where adaptive, with the further looks that it needs."""
        if self.judge is None or not (found.probability >= _LIKELY).any():
            return Seen(found)
        self.on_step("judge")
        with self.during("judge"):
            encoded = self.judge.encode(view, padded=False)
            asked = ask(self.judge, encoded, found, self.within)
        while adaptive:
            fuller = self._more(view, found, asked.shared)
            if len(fuller.predictions) == len(found.predictions):
                break
            with self.during("judge"):
                again = ask(self.judge, encoded, fuller, self.within)
            if again.shared.common < asked.shared.common - _LOST:
                break
            found, asked = fuller, again
        with self.during("judge"):
            return Seen(decide(view, found, asked, encoded.frame), encoded)


def is_enough(shared: Shared) -> bool:
    """Whether one look needs no second: the judge agrees with it and with itself."""
    return shared.unity >= _UNITED and shared.agreement >= _LIKE_ONE and shared.half_seen <= _HALF_SEEN


def is_doubtful(found: Segmentation, shared: Shared) -> bool:
    """Whether a closer look is worth its time: looks that agree, and a judge that does, need none."""
    return _alike(found) < _ALIKE or 0 < shared.agreement < _AGREED


def _alike(found: Segmentation) -> float:
    first, *others = (look.map for look in found.predictions)
    return min((overlap(first, other) for other in others), default=1.0)
