"""16-bit PNG through imagecodecs: Pillow would reduce its colours to 8 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

import imagecodecs
import numpy as np

from mattebox.core.photo.model import ColourMode, Planes

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DEPTH_AT: Final = 24


def is_png16(file: BinaryIO) -> bool:
    """Whether an open PNG file has 16 bits a channel (PNG 3, section 11.2.1)."""
    file.seek(_DEPTH_AT)
    depth = file.read(1)
    file.seek(0)
    return depth == b"\x10"


def decode_png16(file: BinaryIO) -> Planes:
    """The uint16 pixels of a 16-bit PNG. Raises what libpng says."""
    file.seek(0)
    return split_alpha(np.asarray(imagecodecs.png_decode(file.read())))


def split_alpha(stored: NDArray[Any]) -> Planes:
    """Gray, gray and alpha, RGB or RGBA of shape (h, w) or (h, w, 1..4), taken apart."""
    if stored.ndim == 2:
        return Planes(stored[..., None], None, "gray")
    bands = stored.shape[2]
    mode: ColourMode = "gray" if bands <= 2 else "rgb"
    if bands in {2, 4}:
        colours, alpha = stored[..., :-1], stored[..., -1]
        return Planes(np.ascontiguousarray(colours), np.ascontiguousarray(alpha), mode)
    return Planes(stored, None, mode)
