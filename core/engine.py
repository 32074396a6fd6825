"""Engine: owns loaded networks and cuts photos."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mattebox.core.advice import warn
from mattebox.core.confidence import confidence
from mattebox.core.cutout import Cutout
from mattebox.core.device import usable_kinds
from mattebox.core.diagnose import CutReport, subject_box
from mattebox.core.features import measure
from mattebox.core.foreground import straight_foreground
from mattebox.core.looks import COMPANIONS, search_frame, see
from mattebox.core.parallel import both
from mattebox.core.photo.own_alpha import multiplied
from mattebox.core.refine import refine_matte, refine_rough
from mattebox.core.segment import Segmenter
from mattebox.core.subject import choose_subject
from mattebox.core.view import network_view, small_copy
from mattebox.models.catalogue import find_network
from mattebox.models.optimised import find_optimised
from mattebox.models.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from mattebox.core.features import Features
    from mattebox.core.photo import Photo, Pixels
    from mattebox.core.settings import CutSettings


def _go_on(step: str) -> None:
    """Stop at no step."""


class Engine:
    """Loaded networks, kept warm; one engine serves one thread at a time."""

    def __init__(self, store: Store | None = None, *, threads: int = 0, device: str = "auto") -> None:
        """`store` holds the weights (default: the user's cache); `threads` 0 takes all cores that are ours.

        `device` is one of core.device.DEVICES; each Segmenter says on which one it really runs.
        """
        self.store = store or Store()
        self._threads = threads
        self._device = device
        self._segmenters: dict[tuple[str, str], Segmenter] = {}

    def segmenter(self, settings: CutSettings) -> Segmenter:
        """The loaded network that `settings` names; its weights are fetched when they are missing.

        Raises UnknownNetworkError, LicenceError, WeightsError, InferenceError.
        """
        network = find_network(settings.model)
        key = (network.name, settings.precision)
        if key not in self._segmenters:
            weights = self.store.ensure(network, accept_licence=settings.accept_licence)
            optimised = find_optimised(self.store, network, usable_kinds()) if key[1] == "auto" else None
            self._segmenters[key] = Segmenter(
                network,
                weights,
                optimised=optimised[0] if optimised is not None else None,
                threads=self._threads,
                device=self._device,
            )
        return self._segmenters[key]

    def segmenters(self, settings: CutSettings) -> list[Segmenter]:
        """The network that `settings` names and, for `quality: best`, its companions in the store.

        A companion is never fetched, and never used against its licence. Raises what segmenter() raises.
        """
        chosen = [self.segmenter(settings)]
        if settings.quality != "best":
            return chosen
        for name in COMPANIONS:
            network = find_network(name)
            allowed = network.commercial is not False or settings.accept_licence
            if name != settings.model and allowed and self.store.find(network) is not None:
                chosen.append(self.segmenter(settings.model_copy(update={"model": name})))
        return chosen

    @property
    def loaded(self) -> tuple[str, ...]:
        """The names of the networks that are loaded."""
        return tuple(dict.fromkeys(name for name, _ in self._segmenters))

    def cut(
        self,
        photo: Photo,
        settings: CutSettings,
        *,
        rough: NDArray[np.float32] | None = None,
        heed: Callable[[str], None] = _go_on,
    ) -> Cutout:
        """The subject of `photo` cut out: alpha at full resolution, clean colours, a report.

        rough: a map of any size, float32 in 0..1, that is refined in place of a network's answer.
        heed: called with the name of each step before it; what it raises stops the work.
        """
        seconds: dict[str, float] = {}
        multiply = settings.input_alpha == "multiply"
        segmenters: list[Segmenter] = []
        if rough is None:
            with _timed(seconds, "load", heed):
                segmenters = self.segmenters(settings)
            with _timed(seconds, "segment", heed):
                small = small_copy(photo)
                view = network_view(photo, small, own_alpha=multiply)
                scale = view.shape[1] / photo.width
                frame = search_frame(settings.subject, view, scale)
                sight = see(view, segmenters, settings.quality, frame, heed)
                probability, count = choose_subject(sight.probability, settings, scale)

            def measured() -> Features | None:
                with _timed(seconds, "report"):
                    return measure(view, sight, probability)

            def refined() -> Pixels:
                with _timed(seconds, "refine"):
                    return refine_matte(photo, probability, settings.refine, sight.detail, small)

            heed("refine")
            features, alpha = both(measured, refined)
            advice = warn(features, count, max(photo.width, photo.height))
            model, sure, looks = segmenters[0].network.name, confidence(features), sight.names
        else:
            # Somebody drew it: there is no network to doubt.
            advice = () if (rough >= 0.5).any() else warn(None, 0, 0)
            model, sure, looks = "", 0.0 if advice else 1.0, ()
            with _timed(seconds, "refine", heed):
                alpha = refine_rough(photo, rough, settings.refine)
        if photo.alpha is not None and multiply:
            alpha = multiplied(alpha, photo.alpha)
        foreground = None
        if settings.decontaminate:
            with _timed(seconds, "foreground", heed):
                foreground = straight_foreground(photo.pixels, alpha)
        box = subject_box(alpha)
        if box is None:
            advice = warn(None, 0, 0)
        report = CutReport(
            model=model,
            confidence=round(sure, 4) if box else 0.0,
            warnings=tuple(item.name for item in advice),
            subject_box=box,
            seconds=seconds,
            looks=looks,
            device=segmenters[0].device if segmenters else "cpu",
            notes=(
                *dict.fromkeys(item.note for item in segmenters if item.note),
                *(item.sentence for item in advice),
            ),
        )
        return Cutout(photo, alpha, foreground, report)


@contextmanager
def _timed(seconds: dict[str, float], step: str, heed: Callable[[str], None] = _go_on) -> Iterator[None]:
    heed(step)
    start = time.perf_counter()
    yield
    seconds[step] = round(seconds.get(step, 0.0) + time.perf_counter() - start, 4)
