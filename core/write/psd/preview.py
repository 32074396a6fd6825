"""The merged preview: what the visible layers composite to, computed a block of rows at a time.

Values are those that the file stores (light, also for inks), so that "normal" and "multiply" are the
same formulas in every colour mode. Sources: Porter and Duff 1984, "over"; PDF 1.7, 11.3.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mattebox.core.patched import rows_of
from mattebox.core.write.psd.planes import Plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mattebox.core.photo import ColourMode
    from mattebox.core.write.psd.layers import Layer

    Dtype = np.dtype[Any]


def merged_planes(
    layers: Sequence[Layer], mode: ColourMode, size: tuple[int, int], dtype: Dtype, *, step: int = 1
) -> list[Plane]:
    """The colour planes of the merged picture on white, the lowest layer first.

    `step` takes every n-th row and column only, for a thumbnail.
    """
    width, height = size
    small = (-(-width // step), -(-height // step))
    stack = _Stack(_shown(layers), dtype, small[0], step, mode == "cmyk")

    def plane(channel: int) -> Plane:
        def rows(part: slice) -> NDArray[Any]:
            return stack.rows(channel, part)

        return Plane(*small, dtype, rows)

    return [plane(channel) for channel in range({"gray": 1, "rgb": 3, "cmyk": 4}[mode])]


def merged_alpha(layers: Sequence[Layer], size: tuple[int, int], dtype: Dtype) -> Plane:
    """The opacity of the merged picture where nothing opaque lies below."""
    shown = _shown(layers)
    full = int(np.iinfo(dtype).max)

    def rows(part: slice) -> NDArray[Any]:
        out = np.zeros((part.stop - part.start, size[0]), dtype)
        for _, coverage in shown:
            if coverage is None:
                return np.full_like(out, full)
            share = coverage[part].astype(np.uint32)
            below = out.astype(np.uint32)
            out = (share + (below * (full - share) + full // 2) // full).astype(dtype)
        return out

    return Plane(*size, dtype, rows)


def _shown(layers: Sequence[Layer]) -> list[tuple[Layer, NDArray[Any] | None]]:
    """Visible pixel layers with what covers them: their transparency, their mask or their group's.

    No layer of ours has both transparency and a mask.
    """
    shown: list[tuple[Layer, NDArray[Any] | None]] = []
    group_mask: NDArray[Any] | None = None
    for layer in reversed(layers):
        if layer.role == "group":
            group_mask = layer.mask
        elif layer.role == "group-end":
            group_mask = None
        elif layer.visible:
            own = layer.alpha if layer.alpha is not None else layer.mask
            shown.append((layer, own if own is not None else group_mask))
    return shown[::-1]


@dataclass(frozen=True, slots=True, eq=False)
class _Stack:
    """The layers that show, seen through every `step`-th row and column; `width` columns remain."""

    shown: Sequence[tuple[Layer, NDArray[Any] | None]]
    dtype: Dtype
    width: int
    step: int
    invert: bool

    def rows(self, channel: int, part: slice) -> NDArray[Any]:
        """Rows of one channel of the merged picture."""
        full = int(np.iinfo(self.dtype).max)
        rows = slice(part.start * self.step, part.stop * self.step, self.step)
        out = np.full((part.stop - part.start, self.width), full, self.dtype)
        for layer, coverage in self.shown:
            above = self._samples(layer, channel, rows, full)
            if coverage is None and not layer.multiply:
                out[...] = above
                continue
            share = np.full_like(out, full) if coverage is None else coverage[rows, :: self.step]
            _lay_over(out, above, share, full, multiply=layer.multiply)
        return out

    def _samples(self, layer: Layer, channel: int, rows: slice, full: int) -> NDArray[Any] | int:
        if isinstance(layer.colours, tuple):
            value = layer.colours[channel]
            return full - value if self.invert else value
        view: NDArray[Any] = rows_of(layer.colours, rows)[:, :: self.step, channel]
        return full - view if self.invert else view


def _lay_over(
    out: NDArray[Any], above: NDArray[Any] | int, share: NDArray[Any], full: int, *, multiply: bool
) -> None:
    """`above` with the opacity share / full onto `out`, in place; arithmetic only where it is soft."""
    if not multiply:
        np.copyto(out, above, where=share == full)
    partly = (share > 0) if multiply else (share > 0) & (share < full)
    if not partly.any():
        return
    opacity = share[partly].astype(np.uint32)
    below = out[partly].astype(np.uint32)
    # Products stay below 2^32: 65535 * 65535 + 32767.
    source = np.uint32(above) if isinstance(above, int) else above[partly].astype(np.uint32)
    if multiply:
        source = (source * below + full // 2) // full
    out[partly] = ((source * opacity + below * (full - opacity) + full // 2) // full).astype(out.dtype)
