"""Whether this processor sums 8-bit products exactly: asked of onnxruntime's own arithmetic.

Where there is no instruction for 8-bit dot products (AVX-VNNI, AVX512-VNNI, ARM's), products are added in
pairs in 16 bits, which saturate beyond 2 x 64 x 255. Names of instruction sets are told differently by
every system, and not at all by some; an answer that is known beforehand is the same question everywhere.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

_CHANNELS: Final = 16
_SIDE: Final = 8
_BRIGHTEST: Final = 255
_EXACT: Final = 200  # what the sums of the largest products are scaled to; saturated ones give 101


@cache
def has_int8_dot_products() -> bool:
    """Whether 8-bit products are summed without saturation, by one run of the largest there are.

    False, which is right for any processor, where onnxruntime cannot run it.
    """
    import numpy as np  # noqa: PLC0415 - this module is imported by commands that need no arrays
    import onnxruntime as ort  # noqa: PLC0415

    picture = np.full((1, _CHANNELS, _SIDE, _SIDE), _BRIGHTEST, np.uint8)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session: Any = ort.InferenceSession(LARGEST_PRODUCTS, options, providers=["CPUExecutionProvider"])
        (sums,) = session.run(None, {"x": picture})
    except Exception:  # noqa: BLE001 - onnxruntime's errors have no common parent but this
        return False
    return bool((sums == _EXACT).all())


# An ONNX model of one node: QLinearConv of 16 channels with weights of 127, 1 x 1, whose output scale makes
# 16 x 127 x 255 the answer 200. As bytes, since the package onnx is an extra; a test builds it with that.
LARGEST_PRODUCTS: Final = (
    b"\x08\x06:\xa8\x03"  # IR version 6, graph
    b"\n(\n\x01x\n\x01s\n\x01z\n\x01w\n\x01s\n\x01i\n\x01t\n\x01z\x12\x01y\x22\x0bQLinearConv\x12\x01p"
    b"*\x90\x02\x08\x10\x08\x10\x08\x01\x08\x01\x10\x03B\x01wJ\x80\x02"
    + b"\x7f"
    * _CHANNELS**2  # weights
    + b"*\x0b\x10\x01B\x01sJ\x04\x00\x00\x80?*\x0b\x10\x01B\x01tJ\x04\xcd\xec!E"  # scales
    b"*\x08\x10\x02B\x01zJ\x01\x00*\x08\x10\x03B\x01iJ\x01\x00"  # zero points
    b"Z\x1b\n\x01x\x12\x16\n\x14\x08\x02\x12\x10\n\x02\x08\x01\n\x02\x08\x10\n\x02\x08\x08\n\x02\x08\x08"
    b"b\x1b\n\x01y\x12\x16\n\x14\x08\x02\x12\x10\n\x02\x08\x01\n\x02\x08\x10\n\x02\x08\x08\n\x02\x08\x08"
    b"B\x04\n\x00\x10\n"  # opset 10, the first with QLinearConv
)
