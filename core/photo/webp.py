"""WebP: its header and metadata read by hand, for its decoder allocates the canvas as soon as it opens.

Google, "WebP Container Specification"; RFC 9649.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from mattebox.core.errors import TruncatedPhotoError
from mattebox.core.photo import exif as exif_block
from mattebox.core.photo.deep import split_alpha
from mattebox.core.photo.limits import check_limits
from mattebox.core.photo.model import Header, OpenPhoto, Planes
from mattebox.core.photo.pillow import frame_note, plain_planes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.core.settings import ReadLimits

_ALPHA: Final = 0x10
_TOLD: Final = frozenset({b"ICCP", b"EXIF", b"XMP "})


@dataclass(slots=True)
class _Chunks:
    size: tuple[int, int] | None = None
    alpha: bool = False
    frames: int = 0
    animated: bool = False
    told: dict[bytes, bytes] | None = None


@contextmanager
def opened(file: BinaryIO, path: Path, limits: ReadLimits) -> Iterator[OpenPhoto]:
    """A WebP, checked against `limits`; its first frame where it is animated.

    Raises TruncatedPhotoError (it ends before it says), LimitError.
    """
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(30)
    said = int.from_bytes(head[4:8], "little") + 8
    chunks = _walk(file, min(size, said))
    if len(head) < 30 or size < said - 1 or chunks.size is None:  # some leave out the last pad byte
        raise TruncatedPhotoError(
            f"{path}: the WEBP file ends too early; it is damaged or still being copied."
        )
    width, height = chunks.size
    frames = max(1, chunks.frames)
    check_limits(path, limits, width, height, frames, size=size)
    told = chunks.told or {}
    exif = exif_block.bare(told.get(b"EXIF"))
    header = Header(
        width=width,
        height=height,
        mode="rgb",
        bits=8,
        has_alpha=chunks.alpha,
        icc=told.get(b"ICCP") or None,
        exif=exif,
        xmp=told.get(b"XMP ") or None,
        orientation=exif_block.orientation(exif),
        frames=frames,
        notes=frame_note(frames),
    )
    yield OpenPhoto(header, lambda: _decode(file, path, chunks))


def _walk(file: BinaryIO, end: int) -> _Chunks:
    """What the chunks say; pixel data are not read, but for the first bytes."""
    chunks, place = _Chunks(told={}), 12
    while place + 8 <= end:
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            break
        name, length = head[:4], int.from_bytes(head[4:], "little")
        if name in _TOLD and chunks.told is not None:
            chunks.told.setdefault(name, file.read(length))
        elif name == b"ANIM":
            chunks.animated = True
        elif name == b"ANMF":
            chunks.frames += 1
        if chunks.size is None:
            _measure(chunks, name, file.read(10))
        place += 8 + length + (length & 1)
    return chunks


def _measure(chunks: _Chunks, name: bytes, head: bytes) -> None:
    """Width, height and transparency from the first chunk, extended, lossless or lossy."""
    if len(head) < 10:
        return
    if name == b"VP8X":
        chunks.alpha = bool(head[0] & _ALPHA)
        across, down = int.from_bytes(head[4:7], "little"), int.from_bytes(head[7:10], "little")
        chunks.size = 1 + across, 1 + down
    elif name == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        chunks.alpha = bool(bits >> 28 & 1)
        chunks.size = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif name == b"VP8 ":
        across, down = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
        chunks.size = across & 0x3FFF, down & 0x3FFF


def _decode(file: BinaryIO, path: Path, chunks: _Chunks) -> Planes:
    file.seek(0)
    if not chunks.animated:
        import imagecodecs  # noqa: PLC0415 - without Pillow's two copies of the picture

        pixels = np.asarray(imagecodecs.webp_decode(file.read(), hasalpha=chunks.alpha))
        if pixels.shape[1::-1] != chunks.size:
            raise ValueError("the canvas has another size than the picture on it")
        return split_alpha(pixels)
    from PIL import Image, WebPImagePlugin  # noqa: F401, PLC0415 - the plug-in registers itself

    Image.MAX_IMAGE_PIXELS = None  # `limits` were checked
    with Image.open(file, formats=("WEBP",)) as image:
        return plain_planes(image, path)
