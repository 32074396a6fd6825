"""Photo: pixels as stored, upright, with everything that must survive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8] | NDArray[np.uint16]

ColourMode = Literal["gray", "rgb", "cmyk"]


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """One decoded photo, upright by EXIF, never resampled, re-profiled or reduced in depth.

    pixels: (h, w, c) uint8 or uint16, C-contiguous; c is 1 (gray), 3 (RGB) or 4 (CMYK, 0 = no ink).
    alpha: (h, w) of the same dtype where the file had alpha, else None; colours are straight.
    icc, exif, xmp: the raw blocks; exif is a TIFF structure without the "Exif" prefix, its
        orientation tag already 1. dpi: horizontal, vertical pixels per inch.
    warnings: sentences about what was left out (further pages, an animation's frames).
    """

    pixels: Pixels
    mode: ColourMode
    alpha: Pixels | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    source: Path | None = None
    format: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.pixels.shape[1])

    @property
    def bits(self) -> int:
        """Bits a channel: 8 or 16."""
        return 8 * int(self.pixels.itemsize)
