"""The refiner at work: alpha at full resolution from a small map, in tiles along its unknown band."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import onnxruntime as ort

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Matte = NDArray[np.float32]

# Where the network saw the photo about as finely as it is, its edge is the better one: refined, ISNet's
# answers at 1024 pixels lose on 480-pixel video frames.
_FINER: Final = 1.25
_STEP: Final = 2.0  # a larger photo is refined first at half the size, and that at half of it
_FIRST_STEP: Final = 3.2  # trained up to 4 pixels of the photo per pixel of the network
_MARGIN: Final = 32  # context around a tile's own pixels, blended with the neighbours'
_REACH: Final = 3.0  # half the band's width where the map crosses one half, in pixels of the map
_SURE: Final = 0.05
_TOLERANCE: Final = 0.2  # a change of the mean by this much has half its say


class LearnedRefiner:
    """One loaded refiner; it answers equally for equal input."""

    def __init__(self, weights: Path, *, threads: int = 0) -> None:
        """Load `weights`; `threads` 0 leaves the choice to onnxruntime."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        self._tile = int(self._session.get_inputs()[0].shape[2])

    def refine(self, pixels: NDArray[np.uint8], probability: Matte, *, seen: int) -> Matte:
        """Alpha of the pixels' size, float32 0..1, from a probability map of any size.

        pixels: (h, w, 3) uint8 sRGB. probability: (a, b) float32 0..1. seen: how many pixels the network
        saw along the longer side, which tells how coarse the map is. Only the unknown band changes; where
        the photo is hardly finer than what was seen, nothing does.
        """
        height, width = pixels.shape[:2]
        current = probability
        ratio = max(height, width) / seen
        if ratio < _FINER:
            full = cv2.resize(current, (width, height), interpolation=cv2.INTER_CUBIC)
            return np.asarray(np.clip(full, 0, 1), np.float32)
        for share in _shares(ratio):
            size = (max(1, round(width * share)), max(1, round(height * share)))
            scale, seen = max(size) / seen, max(size)
            image = np.asarray(
                pixels if share == 1 else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8
            )
            how = cv2.INTER_LINEAR if max(size) > max(current.shape) else cv2.INTER_AREA
            coarse = np.asarray(cv2.resize(current, size, interpolation=how), np.float32)
            current = self._level(image, coarse, unknown_band(coarse, max(2, round(_REACH * scale))))
        coarse = np.asarray(
            cv2.resize(probability, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
        )
        return trusted(coarse, current, ratio)

    def _level(self, image: NDArray[np.uint8], coarse: Matte, band: NDArray[np.bool_]) -> Matte:
        height, width = coarse.shape
        answer = np.zeros_like(coarse)
        weight = np.zeros_like(coarse)
        ramp = _ramp(self._tile)
        for y, x in _tiles(band, self._tile):
            rows, columns = slice(y, min(y + self._tile, height)), slice(x, min(x + self._tile, width))
            refined = self._run(image[rows, columns], coarse[rows, columns])
            share = ramp[: refined.shape[0], : refined.shape[1]]
            answer[rows, columns] += refined * share
            weight[rows, columns] += share
        inside = band & (weight > 0)
        return np.where(inside, np.clip(answer / np.maximum(weight, 1e-6), 0, 1), coarse).astype(np.float32)

    def _run(self, image: NDArray[np.uint8], coarse: Matte) -> Matte:
        height, width = coarse.shape
        below, right = self._tile - height, self._tile - width
        if below or right:
            image = np.pad(image, ((0, below), (0, right), (0, 0)), mode="edge")
            coarse = np.pad(coarse, ((0, below), (0, right)), mode="edge")
        tensor = np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        (alpha,) = self._session.run(None, {"image": tensor, "coarse": coarse[None, None]})
        return np.asarray(alpha[0, 0, :height, :width], np.float32)


def trusted(coarse: Matte, refined: Matte, scale: float) -> Matte:
    """The refined alpha as far as its mean over a network's pixel stays near what the network said there.

    Hair and sharpness are changes around a mean and pass; a part of the subject that is cut off, or a part
    of the background that is let in, does not. scale: pixels per pixel of the network's input.
    """
    change = refined - coarse
    side = 2 * max(1, round(scale)) + 1
    apart = cv2.blur(change, (side, side)) / np.float32(_TOLERANCE)
    return np.asarray(coarse + change / (1 + apart * apart), np.float32)


def unknown_band(coarse: Matte, reach: int) -> NDArray[np.bool_]:
    """Where alpha is unknown: unsure pixels and the crossing of one half, widened by `reach` pixels."""
    element = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * reach + 1, 2 * reach + 1))
    subject = (coarse > 0.5).astype(np.uint8)
    edge = cv2.morphologyEx(subject, cv2.MORPH_GRADIENT, element)
    unsure = ((coarse > _SURE) & (coarse < 1 - _SURE)).astype(np.uint8)
    return np.asarray(np.maximum(edge, cv2.dilate(unsure, element)) > 0)


def _shares(ratio: float) -> Iterator[float]:
    """Sizes at which to refine, as shares of the photo's, the last being 1; `ratio`: photo to map."""
    steps = 0
    while ratio / _STEP**steps > _FIRST_STEP:
        steps += 1
    for step in range(steps, -1, -1):
        yield 1 / _STEP**step


def _tiles(band: NDArray[np.bool_], tile: int) -> Iterator[tuple[int, int]]:
    """Top left corners of tiles whose own pixels hold a part of the band."""
    height, width = band.shape
    own = tile - 2 * _MARGIN
    for y in _starts(height, tile, own):
        for x in _starts(width, tile, own):
            rows, columns = _own(y, tile, height), _own(x, tile, width)
            if band[rows, columns].any():
                yield y, x


def _own(start: int, tile: int, length: int) -> slice:
    """A tile's own pixels: all but its margin, which belongs to a neighbour unless the frame ends there."""
    first = start + _MARGIN if start else 0
    last = start + tile - _MARGIN if start + tile < length else length
    return slice(first, last)


def _starts(length: int, tile: int, own: int) -> list[int]:
    if length <= tile:
        return [0]
    return [*range(0, length - tile, own), length - tile]


@cache
def _ramp(tile: int) -> Matte:
    """How much a tile's answer counts: rising over the margin, full in its middle."""
    edge = np.minimum(np.arange(tile) + 0.5, np.arange(tile)[::-1] + 0.5) / (2 * _MARGIN)
    line = np.clip(edge, 0.01, 1)
    return np.asarray(line[:, None] * line, np.float32)
