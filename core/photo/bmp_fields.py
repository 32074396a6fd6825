"""BMPs of 16 and 32 bits whose bit fields Pillow does not know (Microsoft, "BITMAPV5HEADER structure")."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from mattebox.core.errors import PhotoError, TruncatedPhotoError
from mattebox.core.photo.limits import check_limits
from mattebox.core.photo.model import Header, OpenPhoto, Planes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.core.settings import ReadLimits

_BY_FIELDS: Final = frozenset({3, 6})
_WITH_ALPHA_MASK: Final = 56


@contextmanager
def opened(file: BinaryIO, path: Path, limits: ReadLimits) -> Iterator[OpenPhoto]:
    """A BMP of bit fields, 8 bits a channel; an alpha field is transparency.

    Raises PhotoError where it is another kind of BMP, TruncatedPhotoError, LimitError.
    """
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(70)
    if len(head) < 70:
        raise TruncatedPhotoError(
            f"{path}: the BMP file ends too early; it is damaged or still being copied."
        )
    start, length, width, height, _, bits, packing = struct.unpack("<IIiiHHI", head[10:34])
    if bits not in {16, 32} or packing not in _BY_FIELDS or length < 40:
        raise PhotoError(f"{path}: the BMP file is damaged or of a kind that is not read.")
    check_limits(path, limits, width, abs(height), size=size)
    masks = list(struct.unpack("<4I", head[54:70]))
    if length < _WITH_ALPHA_MASK and packing == 3:
        masks[3] = 0

    def decode() -> Planes:
        step = (width * bits // 8 + 3) // 4 * 4
        file.seek(start)
        data = file.read(step * abs(height))
        if len(data) < step * abs(height):
            raise TruncatedPhotoError(
                f"{path}: the BMP file ends too early; it is damaged or still being copied."
            )
        rows = np.frombuffer(data, np.uint8).reshape(abs(height), step)[:, : width * bits // 8]
        values: Any = np.ascontiguousarray(rows).view(f"<u{bits // 8}")
        if height > 0:
            values = values[::-1]
        pixels = np.stack([_field(values, mask) for mask in masks[:3]], axis=-1)
        return Planes(pixels, _field(values, masks[3]) if masks[3] else None, "rgb")

    yield OpenPhoto(Header(width, abs(height), "rgb", 8, has_alpha=masks[3] != 0), decode)


def _field(values: Any, mask: int) -> Any:
    """The bits of a mask as 0..255; a mask of none is 0."""
    if not mask:
        return np.zeros(values.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    top = mask >> shift
    part = (values & mask) >> shift
    return np.rint(part.astype(np.float64) * (255 / top)).astype(np.uint8)
