"""Mending: photos that were opened for pointing, and their answers; each photo in one thread at a time."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.errors import PhotoError
from mattebox.core.matting import cut_segmented
from mattebox.core.photo import read_photo
from mattebox.core.session import open_session
from mattebox.core.settings import PromptSettings
from mattebox.web.table.page_prompts import labels_of, prompts_from
from mattebox.web.table.pictures import VIEW, as_bytes, cut, gray_png, matte_of, png, seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mattebox.core.engine import Engine
    from mattebox.core.photo import Photo, Pixels
    from mattebox.core.session import Session
    from mattebox.web.table.page_prompts import PagePrompts
    from mattebox.web.table.sources import Sources

    Map = NDArray[np.float32]

# The one that is being mended, the next one, and the one before.
_OPEN: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A photo that networks have looked at, and the matte it has: full size, and the session's own."""

    photo: Photo
    session: Session
    shown: NDArray[np.uint8]
    former: Map | None
    small: Map | None


class Mending:
    """Answers what a person points at."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        """engine: gives the loaded networks, when they are wanted first."""
        self._engine = engine
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._opening: dict[str, Lock] = {}
        self._lock = Lock()
        self._last: tuple[str, PagePrompts, Pixels] | None = None

    def open(self, sources: Sources) -> Opened:
        """The photo, looked at once, also where two threads want it. Raises PhotoError, InferenceError."""
        with self._lock:
            opening = self._opening.setdefault(sources.key, Lock())
        with opening:
            found = self._opened.get(sources.key) or self._open(sources)
        with self._lock:
            self._opened[sources.key] = found
            self._opened.move_to_end(sources.key)
            while len(self._opened) > _OPEN:
                old, _ = self._opened.popitem(last=False)
                self._opening.pop(old, None)
        return found

    def answer(self, sources: Sources, said: PagePrompts) -> tuple[bytes, tuple[str, ...]]:
        """What is meant, as a gray PNG to be shown at once, and sentences on what was not found."""
        opened = self.open(sources)
        prompts = prompts_from(said, opened.photo.width, opened.photo.height, opened.small)
        found = opened.session.answer(replace(prompts, strokes=None))
        level = as_bytes(found.level)
        labels = labels_of(said, opened.photo.width, opened.photo.height)
        if labels is not None:
            size = (level.shape[1], level.shape[0])
            small = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST))
            level = np.where(small == 1, 255, np.where(small == 2, 0, level)).astype(np.uint8)
        return gray_png(level), tuple(advice.sentence for advice in found.advice)

    def edge(self, sources: Sources, said: PagePrompts) -> bytes:
        """The cutout with its edge redone where something changed, as PNG."""
        return png(cut(self.open(sources).shown, self.matte(sources, said)))

    def matte(self, sources: Sources, said: PagePrompts) -> Pixels:
        """The matte at the photo's own size and depth."""
        if self._last is not None and self._last[:2] == (sources.key, said):
            return self._last[2]
        opened = self.open(sources)
        prompts = prompts_from(said, opened.photo.width, opened.photo.height, opened.former)
        # A brush says what is under it and nothing else: no network hears of strokes.
        pointed = opened.session.pointed(replace(prompts, strokes=None))
        alpha = cut_segmented(replace(pointed, prompts=prompts)).alpha
        self._last = (sources.key, said, alpha)
        return alpha

    def _open(self, sources: Sources) -> Opened:
        if sources.photo is None:
            raise PhotoError(f"{sources.name}: the photo lies nowhere that the journal knows.")
        photo = read_photo(sources.photo, sources.cut.limits)
        settings = sources.cut.model_copy(
            update={"prompts": PromptSettings(), "subject": "auto", "keep": None, "decontaminate": False}
        )
        # One look suffices where there is a matte to go on from; edges are redone by the rule's own quality.
        session = open_session(self._engine(), photo, settings.model_copy(update={"quality": "fast"}))
        session.segmented = replace(session.segmented, settings=settings)
        level = None if sources.matte is None else matte_of(sources.matte)
        former = small = None
        if level is not None and level.shape == (photo.height, photo.width):
            former = level.astype(np.float32)
            height, width = session.segmented.view.shape[:2]
            small = np.asarray(cv2.resize(former, (width, height), interpolation=cv2.INTER_AREA), np.float32)
        return Opened(photo, session, seen(photo, VIEW), former, small)
