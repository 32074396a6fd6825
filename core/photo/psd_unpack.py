"""Packed samples of a PSD into bytes; what is damaged is an error here, and not black.

Source: Adobe Photoshop File Formats Specification, "Channel image data" and "Image Data Section".
"""

from __future__ import annotations

import zlib
from typing import Any, Final

import numpy as np
from psd_tools.compression import decode_prediction, decode_rle

_RAW: Final = 0
_RLE: Final = 1
_ZIP: Final = 2
_ZIP_WITH_PREDICTION: Final = 3


def unpack(
    data: bytes, compression: int, size: tuple[int, int], depth: int, version: int
) -> np.ndarray[Any, np.dtype[Any]]:
    """Samples (h, w) of 8 or 16 bits, big-endian as stored; `size` is width, height, of all planes together.

    Raises ValueError where the data is damaged, EOFError where it ends too early.
    """
    width, height = size
    expected = width * height * depth // 8
    if compression == _RAW:
        plain = bytes(data[:expected])
    elif compression == _RLE:
        _check_rows(data, height, version)
        plain = bytes(decode_rle(data, width, height, depth, version))
    elif compression in {_ZIP, _ZIP_WITH_PREDICTION}:
        plain = _inflated(data, expected)
        if compression == _ZIP_WITH_PREDICTION:
            plain = bytes(decode_prediction(plain, width, height, depth))
    else:
        raise ValueError("an unknown compression")
    if len(plain) < expected:
        raise EOFError("the samples end too early")
    return np.frombuffer(plain, ">u2" if depth == 16 else np.uint8, width * height).reshape(height, width)


def _check_rows(data: bytes, rows: int, version: int) -> None:
    size = 2 * version
    lengths = np.frombuffer(data[: rows * size], f">u{size}")
    if lengths.size < rows or len(data) < rows * size + int(lengths.sum(dtype=np.int64)):
        raise EOFError("the samples end too early")


def _inflated(data: bytes, expected: int) -> bytes:
    """At most `expected` bytes: a small file cannot fill the memory."""
    inflate = zlib.decompressobj()
    try:
        return inflate.decompress(data, expected)
    except zlib.error as error:
        raise ValueError("its deflated samples are damaged") from error
