"""A network in 8 bits is kept only where it answers like its original, and can be taken back."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from mattebox.core.engine import Engine
from mattebox.core.errors import OptimizeError, WeightsError
from mattebox.core.network import quantize
from mattebox.core.network.device import usable_kinds
from mattebox.core.network.dot_products import has_int8_dot_products
from mattebox.core.network.optimize import optimize
from mattebox.core.network.pictures import Pictures, synthetic_scenes
from mattebox.core.network.segmenter import Segmenter, input_tensor
from mattebox.core.segment.own_pictures import own_pictures
from mattebox.core.settings import CutSettings
from mattebox.models.catalogue import Network, find_network
from mattebox.models.optimised import find_optimised, optimised_path, remove_optimised
from mattebox.models.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.slow

SIDE = 64
LEVELS = ("ORT_DISABLE_ALL", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL")
LARGEST_7_BITS, LARGEST_8_BITS = 64, 128
ROUNDING = 1 / 255  # of an answer in 8 bits: the order in which sums are rounded is the optimiser's
# Every operator of onnxruntime that multiplies in 8 bits.
INTEGER_PRODUCTS = {
    "ConvInteger",
    "DynamicQuantizeMatMul",
    "MatMulInteger",
    "MatMulIntegerToFloat",
    "QGemm",
    "QLinearConv",
    "QLinearMatMul",
}


@pytest.fixture
def tiny(tmp_path: Path) -> tuple[Network, Store]:
    """A network of two convolutions in the old opset of u2net, with a side output, in a store."""
    random = np.random.default_rng(3)
    first = random.standard_normal((8, 3, 3, 3)).astype(np.float32) * 0.3
    second = random.standard_normal((1, 8, 3, 3)).astype(np.float32) * 0.3
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w2"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Sigmoid", ["c"], ["y"]),
        helper.make_node("Sigmoid", ["a"], ["side"]),
    ]
    shape = [1, 3, SIDE, SIDE]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, SIDE, SIDE]),
            helper.make_tensor_value_info("side", TensorProto.FLOAT, [1, 8, SIDE, SIDE]),
        ],
        [numpy_helper.from_array(first, "w1"), numpy_helper.from_array(second, "w2")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    store = Store(tmp_path)
    data = model.SerializeToString()
    network = Network(
        name="tiny",
        about="",
        file="tiny.onnx",
        input_size=SIDE,
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        scale=1 / 255,
        activation="none",
        licence="MIT",
        commercial=True,
        sources=(),
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    store.path(network).write_bytes(data)
    return network, store


def few() -> Pictures:
    """A few small drawn pictures."""
    return Pictures(synthetic_scenes(4, 1), synthetic_scenes(3, 2), "3 drawn scenes")


def test_good_quantisation_is_kept_with_its_record(tiny: tuple[Network, Store]) -> None:
    """What agrees with its original is kept, smaller, with one output, and tells how near it is."""
    network, store = tiny
    ticks: list[None] = []
    made = optimize(network, store, few(), lambda: ticks.append(None))
    assert made.agreement.is_good
    assert made.agreement.pictures == 3
    assert len(ticks) == len(few())
    found = find_optimised(store, network, usable_kinds())
    assert found is not None
    path, record = found
    assert path == made.path
    assert record.original == network.sha256
    model = onnx.load(os.fspath(path))
    assert [item.name for item in model.graph.output] == ["y"]
    assert "QuantizeLinear" in {node.op_type for node in model.graph.node}
    assert sorted(item.name for item in store.folder.iterdir() if item.name.startswith(".")) == []


def open_at(level: str, weights: Path, graph: Path) -> Any:
    """A session at one level of optimisation, which writes its optimised graph to `graph`."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
    options.optimized_model_filepath = os.fspath(graph)
    return ort.InferenceSession(os.fspath(weights), options, providers=["CPUExecutionProvider"])


def answers(session: Any, tensors: Sequence[Any]) -> Any:
    """The answers of a session for prepared pictures."""
    return np.stack([session.run(["y"], {"x": tensor})[0] for tensor in tensors])


def largest_weights(graph: Path) -> dict[str, int]:
    """The largest magnitude of each 8-bit weight that is multiplied in integers, by its name."""
    model = onnx.load(os.fspath(graph)).graph
    constants = {item.name: item for item in model.initializer if item.data_type == TensorProto.INT8}
    used = {name for node in model.node if node.op_type in INTEGER_PRODUCTS for name in node.input}
    return {
        name: int(np.abs(numpy_helper.to_array(item).astype(np.int16)).max())
        for name, item in constants.items()
        if name in used and len(item.dims) > 1
    }


@pytest.mark.parametrize("has_dot_products", [False, True], ids=["7-bit weights", "8-bit weights"])
def test_both_weight_ranges_answer_alike_at_every_level_of_optimisation(
    tiny: tuple[Network, Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_dot_products: bool
) -> None:
    """Whatever this processor has, both forms are made, and optimising changes neither's answers."""
    network, store = tiny
    made = tmp_path / "made.onnx"
    monkeypatch.setattr(quantize, "has_int8_dot_products", lambda: has_dot_products)
    pictures = few()
    quantize.quantize(network, store.path(network), pictures.calibrate, made, lambda: None)
    tensors = [input_tensor(network, picture) for picture in pictures.check]
    originals = answers(open_at(LEVELS[0], store.path(network), tmp_path / "original.onnx"), tensors)
    plain = answers(open_at(LEVELS[0], made, tmp_path / "plain.onnx"), tensors)
    assert np.abs(plain - originals).mean() < quantize.MOST_DIFFERENCE
    for level in LEVELS[1:]:
        graph = tmp_path / f"{level}.onnx"
        session = open_at(level, made, graph)
        largest = largest_weights(graph)
        assert largest, "nothing is multiplied in 8 bits"
        limit = LARGEST_8_BITS if has_dot_products else LARGEST_7_BITS
        assert {name: size for name, size in largest.items() if size > limit} == {}
        # Where sums saturate the 8-bit form is never used (usable_kinds), and its answers are wrong.
        if not has_dot_products or has_int8_dot_products():
            assert np.abs(answers(session, tensors) - plain).mean() < ROUNDING


# Saves what a network answers, and prints what the processor is taken for.
ELSEWHERE = """
import pathlib
import sys
import numpy as np
from mattebox.core.network.device import usable_kinds
from mattebox.core.network.runtime import OnnxRuntime
network, tensors, answers = sys.argv[1:]
runtime = OnnxRuntime(pathlib.Path(network), "cpu", 1)
np.save(answers, np.stack([runtime.run(tensor) for tensor in np.load(tensors)]))
print(*usable_kinds())
"""


@pytest.mark.slow
@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="the emulator runs this Python itself"
)
def test_on_a_processor_without_dot_products_7_bit_weights_answer_alike(
    tiny: tuple[Network, Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An emulated Haswell, whose sums of 8-bit products saturate, answers as this processor's floats do."""
    network, store = tiny
    made, pictures = tmp_path / "elsewhere.onnx", few()
    monkeypatch.setattr(quantize, "has_int8_dot_products", lambda: False)
    quantize.quantize(network, store.path(network), pictures.calibrate, made, lambda: None)
    tensors = [input_tensor(network, picture) for picture in pictures.check]
    np.save(tmp_path / "tensors.npy", np.stack(tensors))
    files = [os.fspath(tmp_path / name) for name in ("elsewhere.onnx", "tensors.npy", "answers.npy")]
    done = subprocess.run(
        ["qemu-x86_64", "-cpu", "Haswell", sys.executable, "-c", ELSEWHERE, *files],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["int8"]
    originals = answers(open_at(LEVELS[0], store.path(network), tmp_path / "original.onnx"), tensors)
    assert np.abs(np.load(files[-1]) - originals).mean() < quantize.MOST_DIFFERENCE


def test_bad_quantisation_is_refused_and_leaves_nothing(
    tiny: tuple[Network, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What differs too much is refused with both figures, and no file of it stays."""
    network, store = tiny
    before = sorted(item.name for item in store.folder.iterdir())
    monkeypatch.setattr(quantize, "MOST_DIFFERENCE", 0.0)
    with pytest.raises(OptimizeError, match=r"differs too much .*IoU .*mean difference"):
        optimize(network, store, few())
    after = sorted(item.name for item in store.folder.iterdir() if item.name != "graphs")
    assert [name for name in after if not name.endswith(".seal.json")] == before


def test_engine_uses_it_where_precision_is_auto(
    tiny: tuple[Network, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """precision: auto takes the optimised form, full the original, and removal brings that back."""
    network, store = tiny
    monkeypatch.delenv("MATTEBOX_PRECISION")
    monkeypatch.setattr("mattebox.core.network.networks.find_salient", lambda _: network)
    made = optimize(network, store, few())
    (picture,) = synthetic_scenes(1, 7)

    def answer(precision: Any) -> Any:
        settings = CutSettings(model="tiny", precision=precision)
        return Engine(store, device="cpu").segmenter(settings).probability(picture)

    original = Segmenter(network, store.path(network), device="cpu").probability(picture)
    assert np.array_equal(answer("full"), original)
    assert not np.array_equal(answer("auto"), original)
    assert remove_optimised(store, network) == [made.path]
    assert np.array_equal(answer("auto"), original)


def test_it_serves_only_the_weights_that_it_was_made_from(tiny: tuple[Network, Store]) -> None:
    """Other weights under the same name, or a changed optimised file, end its use."""
    network, store = tiny
    path = optimize(network, store, few()).path
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    assert find_optimised(store, network) is None
    path.write_bytes(data)
    (store.folder / "tiny.onnx.seal.json").unlink()
    assert find_optimised(store, network) is None


@pytest.mark.parametrize(
    ("made", "used"), [("int8-dot", {"int8-dot"}), ("int8", {"int8-dot", "int8"})], ids=["8-bit", "7-bit"]
)
def test_saturating_processors_do_not_take_the_others_form(
    tiny: tuple[Network, Store], monkeypatch: pytest.MonkeyPatch, made: str, used: set[str]
) -> None:
    """A form made for exact dot products serves only those that have them, the other form everybody."""
    network, store = tiny
    kinds = {"int8-dot": ("int8-dot", "int8"), "int8": ("int8",)}
    monkeypatch.setattr("mattebox.core.network.optimize.usable_kinds", lambda: kinds[made])
    optimize(network, store, few())
    assert {kind for kind in kinds if find_optimised(store, network, kinds[kind]) is not None} == used
    assert optimised_path(store, network, "int8") != optimised_path(store, network, "int8-dot")


def test_missing_weights_are_told(tiny: tuple[Network, Store]) -> None:
    """Nothing can be optimised that is not here."""
    network, store = tiny
    store.path(network).unlink()
    with pytest.raises(WeightsError, match="models pull tiny"):
        optimize(network, store, few())


def test_photos_of_the_check_are_not_those_of_the_calibration(tmp_path: Path) -> None:
    """Own photos are divided: a third is kept to check on, and files that are no photos are passed over."""
    for place in range(9):
        Image.new("RGB", (40, 30), (place * 20, 0, 0)).save(tmp_path / f"{place}.png")
    (tmp_path / "notes.txt").write_text("no photo")
    pictures = own_pictures(sorted(tmp_path.iterdir()))
    reds = [{int(view[0, 0, 0]) for view in part} for part in (pictures.calibrate, pictures.check)]
    assert [len(part) for part in reds] == [6, 3]
    assert reds[0] & reds[1] == set()
    assert pictures.about == "3 of your photos"


def test_too_few_photos_are_refused(tmp_path: Path) -> None:
    """Seven photos are too few to calibrate and check on."""
    for place in range(7):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{place}.png")
    with pytest.raises(OptimizeError, match="Only 7 of these 7"):
        own_pictures(sorted(tmp_path.iterdir()))


def test_synthetic_scenes_are_the_same_everywhere() -> None:
    """The recipe is a function of its seed, and its scenes differ from each other."""
    first, second = synthetic_scenes(2, 4), synthetic_scenes(2, 4)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0], first[1])
    assert first[0].shape == (512, 512, 3)


@pytest.mark.network
@pytest.mark.slow
def test_no_weight_of_a_real_network_saturates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """U2netp's optimised graph, with every kind of node that u2net has, holds 7-bit weights alone."""
    network, made = find_network("u2netp"), tmp_path / "made.onnx"
    monkeypatch.setattr(quantize, "has_int8_dot_products", lambda: False)
    quantize.quantize(network, Store().ensure(network), few().calibrate, made, lambda: None)
    for level in LEVELS[1:]:
        open_at(level, made, tmp_path / f"{level}.onnx")
        largest = largest_weights(tmp_path / f"{level}.onnx")
        assert len(largest) > 100
        assert {name: size for name, size in largest.items() if size > LARGEST_7_BITS} == {}


@pytest.mark.network
@pytest.mark.slow
def test_real_network_that_quantises_badly_is_refused(tmp_path: Path) -> None:
    """U2netp loses its subjects in 8 bits; the check notices and keeps nothing."""
    store = Store(tmp_path)
    network = find_network("u2netp")
    original = Store().ensure(network)
    store.add(network, original)
    with pytest.raises(OptimizeError, match="differs too much"):
        optimize(network, store)
    assert find_optimised(store, network) is None
