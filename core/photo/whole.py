"""is_whole: whether a photo's file is there to its end, told from its structure without decoding it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, Final

from mattebox.core.photo.jpeg_segments import SCAN, segments

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PNG_HEAD: Final = 8
_PNG_END: Final = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_EOI: Final = b"\xff\xd9"
_TAIL: Final = 64


def is_whole(path: Path, kind: str) -> bool:
    """Whether the structure of a file of `kind` (as sniffed) says that its last byte is there.

    False where it does not, or where the format has no structure that tells: decode it to know. Files
    that are cut off anywhere, or that were given their size before their bytes, are never whole.
    """
    test = _TESTS.get(kind)
    if test is None:
        return False
    try:
        with path.open("rb") as file:
            return test(file, os.fstat(file.fileno()).st_size)
    except OSError:
        return False


def _jpeg(file: BinaryIO, size: int) -> bool:
    """Segments up to the scan, and the end marker as the last bytes (ITU-T T.81, B.1).

    In the scan's own data the marker cannot stand, in the segments before it (a thumbnail) it can.
    """
    scan = next((found for found in segments(file) if found.marker == SCAN), None)
    file.seek(max(0, size - 2))
    return scan is not None and scan.end < size - 2 and file.read(2) == _EOI


def _png(file: BinaryIO, size: int) -> bool:
    """Chunks of the lengths that they say, IEND the last of them (PNG, third edition, 5.2 and 5.3)."""
    place = _PNG_HEAD
    while True:
        file.seek(place)
        head = file.read(len(_PNG_END))
        if len(head) < len(_PNG_END):
            return False
        if head == _PNG_END:
            return place + len(_PNG_END) == size
        place += 12 + int.from_bytes(head[:4], "big")


def _boxes(file: BinaryIO, size: int) -> bool:
    """Boxes of the lengths that they say fill the file, media data among them (ISO/IEC 14496-12, 4.2)."""
    place, media = 0, False
    while place < size:
        file.seek(place)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        # A length of 0 means "to the end of the file", which tells nothing about where that is.
        if len(head) < 8 or length < 8:
            return False
        place += length
        media = media or head[4:8] == b"mdat"
    file.seek(max(0, size - _TAIL))
    return media and place == size and any(file.read(_TAIL))


_TESTS: Final[dict[str, Callable[[BinaryIO, int], bool]]] = {
    "jpeg": _jpeg,
    "png": _png,
    "heif": _boxes,
    "avif": _boxes,
}
