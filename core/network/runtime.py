"""A network's runtime: the file loaded on a device that was proved to work."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import onnxruntime as ort

from mattebox.core.errors import InferenceError
from mattebox.core.network.device import AUTOMATIC, INSTALL, PROVIDERS, available_cores
from mattebox.core.network.graphs import (
    GRAPH,
    drop_graph,
    graph_folder,
    keep_graph,
    staged_graph,
    write_graph_to,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_QUIET: Final = 3  # errors, and not the warnings about each node that stays on the CPU


class Runtime(Protocol):
    """One loaded network, which threads may share: float32 (1, 3, side, side) in, its first output out."""

    device: str

    def run(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's first output for one prepared picture."""

    def interrupt(self) -> None:
        """End the runs that go on in other threads, which then raise InferenceError."""

    def give_back(self) -> None:
        """From now on return what a run takes when it ends, where the runtime would keep it for the next."""


def open_runtime(
    weights: Path, side: int, device: str, threads: int, *, on_cpu: Path | None = None
) -> tuple[Runtime, str | None]:
    """Load `weights` on `device`, or on the CPU where that fails; and the sentence that says why.

    A device other than the CPU must run once, with finite answers, before it is believed. `auto` takes
    the first accelerator that onnxruntime offers. Raises InferenceError where not even the CPU works.
    """
    offered = set(ort.get_available_providers())
    if device == "auto":
        candidates = [name for name in AUTOMATIC if PROVIDERS[name] in offered]
    else:
        candidates = list(dict.fromkeys((device, "cpu")))
    reasons: list[str] = []
    for name in candidates:
        if name == "cpu":
            note = f"{'; '.join(reasons)}; the CPU is used instead." if reasons else None
            return OnnxRuntime(on_cpu or weights, "cpu", threads), note
        try:
            runtime = _open(weights, name, threads)
            _prove(runtime, side)
        except InferenceError as error:
            reasons.append(f"Device {name} does not work: {str(error).rstrip('.')}")
            continue
        return runtime, "; ".join(reasons) + "." if reasons else None
    raise InferenceError(f"{weights}: onnxruntime offers no device ({', '.join(sorted(offered))}).")


def _open(weights: Path, device: str, threads: int) -> Runtime:
    if device == "openvino":
        from mattebox.core.network.openvino import OpenVinoRuntime  # noqa: PLC0415 - an extra

        return OpenVinoRuntime(weights, threads)
    if PROVIDERS[device] not in ort.get_available_providers():
        raise InferenceError(f"this onnxruntime has no support for it ({INSTALL[device]})")
    return OnnxRuntime(weights, device, threads)


def _prove(runtime: Runtime, side: int) -> None:
    """Run once on a fixed picture. Raises InferenceError unless all answers are finite."""
    ramp = np.linspace(-2.0, 2.0, 3 * side * side, dtype=np.float32).reshape(1, 3, side, side)
    answer = runtime.run(ramp)
    if not np.isfinite(answer).all():
        raise InferenceError("its first run gave answers that are no numbers")


class OnnxRuntime:
    """A network run by onnxruntime on one of its providers."""

    def __init__(self, weights: Path, device: str, threads: int = 0) -> None:
        """Load `weights`; `threads` 0 takes every core that is really ours. Raises InferenceError.

        On the CPU the optimised graph is kept beside the weights and loaded the next time: that is
        quicker by far, and gives the same answers to the last bit.
        """
        self.device = device
        self.threads = threads or available_cores()
        if device in ("cuda", "tensorrt") and hasattr(ort, "preload_dlls"):
            ort.preload_dlls()
        self._session = _cpu_session(weights, self.threads) if device == "cpu" else self._accelerated(weights)
        entry = self._session.get_inputs()[0]
        self._input = entry.name
        self._dtype = np.float16 if entry.type == "tensor(float16)" else np.float32
        self._output = self._session.get_outputs()[0].name
        self._running: set[Any] = set()
        self._gives_back = False

    def run(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """The first output for a (1, 3, side, side) tensor. Raises InferenceError."""
        options = ort.RunOptions()
        if self._gives_back:
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self._running.add(options)
        try:
            (raw,) = self._session.run(
                [self._output], {self._input: tensor.astype(self._dtype, copy=False)}, options
            )
        except Exception as error:
            raise InferenceError(f"The run on {self.device} failed.") from error
        finally:
            self._running.discard(options)
        return np.asarray(raw, np.float32)

    def interrupt(self) -> None:
        """End the runs that go on in other threads; a run that begins later is not touched."""
        for options in tuple(self._running):
            options.terminate = True

    def give_back(self) -> None:
        """From now on return what a run takes when it ends: 200 MB of U²-Net's, for 7 % of its time."""
        self._gives_back = self.device == "cpu"

    def _accelerated(self, weights: Path) -> Any:
        provider = PROVIDERS[self.device]
        session = _session(
            weights, session_options(self.threads), [(provider, _settings(self.device, weights))]
        )
        # onnxruntime itself falls back without a word; what it uses is only told here.
        if session.get_providers()[0] != provider:
            raise InferenceError("its libraries or its driver could not be loaded")
        return session


def _settings(device: str, weights: Path) -> dict[str, str]:
    if device == "tensorrt":
        return {"trt_engine_cache_enable": "1", "trt_engine_cache_path": os.fspath(weights.parent / "graphs")}
    return {}


def _cpu_session(weights: Path, threads: int) -> Any:
    kept = graph_folder(weights)
    if kept is not None and kept.exists():
        options = session_options(threads)
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            return _session(kept / GRAPH, options, ["CPUExecutionProvider"])
        except InferenceError:
            drop_graph(kept)
    staged = staged_graph(kept) if kept is not None else None
    options = session_options(threads)
    if staged is None or kept is None:
        return _session(weights, options, ["CPUExecutionProvider"])
    write_graph_to(options, staged)
    try:
        session = _session(weights, options, ["CPUExecutionProvider"])
    except InferenceError:
        # Perhaps only the graph could not be written: no space, or no permission.
        drop_graph(staged)
        return _session(weights, session_options(threads), ["CPUExecutionProvider"])
    keep_graph(staged, kept)
    return session


def session_options(threads: int) -> Any:
    """How every session of ours runs; `threads` 0 takes every core that is really ours."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or available_cores()
    options.log_severity_level = _QUIET
    # One block for all of a run's arrays, planned after the first: half as much memory again, no time.
    options.enable_mem_pattern = False
    # Threads that wait by spinning would take the cores from the reading and writing of other photos.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _session(path: Path, options: Any, providers: list[Any]) -> Any:
    try:
        return ort.InferenceSession(os.fspath(path), options, providers=providers)
    except Exception as error:
        raise InferenceError(f"{path}: onnxruntime cannot load it.") from error
