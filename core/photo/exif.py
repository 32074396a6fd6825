"""EXIF blocks edited in place: every byte that is not the subject of the change stays.

Writing the directories anew would move maker notes, whose inner offsets nobody can mend.
EXIF 3.0 (CIPA DC-008), TIFF 6.0 section 2.
"""

from __future__ import annotations

import re
from typing import Final

from PIL import ExifTags, Image

from mattebox.core.photo.tiff_block import Block
from mattebox.core.photo.xmp_gps import without_properties

PREFIX: Final = b"Exif\x00\x00"
ORIENTATION: Final = 0x0112
_THUMBNAIL_OFFSET: Final = 0x0201
_THUMBNAIL_LENGTH: Final = 0x0202
_EXIF_DIRECTORY: Final = 0x8769
_GPS_DIRECTORY: Final = 0x8825
_PIXEL_WIDTH: Final = 0xA002
_PIXEL_HEIGHT: Final = 0xA003
_XMP_ORIENTATION: Final = re.compile(rb"(tiff:Orientation(?:>|\s*=\s*[\"']))\s*[1-8]")


def bare(exif: bytes | None) -> bytes | None:
    """The TIFF structure of an EXIF block without its "Exif" prefix; None where it is none."""
    if not exif:
        return None
    body = exif.removeprefix(PREFIX)
    return body if body[:4] in {b"II*\x00", b"MM\x00*"} and len(body) >= 8 else None


def orientation(exif: bytes | None) -> int:
    """The orientation that a bare EXIF block tells, 1..8; 1 where it tells none."""
    if exif is None:
        return 1
    block = Block(exif)
    value = block.value(block.first(), ORIENTATION)
    return value if value is not None and 1 <= value <= 8 else 1


def upright(exif: bytes | None) -> bytes | None:
    """A bare EXIF block with orientation 1 and without the old picture's thumbnail."""
    if exif is None:
        return None
    block = Block(exif)
    first = block.first()
    block.set_number(first, ORIENTATION, 1)
    if first is not None and block.count(first):
        link = first + 2 + 12 * block.count(first)
        second = block.number(link, "I")
        if second:
            _drop_thumbnail(block, second)
            block.put(link, "I", 0)
    return bytes(block.data)


def _drop_thumbnail(block: Block, second: int) -> None:
    start, length = block.value(second, _THUMBNAIL_OFFSET), block.value(second, _THUMBNAIL_LENGTH)
    if start is None or length is None or start < 8:
        return
    if start + length >= len(block.data):
        del block.data[start:]
    else:
        block.blank(start, length)


def sized(exif: bytes | None, width: int, height: int) -> bytes | None:
    """A bare EXIF block whose pixel dimensions, where it has them, are those of the new picture."""
    if exif is None:
        return None
    block = Block(exif)
    directory = block.value(block.first(), _EXIF_DIRECTORY)
    block.set_number(directory, _PIXEL_WIDTH, width)
    block.set_number(directory, _PIXEL_HEIGHT, height)
    return bytes(block.data)


def without_gps(exif: bytes | None) -> bytes | None:
    """A bare EXIF block with its GPS directory gone, values and all."""
    if exif is None:
        return None
    block = Block(exif)
    first = block.first()
    place = block.entry(first, _GPS_DIRECTORY)
    if first is None or place is None:
        return exif
    gps = block.number(place + 8, "I")
    if gps is not None:
        for _, entry in list(block.entries(gps)):
            size = block.size(entry)
            if size > 4:
                block.blank(block.number(entry + 8, "I") or 0, size)
        block.blank(gps, 6 + 12 * block.count(gps))
    block.take_entry(first, place)
    return bytes(block.data)


def upright_xmp(xmp: bytes | None) -> bytes | None:
    """An XMP packet whose tiff:Orientation, where it has one, is 1."""
    return _XMP_ORIENTATION.sub(rb"\g<1>1", xmp) if xmp else None


def xmp_without_gps(xmp: bytes | None) -> bytes | None:
    """An XMP packet without its exif:GPS properties."""
    return without_properties(xmp) if xmp else None


def by_name(exif: bytes | None) -> dict[str, object]:
    """The values of a bare EXIF block by tag name, the Exif and GPS directories' among them."""
    if exif is None:
        return {}
    tags = Image.Exif()
    try:
        tags.load(exif)
        found: dict[str, object] = {ExifTags.TAGS.get(tag, str(tag)): value for tag, value in tags.items()}
        for tag, value in tags.get_ifd(_EXIF_DIRECTORY).items():
            found[ExifTags.TAGS.get(tag, str(tag))] = value
        for tag, value in tags.get_ifd(_GPS_DIRECTORY).items():
            found[ExifTags.GPSTAGS.get(tag, str(tag))] = value
    except Exception:  # noqa: BLE001 - damaged metadata is no reason to refuse a photo
        return {}
    return found
