"""Engine: owns loaded networks and cuts photos."""

from __future__ import annotations

from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Final

from mattebox.core.errors import LoadError, WeightsError
from mattebox.core.matte.rough_mask import search_settings
from mattebox.core.matting import SegmentedPhoto, cut_rough, cut_segmented, no_op, timed
from mattebox.core.network.networks import Networks
from mattebox.core.segment.plan import Looker
from mattebox.core.segment.prepare import network_input
from mattebox.core.segment.segmentation import search_frame, view_side
from mattebox.core.segment.subject import choose_subject
from mattebox.core.settings.cut import box_of, points_of
from mattebox.models.catalogue import PROMPTABLE, find_network
from mattebox.models.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from mattebox.core.cutout import Cutout
    from mattebox.core.errors import MatteboxError
    from mattebox.core.network.segmenter import Segmenter
    from mattebox.core.photo import Photo
    from mattebox.core.segment.prompt.network import Promptable
    from mattebox.core.settings import CutSettings
    from mattebox.models.catalogue import Network

_ALONE: Final = (
    "What was pointed at was looked for without the network {name}, by closer looks and by colours"
)
_UNJUDGED: Final = "No part of this matte was judged by the network {name}"


class Engine:
    """Loaded networks, kept warm; threads may share one."""

    def __init__(
        self,
        store: Store | None = None,
        *,
        threads: int = 0,
        device: str = "auto",
        networks: Networks | None = None,
        once: bool = False,
    ) -> None:
        """`store` holds the weights (default: the user's cache); `threads` 0 takes all cores that are ours.

        `device` is one of core.network.device.DEVICES; each Segmenter says on which one it really runs.
        networks: some that were made before the engine, which then is theirs in all of that.
        once: no second photo is to come, so that networks go when they have seen one, before its matte needs
        the memory; one that comes nevertheless loads them anew.
        """
        self._networks = networks or Networks(store or Store(), threads=threads, device=device)
        self.store = self._networks.store
        self._once = once
        self._promptable: Promptable | str | None = None
        self._loading = Lock()

    def segmenter(self, settings: CutSettings) -> Segmenter:
        """The loaded network that `settings` names; its weights are fetched when they are missing.

        Raises UnknownNetworkError, LicenceError, WeightsError, InferenceError.
        """
        return self._networks.segmenter(settings)

    def segmenters(self, settings: CutSettings) -> list[Segmenter]:
        """The network that `settings` names and, for `quality: best`, its companions in the store.

        A companion is never fetched, and never used against its licence. Raises what segmenter() raises.
        """
        return self._networks.segmenters(settings)

    def interrupt(self) -> None:
        """End the networks' runs that go on in other threads, where some do: cut() raises InferenceError.

        What runs before or after a network is ended by `on_step` alone, so that who stops calls this again
        until cut() has ended.
        """
        self._networks.interrupt()
        if self._promptable is not None and not isinstance(self._promptable, str):
            self._promptable.interrupt()

    @property
    def loaded(self) -> tuple[str, ...]:
        """The names of the networks that are loaded."""
        return self._networks.loaded

    def cut(
        self,
        photo: Photo,
        settings: CutSettings,
        *,
        rough: NDArray[np.float32] | None = None,
        on_step: Callable[[str], None] = no_op,
    ) -> Cutout:
        """The subject of `photo` cut out: alpha at full resolution, clean colours, a report.

        rough: a map of any size, float32 in 0..1. An outline is refined in place of a network's answer; a
        plain rectangle or ellipse says where the networks look, unless they find nothing there.
        on_step: called with the name of each step before it; what it raises stops the work.
        """
        if rough is None:
            return cut_segmented(self.segment(photo, settings, on_step=on_step), on_step)
        inside = search_settings(photo, settings, rough)
        # A shape that was drawn roughly is no prompt: where nothing stands out it stays what it is.
        segmented = self.segment_salient(photo, inside, on_step=on_step) if inside is not None else None
        if segmented is None or not segmented.count:
            return cut_rough(photo, settings, rough, on_step)
        return cut_segmented(segmented, on_step)

    def promptable(self, *, fetch: bool = True) -> tuple[Promptable | None, str | None]:
        """The network that answers clicks, and where it cannot be had the sentence that says why.

        fetch: whether it may be fetched where it is missing; that is tried once.
        """
        found = self._found_promptable(fetch=fetch)
        if not isinstance(found, str):
            try:
                found.load()
            except LoadError as error:
                found = self._promptable = _reason(error)
        if isinstance(found, str):
            return None, f"{_ALONE.format(name=PROMPTABLE)} ({found})."
        return found, None

    def judge(self, settings: CutSettings) -> tuple[Promptable | None, str | None]:
        """The network that judges whole parts; None where nobody wants it, else with why there is none.

        It is fetched where it is missing; that is tried once, and not again for a day. It is loaded when it
        is first asked: a photo that needs no judge pays for none.
        """
        if not settings.judged:
            return None, None
        found = self._found_promptable(fetch=True)
        if isinstance(found, str):
            return None, f"{_UNJUDGED.format(name=PROMPTABLE)} ({found})."
        return found, None

    def _found_promptable(self, *, fetch: bool) -> Promptable | str:
        """The promptable network, or why there is none."""
        network = find_network(PROMPTABLE)
        with self._loading:
            if self._promptable is None and (fetch or self.store.find(network) is not None):
                self._promptable = self._load_promptable(network)
            return "it is not here" if self._promptable is None else self._promptable

    def _load_promptable(self, network: Network) -> Promptable | str:
        from mattebox.core.segment.prompt.network import Promptable  # noqa: PLC0415 - not with quality fast

        try:
            return Promptable(network, self.store.ensure_optional(network), self._networks.threads)
        except WeightsError as error:
            return _reason(error)

    def segment(
        self, photo: Photo, settings: CutSettings, *, on_step: Callable[[str], None] = no_op
    ) -> SegmentedPhoto:
        """What the networks see of `photo`, and of what a person points at in it.

        All that an Engine is needed for; `cut_segmented` does the rest. Raises what segmenter() raises, and
        SettingsError or PhotoError where a prompt fits no photo.
        """
        seen = self._seen(photo, settings, on_step)
        if self._once:
            self.release()
        return seen

    def release(self) -> None:
        """Drop the networks; whoever asks for one loads it again."""
        self._networks.release()
        with self._loading:
            self._promptable = None

    def _seen(self, photo: Photo, settings: CutSettings, on_step: Callable[[str], None]) -> SegmentedPhoto:
        """What is there and, where somebody points, what is pointed at."""
        asked = settings.prompts.any
        pointed = box_of(settings.subject) is not None or points_of(settings.subject) is not None
        # The older form of pointing is answered by the networks that are here.
        if not asked and not (pointed and self.promptable(fetch=False)[0] is not None):
            return self.segment_salient(photo, settings, on_step=on_step)
        from mattebox.core.matte.read_prompts import prompts_of  # noqa: PLC0415 - only where somebody points
        from mattebox.core.session import open_session  # noqa: PLC0415

        prompts = prompts_of(settings, photo)
        return open_session(self, photo, settings, fetch=asked, on_step=on_step).pointed(prompts)

    def segment_salient(
        self, photo: Photo, settings: CutSettings, *, on_step: Callable[[str], None] = no_op
    ) -> SegmentedPhoto:
        """What the networks see of `photo` by themselves. Raises what segmenter() raises."""
        try:
            return self._seen_alone(photo, settings, on_step)
        except LoadError as error:
            # The judge is loaded when it is first asked: why that failed is told, and nobody judges.
            self._promptable = _reason(error)
            return self._seen_alone(photo, settings, on_step)

    def _seen_alone(
        self, photo: Photo, settings: CutSettings, on_step: Callable[[str], None]
    ) -> SegmentedPhoto:
        seconds: dict[str, float] = {}
        with timed(seconds, "load", on_step):
            segmenters = self.segmenters(settings)
            network, missing = self.judge(settings)
            if network is not None:
                # Its encoder takes as much as a look does: what both take is never held at once.
                for segmenter in segmenters:
                    segmenter.give_back()
        with timed(seconds, "segment", on_step):
            side = view_side(segmenters, settings.quality, settings.subject)
            copy = network_input(photo, side, own_alpha=settings.input_alpha == "multiply")
            scale = copy.view.shape[1] / photo.width
            frame = search_frame(settings.subject, copy.view, scale)
            looker = Looker(
                segmenters,
                network,
                frame,
                pointed_at=points_of(settings.subject) is not None,
                through=settings.backdrop != "none" and not settings.prompts.any and photo.alpha is None,
                on_step=on_step,
                during=partial(timed, seconds),
            )
        seen = looker.look(copy.enhanced, settings.quality)
        notes = [*(item.note for item in segmenters), missing]
        with timed(seconds, "segment"):
            probability, count = choose_subject(seen.segmentation.probability, settings, scale)
        return SegmentedPhoto(
            photo=photo,
            settings=settings,
            small=copy.small,
            view=copy.view,
            segmentation=seen.segmentation,
            probability=probability,
            count=count,
            model=segmenters[0].network.name,
            device=segmenters[0].device,
            notes=tuple(dict.fromkeys(note for note in notes if note)),
            seconds=seconds,
            judge=None if network is None or seen.encoded is None else network.network.name,
            encoded=seen.encoded,
        )


def _reason(error: MatteboxError) -> str:
    return str(error).rstrip(".")
