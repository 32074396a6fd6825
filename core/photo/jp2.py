"""JPEG 2000: its boxes and the codestream's size read here, its pixels through OpenJPEG.

ITU-T T.800: annex I (boxes), A.5.1 (image and tile size). Pillow gives 8 bits of every kind, imagecodecs the
deeper ones, which Pillow would reduce.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from mattebox.core.errors import TruncatedPhotoError
from mattebox.core.photo import exif as exif_block
from mattebox.core.photo.deep import full_range, split_alpha
from mattebox.core.photo.limits import check_limits
from mattebox.core.photo.model import Header, OpenPhoto, Planes
from mattebox.core.photo.pillow import plain_planes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.core.settings import ReadLimits

_CODESTREAM: Final = b"\xff\x4f\xff\x51"
_XMP: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF: Final = b"JpgTiffExif->JP2"
_MOST: Final = 1 << 24
_MOST_BOXES: Final = 10_000
_BY_PROFILE: Final = frozenset({2, 3})


@dataclass(slots=True)
class _Facts:
    width: int = 0
    height: int = 0
    bits: int = 8
    components: int = 0
    alpha: bool = False
    palette: bool = False
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None


@contextmanager
def opened(file: BinaryIO, path: Path, limits: ReadLimits) -> Iterator[OpenPhoto]:
    """A JPEG 2000, in boxes or as a bare codestream. Raises TruncatedPhotoError, LimitError, PhotoError."""
    size = file.seek(0, 2)
    facts = _Facts()
    _walk(file, 0, size, facts)
    if not facts.components:
        raise TruncatedPhotoError(
            f"{path}: the JPEG 2000 file ends before its picture; it is damaged or still being copied."
        )
    check_limits(path, limits, facts.width, facts.height, samples=facts.components, size=size)
    gray = facts.components <= 2 and not facts.palette
    header = Header(
        width=facts.width,
        height=facts.height,
        mode="gray" if gray else "rgb",
        bits=16 if facts.bits > 8 else 8,
        has_alpha=facts.alpha or facts.components in {2, 4},
        icc=facts.icc,
        exif=exif_block.bare(facts.exif),
        xmp=facts.xmp,
        orientation=exif_block.orientation(exif_block.bare(facts.exif)),
    )
    yield OpenPhoto(header, lambda: _decode(file, facts, path))


def _walk(file: BinaryIO, place: int, end: int, facts: _Facts, depth: int = 0) -> None:
    """Read the boxes from `place` to `end`, or the codestream that stands there."""
    file.seek(place)
    if file.read(4) == _CODESTREAM:
        _measure(file, place, facts)
        return
    for _ in range(_MOST_BOXES):
        file.seek(place)
        head = file.read(16)
        length, start = int.from_bytes(head[:4]), 8
        if length == 1:
            length, start = int.from_bytes(head[8:]), 16
        if len(head) < 8 or (length and length < start):
            return
        stop = min(end, place + length if length else end)
        name = head[4:8]
        if name == b"jp2c" and not facts.components:
            _measure(file, place + start, facts)
        elif name == b"jp2h" and depth == 0:
            _walk(file, place + start, stop, facts, 1)
        elif name in {b"colr", b"uuid", b"cdef", b"pclr"} and stop - place - start <= _MOST:
            file.seek(place + start)
            _tell(name, file.read(stop - place - start), facts)
        place = stop
        if place >= end:
            return


def _tell(name: bytes, content: bytes, facts: _Facts) -> None:
    if name == b"colr" and content[:1] and content[0] in _BY_PROFILE:
        facts.icc = facts.icc or content[3:] or None
    elif name == b"uuid" and content[:16] == _XMP:
        facts.xmp = content[16:] or None
    elif name == b"uuid" and content[:16] == _EXIF:
        facts.exif = content[16:]
    elif name == b"pclr":
        facts.palette = True
    elif name == b"cdef":
        kinds = (int.from_bytes(content[at : at + 2]) for at in range(4, len(content), 6))
        facts.alpha = any(kind in {1, 2} for kind in kinds)


def _measure(file: BinaryIO, place: int, facts: _Facts) -> None:
    """Size, components and depth of a codestream's SIZ segment."""
    file.seek(place)
    head = file.read(45)
    if len(head) < 43 or head[:4] != _CODESTREAM:
        return
    right, below, left, above = (int.from_bytes(head[at : at + 4]) for at in range(8, 24, 4))
    facts.width, facts.height = right - left, below - above
    facts.components = int.from_bytes(head[40:42])
    facts.bits = (head[42] & 0x7F) + 1


def _decode(file: BinaryIO, facts: _Facts, path: Path) -> Planes:
    first, second = (_deep, _plain) if facts.bits > 8 else (_plain, _deep)
    try:
        return first(file, facts, path)
    except (OSError, ValueError, SyntaxError, RuntimeError, NotImplementedError):
        # Each reads some that the other does not: subsampled ones, and odd boxes.
        return second(file, facts, path)


def _deep(file: BinaryIO, facts: _Facts, path: Path) -> Planes:  # noqa: ARG001 - `path` as the other's
    import imagecodecs  # noqa: PLC0415 - a library of its own, only for these pictures

    file.seek(0)
    stored = np.asarray(imagecodecs.jpeg2k_decode(file.read()))
    if facts.bits > 8:
        stored = full_range(stored.astype(np.uint16), facts.bits)
    return split_alpha(stored)


def _plain(file: BinaryIO, facts: _Facts, path: Path) -> Planes:  # noqa: ARG001 - `facts` as the other's
    from PIL import Image, Jpeg2KImagePlugin  # noqa: F401, PLC0415 - the plug-in registers itself

    Image.MAX_IMAGE_PIXELS = None  # `limits` were checked
    file.seek(0)
    with Image.open(file, formats=("JPEG2000",)) as image:
        return plain_planes(image, path)
