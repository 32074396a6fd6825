"""JPEG XL writer: straight alpha, 8 or 16 bits, gray kept gray, lossless or by quality (ISO/IEC 18181)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mattebox.core.errors import SettingsError
from mattebox.core.photo.jxl import codec
from mattebox.core.write.blocks import Blocks, blocks_of, writing
from mattebox.core.write.colour import changes, sheet_of
from mattebox.core.write.flatten import strips

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mattebox.core.composition import Composition
    from mattebox.core.settings import JxlOutput
    from mattebox.core.write.colour import Sheet

# Level 5 of the standard ends at 2^28 pixels, and a side at 2^18 (18181-1, annex M).
_LONGEST: Final = 1 << 18
_MOST_PIXELS: Final = 1 << 28
_CODESTREAM: Final = b"\xff\x0a"
_FIRST: Final = b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl "
_SPEEDS: Final = (
    *("Lightning", "Thunder", "Falcon", "Cheetah", "Hare", "Wombat", "Squirrel", "Kitten", "Tortoise"),
)


def write(composition: Composition, options: JxlOutput, path: Path) -> tuple[str, ...]:
    """Write one JPEG XL with profile, EXIF and XMP; returns what became of the inks.

    Raises WriteError, SettingsError (too large), MissingExtraError.
    """
    width, height = composition.size
    if max(width, height) > _LONGEST or width * height > _MOST_PIXELS:
        raise SettingsError(
            f"{path}: a JPEG XL has at most {_MOST_PIXELS // 1_000_000} megapixels and this picture is "
            f"{width} x {height}; choose png or tiff, or a smaller canvas."
        )
    encoder = codec(path)
    blocks = blocks_of(composition, gps=options.gps)
    sheet = sheet_of(composition, clear_hidden=options.hidden == "clear")
    data: bytes = encoder.encode_from_numpy(
        _whole(sheet),
        lossless=options.lossless,
        quality=0.0 if options.lossless else _distance(options.quality),
        speed=getattr(encoder.EncoderSpeed, _SPEEDS[options.effort - 1]),
        icc=sheet.icc,
    )
    with writing(path) as file:
        file.write(_with_boxes(data, blocks))
    return changes(composition, "JPEG XL")


def _with_boxes(data: bytes, blocks: Blocks) -> bytes:
    """A file with plain boxes of EXIF and XMP behind its first ones (18181-2, section 9).

    The encoder would pack them with Brotli, which ExifTool and others read only with a further library.
    """
    boxes = b""
    if blocks.exif:
        boxes += _box(b"Exif", bytes(4) + blocks.exif)
    if blocks.xmp:
        boxes += _box(b"xml ", blocks.xmp)
    if not boxes:
        return data
    if data.startswith(_CODESTREAM):
        return _FIRST + boxes + _box(b"jxlc", data)
    place = 0
    while data[place + 4 : place + 8] in {b"JXL ", b"ftyp", b"jxll"}:
        place += int.from_bytes(data[place : place + 4])
    return data[:place] + boxes + data[place:]


def _box(name: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4) + name + content


def _distance(quality: int) -> float:
    """The Butteraugli distance that libjxl's own tools give a JPEG-like quality (cjxl's -q)."""
    if quality >= 30:
        return max(0.01, 0.1 + (100 - quality) * 0.09)
    return 53 / 3000 * quality * quality - 23 / 20 * quality + 25


def _whole(sheet: Sheet) -> NDArray[Any]:
    width, height = sheet.size
    whole: NDArray[Any] = np.empty(
        (height, width, sheet.channels), np.uint16 if sheet.bits == 16 else np.uint8
    )
    for rows in strips(width, height):
        whole[rows] = sheet.rows(rows)
    return whole
