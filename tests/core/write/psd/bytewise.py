"""Reading bytes by the specification: a cursor, text, and samples unpacked row by row."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

DTYPES = {1: np.dtype(np.uint8), 8: np.dtype(np.uint8), 16: np.dtype(">u2"), 32: np.dtype(">f4")}


class Cursor:
    """Bytes with a place; reading beyond the end raises ValueError."""

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data, self.at, self.end = data, at, len(data) if end is None else end

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if count < 0 or self.at + count > self.end:
            raise ValueError(f"{count} bytes at {self.at} go beyond {self.end}")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int) -> int:
        """The next unsigned number."""
        return int.from_bytes(self.take(size), "big")

    def part(self, count: int) -> Cursor:
        """The next bytes as a cursor of their own."""
        self.take(count)
        return Cursor(self.data, self.at - count, self.at)

    @property
    def left(self) -> int:
        """How many bytes there are still."""
        return self.end - self.at


def unicode_text(data: Cursor) -> str:
    """A Unicode string: its count of UTF-16 units, then the units."""
    return data.take(2 * data.number(4)).decode("utf-16-be")


def samples(
    data: Cursor, compression: int, size: tuple[int, int], *, depth: int, version: int
) -> np.ndarray[Any, Any]:
    """Rows of samples; the cursor stands behind them. Raises ValueError, zlib.error."""
    width, height = size
    row = width * depth // 8 if depth >= 8 else -(-width // 8)
    if compression == 0:
        plain = data.take(row * height)
    elif compression == 1:
        lengths = [data.number(2 * version) for _ in range(height)]
        plain = b"".join(unpacked(data.take(packed), row) for packed in lengths)
    elif compression in {2, 3}:
        inflate = zlib.decompressobj()
        plain = inflate.decompress(data.take(data.left))
        # A few writers round a channel's length up.
        if len(plain) != row * height or not inflate.eof or any(inflate.unused_data):
            raise ValueError(f"{len(plain)} bytes inflated, {row * height} expected")
    else:
        raise ValueError(f"compression {compression}")
    found = np.frombuffer(plain, DTYPES[depth]).reshape(height, -1)
    if compression != 3:
        return found
    if depth == 32:
        bytewise = np.cumsum(np.frombuffer(plain, np.uint8).reshape(height, -1), axis=1, dtype=np.uint8)
        return np.ascontiguousarray(bytewise.reshape(height, 4, width).transpose(0, 2, 1)).view(">f4")[..., 0]
    return np.cumsum(found, axis=1, dtype=found.dtype.newbyteorder("=")).astype(found.dtype)


def unpacked(packed: bytes, expected: int) -> bytes:
    """One PackBits row; ValueError where it does not give exactly the bytes expected."""
    out = bytearray()
    at = 0
    while at < len(packed):
        count = packed[at]
        if count < 128:
            out += packed[at + 1 : at + 2 + count]
            at += 2 + count
        elif count > 128:
            out += packed[at + 1 : at + 2] * (257 - count)
            at += 2
        else:
            at += 1
    if len(out) != expected or at != len(packed):
        raise ValueError(f"a row of {len(out)} bytes, {expected} expected")
    return bytes(out)
