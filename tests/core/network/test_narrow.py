"""A narrow convolution in two steps is the same function."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, checker, helper, numpy_helper

from mattebox.core.network.narrow import widened


def _model(out: int, taps: int = 3, group: int = 1, **attributes: Any) -> Any:
    """A convolution of six channels to `out`, with a bias."""
    random = np.random.default_rng(out)
    kernel = random.standard_normal((out, 6 // group, taps, taps)).astype(np.float32)
    bias = random.standard_normal(out).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w", "b"], ["y"], group=group, **attributes)],
        "narrow",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 6, 19, 17])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", "c", "h", "w"])],
        [numpy_helper.from_array(kernel, "w"), numpy_helper.from_array(bias, "b")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def _answer(model: Any) -> Any:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    picture = np.random.default_rng(5).standard_normal((1, 6, 19, 17)).astype(np.float32)
    return session.run(None, {"x": picture})[0]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 2), st.integers(1, 3), st.integers(0, 3))
def test_a_narrow_convolution_keeps_its_answer(stride: int, dilation: int, pad: int) -> None:
    """Whatever its stride, dilation and padding, the answer is the same but for rounding."""
    model = _model(1, strides=[stride] * 2, dilations=[dilation] * 2, pads=[pad] * 4)
    before = _answer(model)
    assert len(widened(model)) == 1
    checker.check_model(model)
    np.testing.assert_allclose(_answer(model), before, atol=2e-5)
    assert [list(item.dims) for item in model.graph.initializer if item.name != "b" and item.dims] == [
        [9, 6, 1, 1],
        [1, 9, 3, 3],
    ]


def test_other_convolutions_stay() -> None:
    """Two channels, another kernel and groups are left as they are."""
    for model in (_model(2), _model(1, taps=1), _model(6, group=6), _model(1, taps=5)):
        before = model.SerializeToString()
        assert widened(model) == []
        assert model.SerializeToString() == before
