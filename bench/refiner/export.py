"""Export a trained refiner as ONNX for tiles of one size, in 8 bits, and say what that costs.

python -m bench.refiner.export RUN/checkpoint.pt refiner.onnx BANK

Inputs: image (1, 3, t, t) and coarse (1, 1, t, t), float32 0..1; output: alpha (1, 1, t, t), not clipped.
The convolutions run in 8 bits except those of the head; BANK calibrates their ranges.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import torch
from bench.refiner.bank import load
from bench.refiner.composites import Sample, sample
from bench.refiner.network import Refiner

import mattebox.core  # noqa: F401 - before onnxruntime: it forbids telemetry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Feed = dict[str, NDArray[np.float32]]

TILE = 320
OPSET = 17
_HEAD = 2  # the last convolutions, at full size


def trained(checkpoint: Path) -> Refiner:
    """The averaged network of a checkpoint, ready to answer."""
    saved = torch.load(checkpoint, weights_only=True, map_location="cpu")
    network = Refiner()
    network.load_state_dict(saved["average"])
    return network.eval()


def export(network: Refiner, target: Path, tile: int = TILE) -> None:
    """Write the network, its batch normalisation folded, for tiles of `tile` pixels."""
    example = (torch.rand(1, 3, tile, tile), torch.rand(1, 1, tile, tile))
    torch.onnx.export(
        network, example, target, opset_version=OPSET, dynamo=False,
        input_names=["image", "coarse"], output_names=["alpha"],
    )  # fmt: skip


class _Tiles:
    """Calibration tiles, as onnxruntime's quantiser asks for them."""

    def __init__(self, samples: list[Sample]) -> None:
        self._feeds = iter([_feed(one) for one in samples])

    def get_next(self) -> Feed | None:
        """The next tile, or None."""
        return next(self._feeds, None)


def quantise(file: Path, target: Path, samples: list[Sample]) -> None:
    """Write `file` with 8-bit convolutions whose ranges are those seen on `samples`.

    Weights take 7 bits: processors without VNNI add pairs of products in 16 bits, and would saturate.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(file, prepared, skip_symbolic_shape=True)
        convolutions = [node.name for node in onnx.load(prepared).graph.node if node.op_type == "Conv"]
        quantize_static(
            prepared, target, _Tiles(samples), quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True,
            reduce_range=True, nodes_to_quantize=convolutions[:-_HEAD],
        )  # fmt: skip


def _feed(one: Sample) -> Feed:
    return {
        "image": np.ascontiguousarray(one.image.transpose(2, 0, 1)[None]),
        "coarse": np.ascontiguousarray(one.coarse[None, None]),
    }


def error(file: Path, samples: list[Sample]) -> float:
    """The mean error of alpha over samples."""
    import onnxruntime as ort

    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    errors = []
    for one in samples:
        (alpha,) = session.run(None, _feed(one))
        errors.append(np.abs(np.clip(alpha[0, 0], 0, 1) - one.alpha).mean())
    return float(np.mean(errors))


def main() -> None:
    """Export as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("bank", type=Path)
    options = parser.parse_args()
    bank = load(options.bank)
    seen = [sample(np.random.default_rng([7, index]), bank, TILE) for index in range(24)]
    judged = [sample(np.random.default_rng([8, index]), bank, TILE) for index in range(24)]
    with TemporaryDirectory() as folder:
        full = Path(folder) / "full.onnx"
        export(trained(options.checkpoint), full)
        quantise(full, options.target, seen)
        coarse = float(np.mean([np.abs(one.coarse - one.alpha).mean() for one in judged]))
        print(f"error: coarse {coarse:.5f}, 32 bits {error(full, judged):.5f}")
        print(f"8 bits {error(options.target, judged):.5f}")
        print(f"{options.target}: {options.target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
