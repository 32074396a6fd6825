"""A WebP's header read by hand: its decoder allocates the whole canvas as soon as it opens a file.

Google, "WebP Container Specification"; RFC 9649.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from mattebox.core.errors import TruncatedPhotoError
from mattebox.core.photo.limits import check_limits

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.settings import ReadLimits


def check_webp(file: BinaryIO, path: Path, limits: ReadLimits) -> None:
    """Raise TruncatedPhotoError where the file ends before it says, LimitError beyond `limits`."""
    file.seek(0)
    head = file.read(30)
    file.seek(0)
    said = int.from_bytes(head[4:8], "little") + 8
    if len(head) < 30 or os.fstat(file.fileno()).st_size < said - 1:  # some leave out the last pad byte
        raise TruncatedPhotoError(
            f"{path}: the WEBP file ends too early; it is damaged or still being copied."
        )
    size = _size(head)
    if size:
        check_limits(path, limits, *size)


def _size(head: bytes) -> tuple[int, int] | None:
    """Width and height from the first chunk, extended, lossless or lossy."""
    if head[12:16] == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if head[12:16] == b"VP8 ":
        across, down = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
        return across & 0x3FFF, down & 0x3FFF
    return None
