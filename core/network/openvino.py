"""A network run by OpenVINO, which computes in bfloat16 where the processor can."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from mattebox.core.errors import InferenceError
from mattebox.core.network.device import INSTALL, available_cores

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

try:
    import openvino
except ImportError as missing:
    raise InferenceError(f"OpenVINO is not installed ({INSTALL['openvino']})") from missing


class OpenVinoRuntime:
    """One network compiled by OpenVINO; the compiled model is kept beside the weights."""

    def __init__(self, weights: Path, threads: int = 0) -> None:
        """Compile `weights`; `threads` 0 takes every core that is really ours. Raises InferenceError."""
        self.device = "openvino"
        self.threads = threads or available_cores()
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": self.threads,
            "CACHE_DIR": os.fspath(weights.parent / "graphs"),
        }
        try:
            core = openvino.Core()
            self._model = core.compile_model(os.fspath(weights), "CPU", settings)
        except Exception as error:
            raise InferenceError(f"{weights}: OpenVINO cannot load it") from error
        # One a thread that runs: a request holds one run's arrays.
        self._idle: list[Any] = []
        self._running: set[Any] = set()

    def run(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """The first output for a (1, 3, side, side) tensor. Raises InferenceError."""
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._model.create_infer_request()
        self._running.add(request)
        try:
            request.infer([tensor])
            return np.array(request.get_output_tensor(0).data, np.float32)
        except Exception as error:
            raise InferenceError("The run by OpenVINO failed; --device cpu runs without it.") from error
        finally:
            self._running.discard(request)
            self._idle.append(request)

    def give_back(self) -> None:
        """Nothing: OpenVINO itself decides what it keeps."""

    def interrupt(self) -> None:
        """End the runs that go on in other threads, which then raise InferenceError."""
        for request in tuple(self._running):
            request.cancel()
