"""The frames of a promptable network: picture of 1024 pixels a side, masks of 256, embedding of 64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

PICTURE: Final = 1024
MASK: Final = 256
PATCHES: Final = 64
# Patches of padding that are encoded with a view: with none the parts at its edge change.
MARGIN: Final = 2
# At least so many patches a side are encoded: no narrower view was among those that padding was fitted on.
LEAST: Final = 36
_STEP: Final = PICTURE // MASK
_PATCH: Final = PICTURE // PATCHES
_NOTHING: Final = -20.0


@dataclass(frozen=True, slots=True)
class Frame:
    """How a view (height, width) lies in the frames: enlarged or shrunk to their side, at their upper left.

    size: height and width of its part of the picture; cells: rows and columns of its part of a mask; patches:
    those of its part of an embedding.
    """

    height: int
    width: int

    @property
    def scale(self) -> float:
        """Pixels of the picture per pixel of the view."""
        return PICTURE / max(self.height, self.width)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the view in the picture."""
        return max(1, int(self.height * self.scale + 0.5)), max(1, int(self.width * self.scale + 0.5))

    @property
    def patches(self) -> tuple[int, int]:
        """Rows and columns of the view in an embedding."""
        return -(-self.size[0] // _PATCH), -(-self.size[1] // _PATCH)

    @property
    def shown(self) -> tuple[int, int]:
        """Height and width of what is encoded: the view and the patches of padding beyond it."""
        rows, columns = (min(PATCHES, max(patches + MARGIN, LEAST)) for patches in self.patches)
        return rows * _PATCH, columns * _PATCH

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns of the view in a mask."""
        return max(1, round(self.size[0] / _STEP)), max(1, round(self.size[1] / _STEP))

    def lowered(self, level: NDArray[np.float32]) -> Map:
        """A map of the view, of any size, (h, w) float32, in the cells of a mask."""
        rows, columns = self.cells
        return np.asarray(cv2.resize(level, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)

    def raised(self, logits: Map) -> Map:
        """Logits of a mask's cells, as probabilities in 0..1 of the view's size, (height, width) float32."""
        whole = np.full((MASK, MASK), _NOTHING, np.float32)
        whole[: logits.shape[0], : logits.shape[1]] = logits
        # As the authors do it: the whole mask to the picture's side, then what lies beyond the view goes.
        large = cv2.resize(whole, (PICTURE, PICTURE), interpolation=cv2.INTER_LINEAR)
        part = np.ascontiguousarray(large[: self.size[0], : self.size[1]])
        if part.shape != (self.height, self.width):
            smaller = part.shape[0] >= self.height
            way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
            part = np.asarray(cv2.resize(part, (self.width, self.height), interpolation=way), np.float32)
        return sigmoid(np.asarray(part, np.float32))


def sigmoid(logits: Map) -> Map:
    """Logits as probabilities, float32 in 0..1."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)
