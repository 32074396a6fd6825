"""The learned refiner: where edges run inside a network's pixels, in tiles along the unknown band.

models/REFINER.md says what it was trained on, what it is worth and where it ends.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime as ort

from mattebox.core.errors import InferenceError
from mattebox.core.parallel import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Tile = tuple[slice, slice]

# Context around a tile's own pixels, blended with the neighbours'.
_MARGIN: Final = 32
_QUIET: Final = 3


class LearnedRefiner:
    """One loaded refiner; it gives equal answers to equal input, on however many cores."""

    def __init__(self, weights: Path) -> None:
        """Load `weights`, a graph of (image, coarse) to alpha for tiles of one size.

        Raises InferenceError where it cannot be loaded.
        """
        options = ort.SessionOptions()
        # Tiles run side by side, so each takes one core, and sums come in one order.
        options.intra_op_num_threads = 1
        options.log_severity_level = _QUIET
        try:
            self._session: Any = ort.InferenceSession(
                os.fspath(weights), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise InferenceError(f"{weights}: the learned refiner cannot be loaded ({error}).") from error
        self._tile = int(self._session.get_inputs()[0].shape[2])

    def refine(self, view: NDArray[np.uint8], coarse: Map, band: NDArray[np.bool_]) -> Map:
        """What the refiner makes of `coarse` within `band`; elsewhere `coarse` itself.

        view: (h, w, 3) uint8 sRGB. coarse: (h, w) float32 in 0..1, whose edges are up to 4 pixels wide for
        each pixel that a network saw. band: (h, w) bool. Returns (h, w) float32 in 0..1.
        """
        tiles = list(_tiles(band, self._tile))
        answer, weight = np.zeros_like(coarse), np.zeros_like(coarse)
        ramp = _ramp(self._tile)
        answers = side_by_side(lambda tile: self._run(view[tile], coarse[tile]), tiles)
        for tile, refined in zip(tiles, answers, strict=True):
            share = ramp[: refined.shape[0], : refined.shape[1]]
            answer[tile] += refined * share
            weight[tile] += share
        mixed = np.clip(answer / np.maximum(weight, np.float32(1e-6)), 0, 1)
        return np.where(band & (weight > 0), mixed, coarse).astype(np.float32)

    def _run(self, image: NDArray[np.uint8], coarse: Map) -> Map:
        height, width = coarse.shape
        below, right = self._tile - height, self._tile - width
        if below or right:
            image = np.pad(image, ((0, below), (0, right), (0, 0)), mode="edge")
            coarse = np.pad(coarse, ((0, below), (0, right)), mode="edge")
        tensor = np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        (alpha,) = self._session.run(None, {"image": tensor, "coarse": coarse[None, None]})
        return np.asarray(alpha[0, 0, :height, :width], np.float32)


@cache
def shipped_refiner() -> LearnedRefiner:
    """The refiner that comes with Mattebox, loaded once a process."""
    with as_file(files("mattebox.models") / "refiner.onnx") as weights:
        return LearnedRefiner(weights)


def _tiles(band: NDArray[np.bool_], tile: int) -> Iterator[Tile]:
    """Rows and columns of tiles whose own pixels hold a part of the band, and together all of it."""
    height, width = band.shape
    left_over = band.copy()
    while True:
        rows = np.flatnonzero(left_over.any(axis=1))
        if rows.size == 0:
            return
        # The next tile begins where the band that is left over begins.
        top = _start(int(rows[0]), tile, height)
        strip = _own(top, tile, height)
        for left in _along(np.asarray(left_over[strip].any(axis=0)), tile):
            yield slice(top, min(top + tile, height)), slice(left, min(left + tile, width))
        left_over[: strip.stop] = False


def _along(wanted: NDArray[np.bool_], tile: int) -> Iterator[int]:
    """Where tiles start whose own pixels cover all that is wanted along one axis."""
    length = wanted.size
    places = np.flatnonzero(wanted)
    while places.size:
        start = _start(int(places[0]), tile, length)
        yield start
        places = places[places >= _own(start, tile, length).stop]


def _start(first: int, tile: int, length: int) -> int:
    """Where a tile starts whose own pixels begin at `first` or before."""
    return max(0, min(first - _MARGIN, length - tile))


def _own(start: int, tile: int, length: int) -> slice:
    """A tile's own pixels: all but its margin, which ends where the frame does."""
    first = start + _MARGIN if start else 0
    last = start + tile - _MARGIN if start + tile < length else length
    return slice(first, last)


@cache
def _ramp(tile: int) -> Map:
    """How much a tile's answer counts: rising over the margin, full in its middle."""
    edge = np.minimum(np.arange(tile) + 0.5, np.arange(tile)[::-1] + 0.5) / (2 * _MARGIN)
    line = np.clip(edge, 0.01, 1)
    return np.asarray(line[:, None] * line, np.float32)
