"""MobileSAM's encoder (TinyViT) for pictures of any height and width: the authors' weights and arithmetic.

The authors' own `forward` knows one side, 1024. Here a picture may end sooner: where it does, windows that
reach beyond it hold what the layer says of blank padding far from all borders, a vector that follows from the
weights alone. Queries, keys and values come into their windows in one move, and what a layer does to each
place by itself is done to places of the picture only. The first layers, whose arrays are by far the largest,
run in strips with the rows around them that their convolutions reach. At 1024 x 1024 the answers are the
authors' own.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import torch
from torch import nn
from torch.nn import functional

_SIDE: Final = 1024
_STRIPS: Final = 4


class Encoder(nn.Module):
    """A picture (1, 3, h, w), multiples of 16, to its embedding (1, 256, h / 16, w / 16)."""

    def __init__(self, sam: Any) -> None:
        super().__init__()
        self.image_encoder = sam.image_encoder

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """The embedding."""
        net = self.image_encoder
        ends = torch.tensor(_SIDE) > picture.shape[2], torch.tensor(_SIDE) > picture.shape[3]
        x, blank = _stem(net, picture), _blank_stem(net)
        for layer in net.layers[1:]:
            for block in layer.blocks:
                x, blank = _block(block, x, blank, ends)
            if layer.downsample is not None:
                x, blank = _merged(layer.downsample, x), _blank(_parts(layer.downsample), blank)
        return net.neck(x)


def _stem(net: Any, picture: torch.Tensor) -> torch.Tensor:
    """All before the first attention, 1/8 of the picture's rows and columns, strip by strip."""
    rows = picture.shape[2] // 8
    bounds = [rows * place // _STRIPS for place in range(_STRIPS + 1)]
    found = []
    for place, (top, bottom) in enumerate(pairwise(bounds)):
        first, last = place == 0, place == _STRIPS - 1
        # 15 rows above and 8 below are what two blocks, three steps of two and their kernels reach.
        x = picture[:, :, 0 if first else 8 * top - 15 : picture.shape[2] if last else 8 * bottom + 8]
        patch = net.patch_embed.seq
        x = patch[1](_convolved(patch[0], x, above=first))
        x = _convolved(patch[2], x, above=first)
        for block in net.layers[0].blocks:
            inner = block.act1(block.conv1(x))
            inner = block.conv3(block.act2(_convolved(block.conv2, inner, above=first, below=last)))
            x = block.act3(inner + x[:, :, 0 if first else 1 : x.shape[2] if last else -1])
        merging = net.layers[0].downsample
        x = merging.act(merging.conv1(x))
        found.append(merging.conv3(merging.act(_convolved(merging.conv2, x, above=first))))
    return torch.cat(found, dim=2)


class _Convolution(torch.autograd.Function):
    """A convolution with its own padding on each side, which torch knows as two steps and ONNX as one."""

    @staticmethod
    def forward(
        _: Any, x: torch.Tensor, weight: torch.Tensor, step: int, groups: int, rows: list[int]
    ) -> torch.Tensor:
        """Rows of zeros above and below, one column on either side."""
        return functional.conv2d(functional.pad(x, (1, 1, *rows)), weight, stride=step, groups=groups)

    @staticmethod
    def symbolic(  # noqa: PLR0917 - torch's order
        graph: Any, x: Any, weight: Any, step: int, groups: int, rows: list[int]
    ) -> Any:
        """The node."""
        above, below = rows
        return graph.op(
            "Conv",
            x,
            weight,
            kernel_shape_i=[3, 3],
            dilations_i=[1, 1],
            pads_i=[above, 1, below, 1],
            strides_i=[step, step],
            group_i=groups,
        )


def _convolved(part: Any, x: torch.Tensor, *, above: bool, below: bool = False) -> torch.Tensor:
    """A convolution of 3 x 3 with its norm, with rows of zeros above or below only where the picture ends."""
    return part.bn(
        _Convolution.apply(x, part.c.weight, part.c.stride[0], part.c.groups, [int(above), int(below)])
    )


def _blank_stem(net: Any) -> torch.Tensor:
    """What all before the first attention says of blank padding, (1, c, 1, 1)."""
    blank = _blank(net.patch_embed.seq, torch.zeros(1, 3, 1, 1))
    for block in net.layers[0].blocks:
        inner = _blank((block.conv1, block.act1, block.conv2, block.act2, block.conv3), blank)
        blank = block.act3(inner + blank)
    return _blank(_parts(net.layers[0].downsample), blank)


def _blank(parts: Any, blank: torch.Tensor) -> torch.Tensor:
    """What layers say of blank padding far from all borders."""
    for part in parts:
        if isinstance(part, nn.Sequential):
            side = part.c.kernel_size[0]
            alike = blank.expand(1, -1, side, side)
            blank = part.bn(functional.conv2d(alike, part.c.weight, groups=part.c.groups))
        else:
            blank = part(blank)
    return blank


def _parts(merging: Any) -> tuple[Any, ...]:
    return merging.conv1, merging.act, merging.conv2, merging.act, merging.conv3


def _merged(merging: Any, x: torch.Tensor) -> torch.Tensor:
    for part in _parts(merging):
        x = part(x)
    return x


def _block(
    block: Any, x: torch.Tensor, blank: torch.Tensor, ends: tuple[Any, Any]
) -> tuple[torch.Tensor, torch.Tensor]:
    """A block of TinyViT on (1, c, h, w), and on blank padding."""
    _, channels, height, width = x.shape
    places, one = _places(x), blank.reshape(1, -1)
    attended, alone = _attended(block.attn, places, one, (height, width), block.window_size, ends)
    x = block.local_conv((places + attended).transpose(0, 1).reshape(1, channels, height, width))
    blank = _blank([block.local_conv], (one + alone).reshape(1, -1, 1, 1))
    places, one = (each + _mlp(block.mlp, each) for each in (_places(x), blank.reshape(1, -1)))
    return places.transpose(0, 1).reshape(1, channels, height, width), one.reshape(1, -1, 1, 1)


def _places(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(2).transpose(1, 2).reshape(-1, x.shape[1])


def _mlp(mlp: Any, places: torch.Tensor) -> torch.Tensor:
    return mlp.fc2(mlp.act(mlp.fc1(mlp.norm(places))))


def _attended(  # noqa: PLR0917 - one call
    attn: Any, places: torch.Tensor, blank: torch.Tensor, size: tuple[Any, Any], side: int, ends: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention of places (height * width, c) within windows of side * side, and of blank padding alone."""
    height, width = size
    heads, each = attn.num_heads, attn.key_dim
    down, across = (height + side - 1) // side, (width + side - 1) // side
    grid = attn.qkv(attn.norm(places)).reshape(height, width, -1)
    # Beyond 1024 the authors' windows hold zeros before the norm.
    nothing = attn.qkv(attn.norm(torch.zeros_like(blank))).reshape(1, 1, -1)
    padding = attn.qkv(attn.norm(blank)).reshape(1, 1, -1)
    below, beside = (torch.where(end, padding, nothing) for end in ends)
    grid = torch.cat([grid, beside.expand(height, across * side - width, -1)], dim=1)
    grid = torch.cat([grid, below.expand(down * side - height, across * side, -1)], dim=0)
    windows = grid.reshape(down, side, across, side, heads, 3, each).permute(5, 0, 2, 4, 1, 3, 6)
    query, key, value = windows.reshape(3, down * across, heads, side * side, each).unbind(0)
    bias = attn.attention_biases[:, attn.attention_bias_idxs]
    weight = ((query @ key.transpose(-2, -1)) * attn.scale + bias).softmax(dim=-1)
    found = (weight @ value).reshape(down, across, heads, side, side, each).permute(0, 3, 1, 4, 2, 5)
    found = found.reshape(down * side, across * side, heads * each)[:height, :width]
    # Among equals attention answers with their common value, whatever its weights.
    common = padding.reshape(1, heads, 3, each)[:, :, 2].reshape(1, -1)
    return attn.proj(found.reshape(-1, heads * each)), attn.proj(common)
