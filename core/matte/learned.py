"""The learned refiner: where edges run inside a network's pixels, in tiles along the unknown band.

models/REFINER.md says what it was trained on, what it is worth and where it ends.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort

from mattebox.core.errors import InferenceError
from mattebox.core.matte.band_tiles import along_band
from mattebox.core.network.runtime import session_options

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Map = NDArray[np.float32]


class LearnedRefiner:
    """One loaded refiner; it gives equal answers to equal input, on however many cores."""

    def __init__(self, weights: Path) -> None:
        """Load `weights`, a graph of (image, coarse) to alpha for tiles of one size.

        Raises InferenceError where it cannot be loaded.
        """
        # Tiles run side by side, so each takes one core, and sums come in one order.
        options = session_options(1)
        try:
            self._session: Any = ort.InferenceSession(
                os.fspath(weights), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise InferenceError(
                f"{weights}: the learned refiner cannot be loaded; install Mattebox anew."
            ) from error
        self._tile = int(self._session.get_inputs()[0].shape[2])

    def refine(self, view: NDArray[np.uint8], coarse: Map, band: NDArray[np.bool_]) -> Map:
        """What the refiner makes of `coarse` within `band`; elsewhere `coarse` itself.

        view: (h, w, 3) uint8 sRGB. coarse: (h, w) float32 in 0..1, whose edges are up to 4 pixels wide for
        each pixel that a network saw. band: (h, w) bool. Returns (h, w) float32 in 0..1.
        """
        found = along_band(lambda tile: self._run(view[tile], coarse[tile]), coarse, band, self._tile)
        return np.asarray(np.clip(found, 0, 1), np.float32)

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
