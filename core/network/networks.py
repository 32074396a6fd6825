"""Networks: those that find subjects, each loaded once and kept."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from mattebox.core.network.device import usable_kinds
from mattebox.core.network.quick import wants_full
from mattebox.core.network.segmenter import Segmenter
from mattebox.models.catalogue import COMPANIONS, find_network, find_salient
from mattebox.models.optimised import find_optimised

if TYPE_CHECKING:
    from mattebox.core.settings import CutSettings
    from mattebox.models.store import Store


class Networks:
    """Loaded networks, kept warm; threads may share them. An Engine is made of them and of all the rest."""

    def __init__(self, store: Store, *, threads: int = 0, device: str = "auto") -> None:
        """As an Engine's: `store` holds the weights, `threads` 0 takes all cores that are ours."""
        self.store = store
        self.threads = threads
        self._device = device
        self._segmenters: dict[tuple[str, str], Segmenter] = {}
        self._loading = Lock()

    def segmenter(self, settings: CutSettings) -> Segmenter:
        """The loaded network that `settings` names; its weights are fetched when they are missing.

        Raises UnknownNetworkError, LicenceError, WeightsError, InferenceError.
        """
        network = find_salient(settings.model)
        key = (network.name, settings.precision)
        with self._loading:
            if key not in self._segmenters:
                weights = self.store.ensure(network, accept_licence=settings.accept_licence)
                optimised = (
                    None
                    if wants_full(settings.precision)
                    else find_optimised(self.store, network, usable_kinds())
                )
                self._segmenters[key] = Segmenter(
                    network,
                    weights,
                    optimised=optimised[0] if optimised is not None else None,
                    threads=self.threads,
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

    def release(self) -> None:
        """Drop them; whoever asks for one loads it again."""
        with self._loading:
            self._segmenters.clear()

    def interrupt(self) -> None:
        """End the runs that go on in other threads, which then raise InferenceError."""
        for segmenter in list(self._segmenters.values()):
            segmenter.interrupt()

    @property
    def loaded(self) -> tuple[str, ...]:
        """The names of those that are loaded."""
        return tuple(dict.fromkeys(name for name, _ in self._segmenters))
