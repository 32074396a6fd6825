"""Segmenter: one loaded network that gives each pixel the probability of being subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.errors import InferenceError
from mattebox.core.network.runtime import open_runtime

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mattebox.models.catalogue import Network

_SMALLEST_RANGE: Final = 1e-6


class Segmenter:
    """One network, loaded once on one device.

    `device` is the device that it runs on, `note` the sentence that says why it is not the one asked for.
    """

    def __init__(
        self,
        network: Network,
        weights: Path,
        *,
        optimised: Path | None = None,
        threads: int = 0,
        device: str = "auto",
    ) -> None:
        """Load `weights` for `network`; `threads` 0 takes every core that is really ours.

        `optimised` is loaded in their place where the network runs on the CPU. Raises InferenceError
        where the file cannot be loaded.
        """
        self.network = network
        try:
            self._runtime, self.note = open_runtime(
                weights, network.input_size, device, threads, on_cpu=optimised
            )
        except InferenceError as error:
            raise InferenceError(
                f"The network {network.name} cannot be loaded; run 'mattebox models verify {network.name}' "
                f"({str(error).rstrip('.')})."
            ) from error
        self.device = self._runtime.device

    def probability(self, view: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The probability that each pixel of a small sRGB picture belongs to the subject.

        view: (h, w, 3) uint8. Returns (h, w) float32 in 0..1. Raises InferenceError.
        """
        network = self.network
        side = network.input_size
        try:
            raw = self._runtime.run(input_tensor(network, view))
        except InferenceError as error:
            raise InferenceError(f"The network {network.name} failed on this photo: {error}") from error
        answer = _activate(raw.reshape(side, side), network.activation)
        height, width = view.shape[:2]
        return np.asarray(cv2.resize(answer, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    def interrupt(self) -> None:
        """End the runs that go on in other threads, which then raise InferenceError."""
        self._runtime.interrupt()

    def give_back(self) -> None:
        """From now on keep no more memory between runs than the weights: other networks need it too."""
        self._runtime.give_back()


def input_tensor(network: Network, view: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A small sRGB picture, (h, w, 3) uint8, as the network wants it: (1, 3, side, side) float32."""
    side = network.input_size
    small = cv2.resize(view, (side, side), interpolation=cv2.INTER_AREA)
    tensor = np.empty((1, 3, side, side), np.float32)
    # Plane by plane: broadcasting over three channels is many times slower.
    for plane, channel, mean, std in zip(tensor[0], cv2.split(small), network.mean, network.std, strict=True):
        np.multiply(channel, np.float32(network.scale), out=plane)
        np.subtract(plane, np.float32(mean), out=plane)
        np.divide(plane, np.float32(std), out=plane)
    return tensor


def _activate(raw: NDArray[np.float32], activation: str) -> NDArray[np.float32]:
    if activation == "sigmoid":
        return np.asarray(1.0 / (1.0 + np.exp(-raw)), np.float32)
    if activation == "minmax":
        low, high = float(raw.min()), float(raw.max())
        return np.asarray((raw - low) / max(high - low, _SMALLEST_RANGE), np.float32)
    return np.clip(raw, 0.0, 1.0)
