"""Narrow convolutions: a 3 x 3 convolution to one channel as a 1 x 1 one to its nine taps, and their sum.

The values are the same but for rounding. In 8-bit integers it is six times quicker: a convolution gathers
nine pixels of all channels before it multiplies, for a single channel as for hundreds.

The sum's weights are 0 and 1 in 8 bits already, behind a DequantizeLinear of scale 1. As floats between
quantised neighbours they would not stay floats: onnxruntime's extended optimisation ("weight-bias
quantisation") stretches such weights over -128..127 by itself, and on processors without 8-bit dot
products the sums of these saturate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_TAPS: Final = 3


def widened(model: Any) -> list[str]:
    """Rewrite the narrow convolutions of an onnx.ModelProto, in place; the names of the sums.

    Only what U²-Net's side outputs are: kernels of 3 x 3, one group, any stride and dilation.
    """
    from onnx import helper, numpy_helper  # noqa: PLC0415 - an extra

    graph = model.graph
    weights = {item.name: item for item in graph.initializer}
    nodes, sums = [], []
    for node in graph.node:
        kernel = _narrow_kernel(node, weights)
        if kernel is None:
            nodes.append(node)
            continue
        taps, name = f"{node.output[0]}.taps", f"{node.output[0]}.sum"
        across = np.ascontiguousarray(kernel[0].reshape(-1, _TAPS**2).T[:, :, None, None])
        graph.initializer.extend(
            [
                numpy_helper.from_array(across, f"{taps}.weight"),
                numpy_helper.from_array(_one_each(), f"{name}.weight.quantized"),
                numpy_helper.from_array(np.ones((), kernel.dtype), f"{name}.weight.scale"),
                numpy_helper.from_array(np.zeros((), np.int8), f"{name}.weight.zero_point"),
            ]
        )
        parts = [f"{name}.weight.{part}" for part in ("quantized", "scale", "zero_point")]
        weight = f"{name}.weight"
        nodes.append(helper.make_node("DequantizeLinear", parts, [weight], name=weight))
        nodes.append(helper.make_node("Conv", [node.input[0], f"{taps}.weight"], [taps], name=taps))
        total = helper.make_node("Conv", [taps, weight, *node.input[2:]], node.output, name=name)
        total.attribute.extend(node.attribute)
        nodes.append(total)
        sums.append(name)
    del graph.node[:]
    graph.node.extend(nodes)
    _drop_unused(graph)
    return sums


def _narrow_kernel(node: Any, weights: Mapping[str, Any]) -> NDArray[np.float32] | None:
    """The kernel (1, c, 3, 3) of a narrow convolution, else None."""
    from onnx import numpy_helper  # noqa: PLC0415 - an extra

    if node.op_type != "Conv" or node.input[1] not in weights:
        return None
    item = weights[node.input[1]]
    groups = [attribute.i for attribute in node.attribute if attribute.name == "group"]
    if item.dims[0] != 1 or list(item.dims[2:]) != [_TAPS, _TAPS] or any(count != 1 for count in groups):
        return None
    return np.asarray(numpy_helper.to_array(item))


def _one_each() -> NDArray[np.int8]:
    """The kernel (1, 9, 3, 3) that takes each tap from its own place."""
    return np.eye(_TAPS**2, dtype=np.int8).reshape(1, _TAPS**2, _TAPS, _TAPS)


def _drop_unused(graph: Any) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [item for item in graph.initializer if item.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
