"""What the refiner is trained for: small error in the band, at every scale, and no harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


def unknown_band(coarse: Tensor, radius: int) -> Tensor:
    """1 where the coarse answer is unsure or crosses one half within `radius` pixels, else 0."""
    unsure = ((coarse > 0.05) & (coarse < 0.95)).float()
    inside = (coarse > 0.5).float()
    near = _widest(torch.cat([inside, 1.0 - inside, unsure], 1), radius)
    return torch.maximum(near[:, :1] * near[:, 1:2], near[:, 2:])


def _widest(x: Tensor, radius: int) -> Tensor:
    rows = functional.max_pool2d(x, (1, 2 * radius + 1), 1, (0, radius))
    return functional.max_pool2d(rows, (2 * radius + 1, 1), 1, (radius, 0))


def _laplacian(x: Tensor, levels: int = 3) -> list[Tensor]:
    planes = []
    for _ in range(levels):
        smaller = functional.avg_pool2d(x, 2)
        planes.append(
            x - functional.interpolate(smaller, scale_factor=2, mode="bilinear", align_corners=False)
        )
        x = smaller
    return [*planes, x]


def refiner_loss(
    answer: Tensor, alpha: Tensor, coarse: Tensor, band: Tensor, *, harm_weight: float
) -> Tensor:
    """Band-weighted L1, Laplacian pyramid and gradient terms, and the harm done to what was right.

    harm_weight: what a pixel that became worse costs more than one that stayed as wrong. Small at
    first, else the network learns to change nothing.
    """
    weight = 1.0 + 3.0 * band
    error = (answer - alpha).abs()
    loss = 2.0 * (error * weight).sum() / weight.sum()
    harm = functional.relu(error - (coarse - alpha).abs())
    loss = loss + harm_weight * (harm * weight).sum() / weight.sum()
    for level, (x, y) in enumerate(zip(_laplacian(answer), _laplacian(alpha), strict=True)):
        loss = loss + 0.5 * 2 ** (level / 2) * (x - y).abs().mean()
    for axis in (2, 3):
        loss = loss + 0.5 * (answer.diff(dim=axis) - alpha.diff(dim=axis)).abs().mean()
    return loss
