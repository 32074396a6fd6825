"""AVIF of more than 8 bits through imagecodecs: Pillow would reduce its colours to 8."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from mattebox.core.photo.model import ColourMode, Planes

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AVIF_HEADER: Final = 1 << 16
_HIGH, _TWELVE = 0x40, 0x20


def depth_of(file: BinaryIO, kind: str) -> int:
    """Bits a channel of an open AVIF file; 8 for every other kind.

    "AV1 Codec ISO Media File Format Binding", section 2.3.3.
    """
    if kind != "avif":
        return 8
    file.seek(0)
    head = file.read(_AVIF_HEADER)
    file.seek(0)
    place = head.find(b"av1C")
    if place < 0 or place + 7 > len(head):
        return 8
    flags = head[place + 6]
    return 8 + 2 * bool(flags & _HIGH) + 2 * bool(flags & _HIGH and flags & _TWELVE)


def decode_deep(file: BinaryIO, depth: int) -> Planes:
    """The uint16 pixels of a deep AVIF, of the first where it has several. Raises what libavif says."""
    import imagecodecs  # noqa: PLC0415 - a library of its own, only for deep pictures

    file.seek(0)
    return split_alpha(full_range(np.asarray(imagecodecs.avif_decode(file.read(), index=0)), depth))


def full_range(stored: NDArray[Any], depth: int, *, shifted: bool = False) -> NDArray[Any]:
    """Values of `depth` bits as 16 bits, white as 65535: the highest bits are repeated below.

    shifted: they stand at the upper end of their 16 bits already.
    """
    if depth >= 16:
        return stored
    upper = stored if shifted else np.left_shift(stored, 16 - depth)
    full: NDArray[Any] = np.bitwise_or(upper, np.right_shift(upper, depth))
    return full


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
