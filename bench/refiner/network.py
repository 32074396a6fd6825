"""The refiner's network: colour statistics around the band, a small U-Net, a gate.

It takes an image and a coarse answer of the same size, and says where the coarse answer should change.
The statistics are a part of the graph, so that whoever runs it gives pixels and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

_PLANES = 12 + 4 * 3 + 6  # at half size: colours, coarse, projection, guided; then the smooth ones
_HEAD_IN = 4 + 6


@dataclass(frozen=True, slots=True)
class Plan:
    """Channels of the four levels, finest first."""

    channels: tuple[int, int, int, int] = (24, 40, 64, 96)


def _mean(x: Tensor, size: int) -> Tensor:
    rows = functional.avg_pool2d(x, (1, size), 1, (0, size // 2), count_include_pad=False)
    return functional.avg_pool2d(rows, (size, 1), 1, (size // 2, 0), count_include_pad=False)


def _most(x: Tensor, size: int) -> Tensor:
    rows = functional.max_pool2d(x, (1, size), 1, (0, size // 2))
    return functional.max_pool2d(rows, (size, 1), 1, (size // 2, 0))


def _resized(x: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


def _wide_mean(x: Tensor, step: int) -> Tensor:
    """The mean over 9 x 9 cells of `step` pixels, computed at that step."""
    if step == 1:
        return _mean(x, 9)
    return _resized(_mean(functional.avg_pool2d(x, step, step), 9), x)


def statistics(image: Tensor, coarse: Tensor) -> tuple[Tensor, Tensor]:
    """What local colours say of alpha: sharp planes at full size (2), smooth planes at half size (6).

    Sure pixels are those that stay sure under an erosion of 5 pixels. Their colours' means and variances,
    over windows of 18 to 288 pixels that are preferred the smaller they are, give: the projection of
    each pixel between background and foreground, the distance of the two, and which of the two
    explains the pixel. A guided filter of the coarse answer is the second sharp plane.
    Sides must be multiples of 32.
    """
    half, squares = functional.avg_pool2d(image, 2), functional.avg_pool2d(image * image, 2)
    small = functional.avg_pool2d(coarse, 2)
    means, variances, sure = [], [], []
    for side in (small, 1.0 - small):
        weight = ((-_most(-side, 5) - 0.85) / 0.1).clamp(0.0, 1.0)
        planes = torch.cat([half * weight, squares * weight, weight], 1)
        total = sum(
            share * _wide_mean(planes, step)
            for step, share in ((1, 1.0), (2, 0.3), (4, 0.03), (8, 0.003), (16, 3e-4))
        )
        average = total[:, :6] / (total[:, 6:] + 1e-6)
        means.append(average[:, :3])
        variances.append((average[:, 3:] - average[:, :3] ** 2).clamp_min(0.0) + 2e-3)
        sure += [weight, (total[:, 6:] * 50).clamp(0.0, 1.0)]
    apart = means[0] - means[1]
    distance = (apart * apart).sum(1, keepdim=True)
    unlike = [
        ((half - m) ** 2 / v + v.log()).sum(1, keepdim=True) for m, v in zip(means, variances, strict=True)
    ]
    back, slope = _resized(means[1], image), _resized(apart / (distance + 0.005), image)
    projection = ((image - back) * slope).sum(1, keepdim=True).clamp(-0.3, 1.3)
    gray = half.mean(1, keepdim=True)
    mean_gray, mean_small = _mean(gray, 5), _mean(small, 5)
    gain = (_mean(gray * small, 5) - mean_gray * mean_small) / (
        (_mean(gray * gray, 5) - mean_gray * mean_gray).clamp_min(0.0) + 1e-3
    )
    offset = _mean(mean_small - gain * mean_gray, 5)
    guided = (_resized(_mean(gain, 5), image) * image.mean(1, keepdim=True) + _resized(offset, image)).clamp(
        -0.2, 1.2
    )
    smooth = torch.cat([distance.sqrt(), torch.tanh((unlike[1] - unlike[0]) / 8), *sure], 1)
    return torch.cat([projection, guided], 1), smooth


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for first in (inputs, outputs):
        layers += [
            nn.Conv2d(first, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


class Refiner(nn.Module):
    """Image (n, 3, h, w) and coarse (n, 1, h, w) in 0..1 to alpha (n, 1, h, w); sides multiples of 32.

    The output is a mixture, weighed at each pixel, of the coarse answer as it is, the colour's projection,
    the guided filter and the coarse answer with a free change: what is right already can stay.
    """

    def __init__(self, plan: Plan | None = None) -> None:
        super().__init__()
        a, b, c, d = (plan or Plan()).channels
        self.down1, self.down2 = _block(_PLANES, a), _block(a, b)
        self.down3, self.down4 = _block(b, c), _block(c, d)
        self.up3, self.up2, self.up1 = _block(d + c, c), _block(c + b, b), _block(b + a, a)
        self.spread = nn.Conv2d(a, 24, 3, padding=1)
        self.head = nn.Sequential(
            nn.Conv2d(_HEAD_IN + 2, 12, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(12, 5, 3, padding=1)
        )
        with torch.no_grad():
            last = self.head[-1]
            last.weight.mul_(0.3)
            last.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0]))  # the coarse answer leads at first

    def forward(self, image: Tensor, coarse: Tensor) -> Tensor:
        """The refined alpha, not clipped."""
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            sharp, smooth = statistics(image, coarse)
        fine = torch.cat([image - 0.5, coarse - 0.5, sharp], 1)
        first = self.down1(torch.cat([functional.pixel_unshuffle(fine, 2), smooth], 1))
        second = self.down2(functional.max_pool2d(first, 2))
        third = self.down3(functional.max_pool2d(second, 2))
        deep = self.down4(functional.max_pool2d(third, 2))
        x = self.up3(torch.cat([_resized(deep, third), third], 1))
        x = self.up2(torch.cat([_resized(x, second), second], 1))
        x = self.up1(torch.cat([_resized(x, first), first], 1))
        x = functional.relu(functional.pixel_shuffle(self.spread(x), 2))
        x = self.head(torch.cat([x, fine], 1)).float()
        candidates = torch.cat([coarse, sharp.clamp(0.0, 1.0), coarse + x[:, 4:]], 1)
        # A softmax over the candidates in steps: onnxruntime's own turns the planes round first.
        share = torch.exp(x[:, :4] - x[:, :4].amax(1, keepdim=True))
        return (share * candidates).sum(1, keepdim=True) / share.sum(1, keepdim=True)
