"""Photos in every format, made from one small picture."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture
def rgb() -> NDArray[np.uint8]:
    """A small picture, each pixel different, wider than high."""
    rows, columns = np.mgrid[0:20, 0:30]
    return np.stack([rows * 12, columns * 8, (rows + columns) * 5], axis=2).astype(np.uint8)


@pytest.fixture
def srgb() -> bytes:
    """A profile to carry."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Save an array by Pillow under a name, with Pillow's options."""

    def saved(name: str, pixels: NDArray[np.uint8], mode: str | None = None, **options: object) -> Path:
        path = tmp_path / name
        image = Image.fromarray(pixels)
        (image.convert(mode) if mode else image).save(path, **options)
        return path

    return saved


@pytest.fixture
def png_bytes() -> Callable[..., bytes]:
    """A PNG of any depth and colour type made by hand, unfiltered."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    def built(pixels: NDArray[np.uint16], colour_type: int, transparent: bytes = b"") -> bytes:
        height, width = pixels.shape[:2]
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
        head = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
        clear = chunk(b"tRNS", transparent) if transparent else b""
        body = chunk(b"IHDR", head) + clear + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        return b"\x89PNG\r\n\x1a\n" + body

    return built
