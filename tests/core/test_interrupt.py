"""A network's run ends when somebody says so, and the network is as good as before."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.core.network.endless import write_endless

from mattebox.core.errors import InferenceError
from mattebox.core.network.runtime import OnnxRuntime

if TYPE_CHECKING:
    from pathlib import Path

TENSOR = np.ones((1, 3, 4, 4), np.float32)


def test_an_endless_run_ends_when_it_is_interrupted(tmp_path: Path) -> None:
    """Each of two runs in turn would go on for ever, and is an InferenceError instead."""
    runtime = OnnxRuntime(write_endless(tmp_path / "endless.onnx", 4), "cpu", 1)
    for _ in range(2):
        over = threading.Event()

        def stop(over: threading.Event = over) -> None:
            while not over.wait(0.05):
                runtime.interrupt()

        thread = threading.Thread(target=stop)
        thread.start()
        try:
            with pytest.raises(InferenceError):
                runtime.run(TENSOR)
        finally:
            over.set()
            thread.join()


def test_all_runs_that_go_on_are_interrupted(tmp_path: Path) -> None:
    """Threads that share a network all hear of the end."""
    runtime = OnnxRuntime(write_endless(tmp_path / "endless.onnx", 4), "cpu", 1)
    failures: list[InferenceError] = []

    def run() -> None:
        try:
            runtime.run(TENSOR)
        except InferenceError as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        runtime.interrupt()
        threads[0].join(0.05)
    assert len(failures) == 3
