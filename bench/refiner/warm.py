"""Start training from an exported refiner: its 8-bit weights, with batch normalisation put back.

Export folds each normalisation into the convolution before it, and keeps no checkpoint. What a layer puts
out on training crops gives a normalisation that changes nothing, so that training goes on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.refiner.network import Refiner
    from numpy.typing import NDArray
    from torch import Tensor

    Weights = tuple[NDArray[np.float32], NDArray[np.float32]]


def exported(file: Path) -> Iterator[Weights]:
    """Weights (out, in, h, w) and bias (out,) of each convolution of an exported refiner, in its order."""
    import onnx
    from onnx.numpy_helper import to_array

    graph = onnx.load(file).graph
    stored = {item.name: to_array(item) for item in graph.initializer}
    made = {name: node for node in graph.node for name in node.output}

    def value(name: str) -> NDArray[np.float32]:
        if name in stored:
            return np.asarray(stored[name], np.float32)
        levels, step, zero = (stored[part] for part in made[name].input)
        shape = (-1, *[1] * (levels.ndim - 1)) if step.ndim else ()
        levels = levels.astype(np.float32) - zero.astype(np.float32).reshape(shape)
        return np.asarray(levels * step.reshape(shape), np.float32)

    for node in graph.node:
        if node.op_type == "Conv":
            yield value(node.input[1]), value(node.input[2])


@torch.no_grad()
def start_from(network: Refiner, file: Path, samples: list[tuple[Tensor, Tensor]]) -> None:
    """Give `network` the weights of `file`, and normalisations as `samples` (image, coarse) call for.

    Raises ValueError where the file is of another network.
    """
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    norms = {
        first: second
        for block in network.modules()
        if isinstance(block, nn.Sequential)
        for first, second in zip(block, list(block)[1:], strict=False)
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d)
    }
    for layer, (weight, bias) in zip(convolutions, exported(file), strict=True):
        if tuple(layer.weight.shape) != weight.shape:
            raise ValueError(f"{file} is of another network: {weight.shape}, not {tuple(layer.weight.shape)}")
        layer.weight.copy_(torch.from_numpy(weight))
        if layer in norms:
            norm = norms[layer]
            norm.running_mean.zero_()
            norm.running_var.fill_(1 - norm.eps)
            norm.weight.fill_(1)
            norm.bias.copy_(torch.from_numpy(bias))
        else:
            layer.bias.copy_(torch.from_numpy(bias))
    seen = _put_out(network, list(norms), samples)
    for layer, norm in norms.items():
        mean, variance = seen[layer]
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.add_(mean)


def _put_out(
    network: Refiner, layers: list[nn.Conv2d], samples: list[tuple[Tensor, Tensor]]
) -> dict[nn.Conv2d, tuple[Tensor, Tensor]]:
    """Mean and variance of what each layer puts out, by channel."""
    sums = {layer: torch.zeros(3, layer.out_channels) for layer in layers}

    def count(layer: nn.Conv2d, _inputs: object, output: Tensor) -> None:
        sums[layer] += torch.stack([
            output.sum((0, 2, 3)), (output * output).sum((0, 2, 3)),
            torch.full((layer.out_channels,), float(output[:, 0].numel())),
        ])  # fmt: skip

    hooks = [layer.register_forward_hook(count) for layer in layers]
    network.eval()
    for image, coarse in samples:
        network(image, coarse)
    network.train()
    for hook in hooks:
        hook.remove()
    return {
        layer: (total / n, (squares / n - (total / n) ** 2).clamp_min(1e-6))
        for layer, (total, squares, n) in sums.items()
    }
