"""PNG: its header and metadata read chunk by chunk, its pixels from the critical chunks alone.

Nothing is decoded until it is asked for, and what is wrong with metadata never reaches the pixels' decoder.
PNG, third edition (W3C 2025).
"""

from __future__ import annotations

import struct
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from mattebox.core.errors import TruncatedPhotoError
from mattebox.core.photo import exif as exif_block
from mattebox.core.photo import png_text
from mattebox.core.photo.cicp import Told, from_code_points, from_gamma
from mattebox.core.photo.deep import split_alpha
from mattebox.core.photo.icc import Primaries
from mattebox.core.photo.limits import check_limits
from mattebox.core.photo.model import ColourMode, Header, OpenPhoto, Planes
from mattebox.core.photo.pillow import frame_note, plain_planes
from mattebox.core.photo.silence import silenced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from mattebox.core.settings import ReadLimits

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# What the pixels' decoder is given.
_PIXELS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_TOLD: Final = frozenset(
    {b"iCCP", b"sRGB", b"cICP", b"gAMA", b"cHRM", b"pHYs", b"eXIf", b"tEXt", b"zTXt", b"iTXt"}
)
_MOST_CHUNKS: Final = 1_000_000
_PROFILE_BYTES: Final = 1 << 24
_INCHES_PER_METRE: Final = 0.0254


@dataclass(slots=True)
class _Chunks:
    """Where a PNG's chunks are, each with its length, and the contents of those that tell about it."""

    pixels: list[tuple[int, int]] = field(default_factory=list)
    told: list[tuple[bytes, bytes]] = field(default_factory=list)
    clear: bool = False
    interlaced: bool = False
    frames: int = 0
    whole: bool = False

    def first(self, name: bytes) -> bytes | None:
        """The content of the first chunk of a name."""
        return next((content for found, content in self.told if found == name), None)


@contextmanager
def opened(file: BinaryIO, path: Path, limits: ReadLimits) -> Iterator[OpenPhoto]:
    """A PNG, checked against `limits`; its default image where it is animated.

    Raises TruncatedPhotoError, PhotoError, LimitError.
    """
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(33)
    if len(head) < 33 or head[8:16] != b"\0\0\0\x0dIHDR" or head[25] not in _CHANNELS:
        raise TruncatedPhotoError(
            f"{path}: the file begins as PNG but its header cannot be read; "
            f"it is damaged or still being copied."
        )
    width, height, depth, kind = struct.unpack(">IIBB", head[16:26])
    check_limits(path, limits, width, height, size=size)
    chunks = _walk(file, size)
    chunks.interlaced = head[28] == 1
    frames = max(1, chunks.frames)
    check_limits(path, limits, width, height, frames)
    mode: ColourMode = "gray" if kind in {0, 4} else "rgb"
    exif, xmp, notes = png_text.metadata(chunks.told)
    colour = _colour(chunks, mode)
    header = Header(
        width=width,
        height=height,
        mode=mode,
        bits=16 if depth == 16 else 8,
        has_alpha=kind in {4, 6} or chunks.clear,
        icc=colour.icc,
        exif=exif,
        xmp=xmp,
        dpi=_dpi(chunks.first(b"pHYs")),
        orientation=exif_block.orientation(exif),
        frames=frames,
        notes=frame_note(frames) + colour.notes + notes,
    )
    yield OpenPhoto(header, lambda: _decode(file, chunks, header, path))


def _walk(file: BinaryIO, size: int) -> _Chunks:
    """All chunks up to the end, however odd; no pixel data are read."""
    chunks, place = _Chunks(), len(_SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            break
        length, name = int.from_bytes(head[:4]), head[4:]
        end = place + 12 + length
        if name in _TOLD and end <= size:
            chunks.told.append((name, file.read(length)))
        elif name in _PIXELS:
            chunks.pixels.append((place, min(end, size) - place))
        chunks.clear = chunks.clear or name == b"tRNS"
        # Counted, for what acTL says is no more than said.
        chunks.frames += name == b"fcTL"
        if name == b"IEND":
            chunks.whole = True
            break
        place = end
    return chunks


def _colour(chunks: _Chunks, mode: ColourMode) -> Told:
    """What the chunks say about colours, the most exact first (section 4.3, "Colour spaces")."""
    points = chunks.first(b"cICP")
    if points and len(points) == 4:
        return from_code_points((points[0], points[1], points[2], points[3]), mode)
    named = chunks.first(b"iCCP")
    if named:
        return _profile(named)
    if chunks.first(b"sRGB"):
        return Told()
    gamma, corners = chunks.first(b"gAMA"), chunks.first(b"cHRM")
    exponent = int.from_bytes(gamma) / 100_000 if gamma and len(gamma) == 4 else None
    if not exponent and not corners:
        return Told()
    return from_gamma(exponent or None, _primaries(corners), mode)


def _profile(content: bytes) -> Told:
    """The profile of an iCCP chunk, inflated no further than profiles are large."""
    _, _, packed = content.partition(b"\0")
    unpacker = zlib.decompressobj()
    try:
        icc = unpacker.decompress(packed[1:], _PROFILE_BYTES)
    except zlib.error:
        icc = b""
    if not icc or unpacker.unconsumed_tail:
        return Told(notes=("The photo's colour profile is damaged; it was left out.",))
    return Told(icc)


def _primaries(corners: bytes | None) -> Primaries | None:
    if corners is None or len(corners) != 32:
        return None
    values = [value / 100_000 for value in struct.unpack(">8I", corners)]
    pairs = list(zip(values[::2], values[1::2], strict=True))
    return Primaries(*pairs)


def _dpi(content: bytes | None) -> tuple[float, float] | None:
    """Pixels per inch, where the unit is the metre and the number sensible."""
    if content is None or len(content) != 9 or content[8] != 1:
        return None
    across, down = (value * _INCHES_PER_METRE for value in struct.unpack(">II", content[:8]))
    return (across, down) if 1 < across < 1e5 and 1 < down < 1e5 else None


def _decode(file: BinaryIO, chunks: _Chunks, header: Header, path: Path) -> Planes:
    if not chunks.whole:
        raise TruncatedPhotoError(
            f"{path}: the PNG file ends too early; it is damaged or still being copied."
        )
    parts = [_SIGNATURE]
    for place, length in chunks.pixels:
        file.seek(place)
        parts.append(file.read(length))
    data = b"".join(parts)
    del parts
    if header.bits == 16:
        return split_alpha(_interlaced(data) if chunks.interlaced else _deep(data))
    from PIL import Image, PngImagePlugin  # noqa: F401, PLC0415 - the plug-in registers itself

    Image.MAX_IMAGE_PIXELS = None  # `limits` were checked
    with Image.open(BytesIO(data), formats=("PNG",)) as image:
        depth, kind, clear = data[24], data[25], image.info.get("transparency")
        if kind == 0 and depth < 8 and isinstance(clear, int):
            # Pillow compares this shade as stored with pixels that it has made 8 bits.
            del image.info["transparency"]
            planes = plain_planes(image, path)
            # Of one bit it has the shade itself made 8 bits already.
            shade = clear if depth == 1 else clear * 255 // ((1 << depth) - 1)
            return planes._replace(alpha=np.where(planes.pixels[..., 0] == shade, 0, 255).astype(np.uint8))
        return plain_planes(image, path)


def _deep(data: bytes) -> NDArray[Any]:
    import imagecodecs  # noqa: PLC0415 - a library of its own, only for deep pictures

    return np.asarray(imagecodecs.png_decode(data))


def _interlaced(data: bytes) -> NDArray[Any]:
    """A deep picture in passes, of which imagecodecs' libpng would print warnings."""
    import cv2  # noqa: PLC0415 - loaded for these alone

    with silenced():
        stored: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise ValueError("cannot be decoded")
    gray = data[25] in {0, 4}
    if gray and stored.ndim == 3:
        return np.ascontiguousarray(stored[..., (0, -1)])
    if stored.ndim == 2:
        return np.asarray(stored)
    return np.asarray(
        cv2.cvtColor(stored, cv2.COLOR_BGRA2RGBA if stored.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    )
