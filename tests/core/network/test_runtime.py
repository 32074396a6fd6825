"""A network runs on a device that was proved to work, and says so where it is another one."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from mattebox.core.errors import InferenceError
from mattebox.core.network.device import PROVIDERS
from mattebox.core.network.graphs import GRAPH, graph_folder
from mattebox.core.network.runtime import open_runtime
from mattebox.core.network.segmenter import Segmenter
from mattebox.models.catalogue import Network

if TYPE_CHECKING:
    from pathlib import Path

SIDE = 16


def write_network(path: Path, *, poison: bool = False, half: bool = False, size: int = 3) -> Path:
    """A tiny graph: a convolution of `size`, then a sigmoid; poisoned, it answers with no number."""
    random = np.random.default_rng(5)
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    weights = random.standard_normal((1, 3, size, size)).astype(np.float16 if half else np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[size // 2] * 4),
        helper.make_node("Sqrt" if poison else "Sigmoid", ["c"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", kind, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("y", kind, [1, 1, SIDE, SIDE])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, os.fspath(path))
    return path


TENSOR = np.random.default_rng(1).standard_normal((1, 3, SIDE, SIDE)).astype(np.float32)


def test_kept_graph_answers_bit_by_bit(tmp_path: Path) -> None:
    """The second load takes the optimised graph, and its answers are the first's to the last bit."""
    path = write_network(tmp_path / "n.onnx")
    first, note = open_runtime(path, SIDE, "cpu", 1)
    kept = graph_folder(path)
    assert note is None
    assert kept is not None
    assert kept.exists()
    plain = ort.InferenceSession(os.fspath(path), providers=["CPUExecutionProvider"]).run(None, {"x": TENSOR})
    second, _ = open_runtime(path, SIDE, "cpu", 1)
    assert np.array_equal(first.run(TENSOR), second.run(TENSOR))
    assert np.array_equal(first.run(TENSOR), plain[0])
    assert [item.name for item in kept.parent.iterdir()] == [kept.name]


def test_damaged_graph_is_made_again(tmp_path: Path) -> None:
    """A truncated graph costs time, never the run."""
    path = write_network(tmp_path / "n.onnx")
    answer = open_runtime(path, SIDE, "cpu", 1)[0].run(TENSOR)
    kept = graph_folder(path)
    assert kept is not None
    graph = kept / GRAPH
    whole = graph.read_bytes()
    graph.write_bytes(whole[: len(whole) // 2])
    assert np.array_equal(open_runtime(path, SIDE, "cpu", 1)[0].run(TENSOR), answer)
    assert graph.read_bytes() == whole


def test_cut_off_weights_are_made_again(tmp_path: Path) -> None:
    """Weights beside a graph that end too early are noticed before anything runs on them."""
    path = write_network(tmp_path / "n.onnx", size=15)
    answer = open_runtime(path, SIDE, "cpu", 1)[0].run(TENSOR)
    kept = graph_folder(path)
    assert kept is not None
    (weights,) = (item for item in kept.iterdir() if item.name != GRAPH)
    size = weights.stat().st_size
    os.truncate(weights, size // 2)
    assert np.array_equal(open_runtime(path, SIDE, "cpu", 1)[0].run(TENSOR), answer)
    assert weights.stat().st_size == size


def test_graph_belongs_to_one_state_of_the_weights(tmp_path: Path) -> None:
    """Other weights under the same name get a graph of their own; the old one goes."""
    path = write_network(tmp_path / "n.onnx")
    open_runtime(path, SIDE, "cpu", 1)
    old = graph_folder(path)
    write_network(path, poison=True)
    os.utime(path, (1, 1))
    answer = open_runtime(path, SIDE, "cpu", 1)[0].run(np.abs(TENSOR))
    assert old is not None
    assert not old.exists()
    assert not np.array_equal(answer, answer.clip(0, 1), equal_nan=True)


def test_unwritable_folder_costs_the_graph_only(tmp_path: Path) -> None:
    """Where no graph can be kept the network runs all the same."""
    path = write_network(tmp_path / "n.onnx")
    (tmp_path / "graphs").write_text("in the way")
    assert open_runtime(path, SIDE, "cpu", 1)[0].run(TENSOR).shape == (1, 1, SIDE, SIDE)


def test_half_precision_networks_get_what_they_want(tmp_path: Path) -> None:
    """A network with float16 at its door is fed float16 and answers in float32."""
    path = write_network(tmp_path / "n.onnx", half=True)
    assert open_runtime(path, SIDE, "cpu", 1)[0].run(TENSOR).dtype == np.float32


@pytest.mark.parametrize("device", [name for name in PROVIDERS if name != "cpu"])
def test_missing_device_falls_back_with_one_line(tmp_path: Path, device: str) -> None:
    """A device that this onnxruntime lacks gives the CPU and a sentence with the remedy."""
    if PROVIDERS[device] in ort.get_available_providers():
        return
    runtime, note = open_runtime(write_network(tmp_path / "n.onnx"), SIDE, device, 1)
    assert runtime.device == "cpu"
    assert note is not None
    assert note.startswith(f"Device {device} does not work: ")
    assert note.endswith("the CPU is used instead.")
    assert "\n" not in note


def test_offered_device_that_does_not_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that offers CUDA on a machine without it: `auto` uses the CPU and says why."""
    offered = [*ort.get_available_providers(), PROVIDERS["cuda"]]
    monkeypatch.setattr(ort, "get_available_providers", lambda: offered)
    runtime, note = open_runtime(write_network(tmp_path / "n.onnx"), SIDE, "auto", 1)
    assert runtime.device == "cpu"
    assert note is not None
    assert note.startswith("Device cuda does not work: ")


def test_auto_without_an_accelerator_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine with a CPU only there is nothing to explain."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    runtime, note = open_runtime(write_network(tmp_path / "n.onnx"), SIDE, "auto", 1)
    assert (runtime.device, note) == ("cpu", None)


def test_openvino_agrees_with_onnxruntime(tmp_path: Path) -> None:
    """OpenVINO's answers are onnxruntime's within the roundings of bfloat16."""
    path = write_network(tmp_path / "n.onnx")
    runtime, note = open_runtime(path, SIDE, "openvino", 1)
    assert (runtime.device, note) == ("openvino", None)
    expected = open_runtime(path, SIDE, "cpu", 1)[0].run(TENSOR)
    assert np.abs(runtime.run(TENSOR) - expected).max() < 0.05


def test_openvino_reports_to_nobody() -> None:
    """The part of OpenVINO that reports usage over the network is never loaded."""
    code = (
        "import mattebox.core.network.openvino, sys; "
        "print([name for name, module in sys.modules.items() if module and 'openvino_telemetry' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_answers_that_are_no_numbers_are_no_proof(tmp_path: Path) -> None:
    """A device whose first run gives no numbers is not believed."""
    path = write_network(tmp_path / "n.onnx", poison=True)
    runtime, note = open_runtime(path, SIDE, "openvino", 1)
    assert runtime.device == "cpu"
    assert note is not None
    assert "no numbers" in note


def test_broken_weights_are_one_sentence(tmp_path: Path) -> None:
    """A file that is no network is an error that names the remedy."""
    (tmp_path / "n.onnx").write_bytes(b"no network")
    row = Network("tiny", "", "n.onnx", SIDE, (0.0,) * 3, (1.0,) * 3, 1.0, "none", "MIT", True, ())  # type: ignore[arg-type] # a tuple of three
    with pytest.raises(InferenceError, match="models verify tiny") as caught:
        Segmenter(row, tmp_path / "n.onnx")
    assert "\n" not in str(caught.value)
