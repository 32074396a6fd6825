"""Whether 8-bit products saturate is asked of the arithmetic, not of a system's list of names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from mattebox.core.network import device, dot_products

if TYPE_CHECKING:
    import pytest

CHANNELS, SIDE = 16, 8
LARGEST, SEVEN_BITS = 127, 64


def model(weight: int) -> Any:
    """One QLinearConv of equal weights, whose largest sum is scaled to 200."""
    shape = [1, CHANNELS, SIDE, SIDE]
    graph = helper.make_graph(
        [helper.make_node("QLinearConv", ["x", "s", "z", "w", "s", "i", "t", "z"], ["y"])],
        "p",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, shape)],
        [
            numpy_helper.from_array(np.full((CHANNELS, CHANNELS, 1, 1), weight, np.int8), "w"),
            numpy_helper.from_array(np.float32(1), "s"),
            numpy_helper.from_array(np.float32(CHANNELS * weight * 255 / 200), "t"),
            numpy_helper.from_array(np.uint8(0), "z"),
            numpy_helper.from_array(np.int8(0), "i"),
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 10)], ir_version=6)
    made.ClearField("producer_name")
    return made


def answers(data: bytes) -> set[int]:
    """What onnxruntime gives for the brightest picture."""
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    (sums,) = session.run(None, {"x": np.full((1, CHANNELS, SIDE, SIDE), 255, np.uint8)})
    return set(np.unique(sums).tolist())


def test_the_question_is_the_model_that_it_says() -> None:
    """The bytes in the module are the model that the package onnx builds."""
    assert onnx.load_model_from_string(dot_products.LARGEST_PRODUCTS) == model(LARGEST)


def test_the_answer_tells_exact_sums_from_saturated_ones() -> None:
    """Sums are exact, 200, or saturated in pairs in 16 bits, 101; nothing else; and that is the answer."""
    pairs = np.full(CHANNELS // 2, 2 * LARGEST * 255)
    scale = CHANNELS * LARGEST * 255 / 200
    exact, saturated = (round(part.sum() / scale) for part in (pairs, np.minimum(pairs, 2**15 - 1)))
    assert (exact, saturated) == (200, 101)
    given = answers(dot_products.LARGEST_PRODUCTS)
    assert given in ({exact}, {saturated})
    dot_products.has_int8_dot_products.cache_clear()
    assert dot_products.has_int8_dot_products() is (given == {exact})


def test_products_of_7_bit_weights_are_exact_on_every_processor() -> None:
    """Weights of at most 64, of either sign, are what every processor can sum."""
    assert answers(model(SEVEN_BITS).SerializeToString()) == {200}


def test_a_processor_that_cannot_be_asked_counts_as_saturating(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where onnxruntime refuses the question the form that is right everywhere is used."""
    monkeypatch.setattr(dot_products, "LARGEST_PRODUCTS", b"no model")
    dot_products.has_int8_dot_products.cache_clear()
    try:
        assert dot_products.has_int8_dot_products() is False
        assert device.usable_kinds() == ("int8",)
    finally:
        dot_products.has_int8_dot_products.cache_clear()


def test_no_list_of_the_system_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is the same where there is no /proc/cpuinfo and no known machine's name."""
    before = dot_products.has_int8_dot_products()
    monkeypatch.setattr("pathlib.Path.read_text", lambda *_args, **_more: "")
    monkeypatch.setattr("platform.machine", lambda: "unheard-of")
    dot_products.has_int8_dot_products.cache_clear()
    assert dot_products.has_int8_dot_products() is before
