"""The size that compressed data say they have, read from their first bytes."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from mattebox.core.photo.jpeg_segments import segments

# Start of frame: all of ITU-T T.81's but the tables' and the arithmetic coder's (C4, C8, CC).
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_SIZ: Final = b"\xff\x4f\xff\x51"


def size_inside(head: bytes) -> tuple[int, int] | None:
    """Width and height of a JPEG, PNG, WebP or JPEG 2000 codestream; None where they are not told."""
    if head[:2] == b"\xff\xd8":
        frame = jpeg_frame(head)
        return frame[:2] if frame else None
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head[12:30])
    place = head.find(_SIZ)
    if place >= 0 and len(head) >= place + 24:
        right, below, left, above = (
            int.from_bytes(head[at : at + 4]) for at in range(place + 8, place + 24, 4)
        )
        return right - left, below - above
    return None


def jpeg_frame(head: bytes) -> tuple[int, int, int, int] | None:
    """Width, height, bits a sample and components of a JPEG's frame header (ITU-T T.81, B.2.2)."""
    for segment in segments(BytesIO(head), peek=6):
        told = segment.content
        if segment.marker in _FRAMES:
            if len(told) < 6:
                return None
            return int.from_bytes(told[3:5]), int.from_bytes(told[1:3]), told[0], told[5]
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    """From the first chunk (RFC 9649): the canvas, or the lossless or lossy picture."""
    kind, data = head[:4], head[8:]
    if kind == b"VP8X" and len(data) >= 10:
        return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little")
    if kind == b"VP8L" and len(data) >= 5:
        bits = int.from_bytes(data[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(data) >= 10:
        return int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF
    return None
