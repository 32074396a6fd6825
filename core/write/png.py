"""PNG writer: straight alpha, 8 or 16 bits, gray kept gray (PNG 3, W3C 2025).

Our own few lines rather than Pillow's: it has no 16-bit colours, and compresses one 24 MP picture
for seconds where the Up filter with igzip takes a fraction of one.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from isal import isal_zlib

from mattebox.core.parallel import side_by_side
from mattebox.core.photo.icc import code_points
from mattebox.core.write.blocks import Blocks, blocks_of, writing
from mattebox.core.write.colour import Sheet, changes, sheet_of
from mattebox.core.write.flatten import strips

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mattebox.core.composition import Composition
    from mattebox.core.settings import PngOutput

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_METRES_PER_INCH: Final = 0.0254
_COLOUR_TYPES: Final = {1: 0, 2: 4, 3: 2, 4: 6}
_UP: Final = 2
# A window of 32 KB and no dictionary (RFC 1950, section 2.2); an empty last block (RFC 1951, section 3.2).
_ZLIB_HEADER: Final = b"\x78\x01"
_LAST_BLOCK: Final = b"\x03\x00"
_ADLER_BASE: Final = 65521


def write(composition: Composition, options: PngOutput, path: Path) -> tuple[str, ...]:
    """Write one PNG with profile, EXIF, XMP and DPI; returns what became of the inks. Raises WriteError."""
    sheet = sheet_of(composition, clear_hidden=options.hidden == "clear")
    with writing(path) as file:
        write_png(file, sheet, options.compression, blocks_of(composition, gps=options.gps))
    return changes(composition, "PNG")


def write_png(file: BinaryIO, sheet: Sheet, compression: str, blocks: Blocks) -> None:
    """Write a sheet as one PNG; its profile is the sheet's own.

    compression: "fast" (Up filter, igzip) or "small" (the best filter of each row, zlib 9).
    """
    width, height = sheet.size
    file.write(_SIGNATURE)
    kind = _COLOUR_TYPES[sheet.channels]
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, sheet.bits, kind, 0, 0, 0))
    points = code_points(sheet.icc)
    if points:
        # Says the same as the profile to readers that go by it, HDR ones among them (section 11.3.2.6).
        _chunk(file, b"cICP", bytes(points))
    if sheet.icc:
        _chunk(file, b"iCCP", b"ICC profile\0\0" + zlib.compress(sheet.icc))
    if blocks.dpi:
        across, down = (round(value / _METRES_PER_INCH) for value in blocks.dpi)
        _chunk(file, b"pHYs", struct.pack(">IIB", across, down, 1))
    if blocks.exif:
        _chunk(file, b"eXIf", blocks.exif)
    if blocks.xmp:
        _chunk(file, b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + blocks.xmp)
    check_sum = zlib.adler32(b"")
    parts = list(strips(width, height))
    _chunk(file, b"IDAT", _ZLIB_HEADER)
    for packed, part_sum, length in side_by_side(lambda rows: _packed(sheet, rows, compression), parts):
        check_sum = _adler_joined(check_sum, part_sum, length)
        _chunk(file, b"IDAT", packed)
    _chunk(file, b"IDAT", _LAST_BLOCK + struct.pack(">I", check_sum))
    _chunk(file, b"IEND", b"")


def _packed(sheet: Sheet, rows: slice, compression: str) -> tuple[bytes, int, int]:
    """Some rows as deflate blocks that end on a byte, their Adler-32 and their length (RFC 1950, 1951).

    No block looks back beyond its strip, so that strips are packed side by side.
    """
    above = slice(max(0, rows.start - 1), rows.stop)
    raw = _stored(sheet.rows(above))
    before = np.zeros_like(raw[0]) if rows.start == 0 else raw[0]
    raw = raw[rows.start - above.start :]
    if compression == "small":
        lines, packer = _best(raw, before, sheet.channels * sheet.bits // 8), zlib.compressobj(9, wbits=-15)
        return (
            packer.compress(lines.data) + packer.flush(zlib.Z_SYNC_FLUSH),
            zlib.adler32(lines.data),
            lines.size,
        )
    lines, quick = _up(raw, before), isal_zlib.compressobj(1, wbits=-15)
    packed = quick.compress(lines.data) + quick.flush(isal_zlib.Z_SYNC_FLUSH)
    return packed, isal_zlib.adler32(lines.data), lines.size


def _adler_joined(first: int, second: int, length: int) -> int:
    """The Adler-32 of two texts in one, the second of `length` bytes (RFC 1950, section 8.2)."""
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + length * ((first & 0xFFFF) - 1)
    return (high % _ADLER_BASE) << 16 | low % _ADLER_BASE


def _chunk(file: BinaryIO, name: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + name)
    file.write(data)
    file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(name))))


def _stored(part: NDArray[Any]) -> NDArray[np.uint8]:
    """The bytes of some rows as PNG stores them, big-endian: (rows, bytes)."""
    if part.itemsize == 2:
        part = part.astype(">u2")
    return np.ascontiguousarray(part).view(np.uint8).reshape(part.shape[0], -1)


def _up(raw: NDArray[np.uint8], above: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rows with filter 2: each byte minus the one above (PNG 3, section 9.2)."""
    lines = np.empty((raw.shape[0], raw.shape[1] + 1), np.uint8)
    lines[:, 0] = _UP
    np.subtract(raw[0], above, out=lines[0, 1:])
    np.subtract(raw[1:], raw[:-1], out=lines[1:, 1:])
    return lines


def _best(raw: NDArray[np.uint8], above: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Rows with the filter of the least sum of absolute differences each (PNG 3, section 12.7)."""
    up = np.concatenate([above[None], raw[:-1]])
    left = np.zeros_like(raw)
    left[:, step:] = raw[:, :-step]
    corner = np.zeros_like(raw)
    corner[:, step:] = up[:, :-step]
    mean = ((left.astype(np.uint16) + up) >> 1).astype(np.uint8)
    lines = np.empty((raw.shape[0], raw.shape[1] + 1), np.uint8)
    least = np.full(raw.shape[0], np.iinfo(np.int64).max)
    for number, guess in enumerate((None, left, up, mean, _paeth(left, up, corner))):
        rest = raw if guess is None else raw - guess
        cost = np.abs(rest.view(np.int8).astype(np.int16)).sum(axis=1, dtype=np.int64)
        better = cost < least
        least[better] = cost[better]
        lines[better, 0] = number
        lines[better, 1:] = rest[better]
    return lines


def _paeth(left: NDArray[np.uint8], up: NDArray[np.uint8], corner: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The neighbour nearest to left + up - corner, ties in that order (PNG 3, section 9.4)."""
    a, b, c = left.astype(np.int16), up.astype(np.int16), corner.astype(np.int16)
    to_left, to_up, to_corner = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    nearest_up = np.where(to_up <= to_corner, up, corner)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, nearest_up)
