"""Photo: pixels as stored, upright, with everything that must survive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


Pixels = NDArray[np.uint8] | NDArray[np.uint16]
ColourMode = Literal["gray", "rgb", "cmyk"]


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """One decoded photo, upright by EXIF, never resampled, re-profiled or reduced in depth.

    pixels: (h, w, c) uint8 or uint16, C-contiguous; c is 1 (gray), 3 (RGB) or 4 (CMYK, 0 = no ink).
    alpha: (h, w) of the same dtype where the file had alpha, else None; colours are straight.
    icc, exif, xmp: the raw blocks; exif is a TIFF structure without the "Exif" prefix, its
        orientation tag already 1 and its thumbnail gone. dpi: horizontal, vertical pixels per inch.
    format: the name of the file's format in lower case ("jpeg", "tiff", "raw", ...).
    warnings: sentences about what was left out (further pages, an animation's frames).
    quality: of a JPEG, 1..100, by its own table of quantisation.
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
    quality: float | None = None

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


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What a photo's header says; width and height as seen upright.

    mode: "gray", "rgb" or "cmyk" (what `read_photo` would give). bits: 8 or 16 a channel.
    exif: values by tag name, those of the Exif and GPS directories among them. xmp: the packet as stored;
    of a JPEG that has it in parts the standard one.
    """

    format: str
    width: int
    height: int
    mode: ColourMode
    bits: int
    has_alpha: bool
    has_icc: bool
    frames: int = 1
    orientation: int = 1
    dpi: tuple[float, float] | None = None
    xmp: bytes | None = None
    exif: Mapping[str, object] = field(default_factory=dict)
    bytes: int = 0


class Planes(NamedTuple):
    """Decoded pixels as stored, not yet upright: (h, w, c), alpha (h, w) or None, and the mode."""

    pixels: Pixels
    alpha: Pixels | None
    mode: ColourMode


@dataclass(frozen=True, slots=True)
class Header:
    """What a format's reader knows before it decodes; width and height as stored.

    exif: the bare block as stored. orientation: the turn that is still to be made.
    notes: sentences about what will be left out. quality: of a JPEG, by its own table of quantisation.
    """

    width: int
    height: int
    mode: ColourMode
    bits: int
    has_alpha: bool
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    orientation: int = 1
    frames: int = 1
    notes: tuple[str, ...] = ()
    quality: float | None = None


def _keep_all(longest: int) -> None:
    """Decode every pixel."""


def nothing_to_load() -> None:
    """Load nothing: what decodes is there."""


@dataclass(frozen=True, slots=True)
class OpenPhoto:
    """A file whose header was read and lies within the limits; `decode` gives its pixels.

    reduce: where the format decodes at a reduced scale for less, says of how many pixels the longer side
    shall be at least; to be called before `decode`. xmp: where the format stores the packet in parts, gives
    it whole, with sentences about what could not be read. load: loads what decodes, where that is a library
    of its own.
    """

    header: Header
    decode: Callable[[], Planes]
    reduce: Callable[[int], None] = _keep_all
    xmp: Callable[[], tuple[bytes | None, tuple[str, ...]]] | None = None
    load: Callable[[], None] = nothing_to_load

    def decoded(self) -> Planes:
        """The photo's own pixels."""
        return self.decode()
