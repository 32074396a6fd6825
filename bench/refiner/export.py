"""Export a trained refiner as ONNX for tiles of one size, and compare the file with torch.

python -m bench.refiner.export RUN/checkpoint.pt refiner.onnx [--bank BANK to check on its crops]

Inputs: image (1, 3, t, t) and coarse (1, 1, t, t), float32 0..1; output: alpha (1, 1, t, t), not clipped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from bench.refiner.network import Refiner

TILE = 320
OPSET = 17


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


def greatest_difference(network: Refiner, file: Path, tile: int = TILE) -> float:
    """The largest difference in alpha between torch and the file on a random tile."""
    import onnxruntime as ort

    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, tile, tile, generator=generator)
    coarse = torch.nn.functional.avg_pool2d(torch.rand(1, 1, tile, tile, generator=generator), 9, 1, 4)
    with torch.no_grad():
        expected = network(image, coarse).numpy()
    (answer,) = session.run(None, {"image": image.numpy(), "coarse": coarse.numpy()})
    return float(np.abs(answer - expected).max())


def main() -> None:
    """Export as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    network = trained(options.checkpoint)
    export(network, options.target)
    print(f"{options.target}: {options.target.stat().st_size} bytes, "
          f"differs from torch by {greatest_difference(network, options.target):.2g}")  # fmt: skip


if __name__ == "__main__":
    main()
