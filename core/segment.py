"""Segmenter: one loaded network that gives each pixel the probability of being subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import onnxruntime as ort

from mattebox.core.errors import InferenceError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mattebox.models.catalogue import Network

_SMALLEST_RANGE: Final = 1e-6


class Segmenter:
    """One network, loaded once, run by onnxruntime."""

    def __init__(self, network: Network, weights: Path, *, threads: int = 0) -> None:
        """Load `weights` for `network`; `threads` 0 leaves the choice to onnxruntime.

        Raises InferenceError where onnxruntime refuses the file.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise InferenceError(
                f"{weights}: onnxruntime cannot load the network {network.name}; "
                f"run 'mattebox models verify {network.name}' ({error})."
            ) from error
        self.network = network
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def probability(self, view: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The probability that each pixel of a small sRGB picture belongs to the subject.

        view: (h, w, 3) uint8. Returns (h, w) float32 in 0..1. Raises InferenceError.
        """
        network = self.network
        side = network.input_size
        small = cv2.resize(view, (side, side), interpolation=cv2.INTER_AREA)
        mean, std = (np.asarray(triple, np.float32) for triple in (network.mean, network.std))
        tensor = np.asarray((small * np.float32(network.scale) - mean) / std, np.float32)
        try:
            (raw,) = self._session.run(
                [self._output], {self._input: np.ascontiguousarray(tensor.transpose(2, 0, 1)[None])}
            )
        except Exception as error:
            raise InferenceError(f"The network {network.name} failed on this photo ({error}).") from error
        answer = _activate(np.asarray(raw, np.float32).reshape(side, side), network.activation)
        height, width = view.shape[:2]
        return np.asarray(cv2.resize(answer, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _activate(raw: NDArray[np.float32], activation: str) -> NDArray[np.float32]:
    if activation == "sigmoid":
        return np.asarray(1.0 / (1.0 + np.exp(-raw)), np.float32)
    if activation == "minmax":
        low, high = float(raw.min()), float(raw.max())
        return np.asarray((raw - low) / max(high - low, _SMALLEST_RANGE), np.float32)
    return np.clip(raw, 0.0, 1.0)
