"""What phones put beside a photo's picture (gain maps, videos), and what cameras say of its colours in EXIF.

ISO 21496-1 and Google's "Ultra HDR Image Format" (gain maps), "Motion Photo format"; EXIF 3.0, annex on
interoperability (DCF 2.0: R03 is the option of Adobe RGB).
"""

from __future__ import annotations

import re
from typing import BinaryIO, Final

from mattebox.core.photo.jpeg_segments import segments
from mattebox.core.photo.tiff_block import Block

_GAIN_MAP: Final = re.compile(rb"hdrgm:Version|Semantic\s*=\s*[\"']GainMap|HDRGainMapVersion")
_VIDEO: Final = re.compile(rb"(?:GCamera|Camera):(?:MotionPhoto|MicroVideo)(?:=|>)[\"']?1")
_EXIF: Final = 0x8769
_INTEROPERABILITY: Final = 0xA005
_INDEX: Final = 1
_ISO_GAIN_MAP: Final = b"urn:iso:std:iso:ts:21496:-1\0"


def beside(xmp: bytes | None, *, gain_map: bool = False, video: bool = False) -> tuple[str, ...]:
    """Sentences about a gain map and a motion photo's video, told by the file's structure or by its XMP."""
    notes: tuple[str, ...] = ()
    if gain_map or (xmp and _GAIN_MAP.search(xmp)):
        notes += ("The photo's HDR gain map was left out; its standard picture was used.",)
    if video or (xmp and _VIDEO.search(xmp)):
        notes += ("The video of the motion photo was left out; its picture was used.",)
    return notes


def without_companions(xmp: bytes | None) -> bytes | None:
    """An XMP packet that promises no gain map and no video, for there are none in an output."""
    if not xmp or not (_GAIN_MAP.search(xmp) or _VIDEO.search(xmp)):
        return xmp
    return _PROMISES.sub(b"", xmp)


_PROMISES: Final = re.compile(
    rb"""\b(?:hdrgm:\w+|HDRGainMap:\w+|Item:\w+|(?:GCamera|Camera):(?:MotionPhoto|MicroVideo)\w*)"""
    rb"""\s*=\s*(?:"[^"]*"|'[^']*')"""
    rb"""|<(?:hdrgm:|HDRGainMap:|(?:GCamera|Camera):(?:MotionPhoto|MicroVideo))\w*>[^<]*"""
    rb"""</(?:hdrgm|HDRGainMap|GCamera|Camera):\w+>"""
)


def has_gain_map(file: BinaryIO) -> bool:
    """Whether a segment of an open JPEG says that its second picture is a gain map."""
    return any(_ISO_GAIN_MAP in segment.content for segment in segments(file, peek=40))


def is_adobe_rgb(exif: bytes | None) -> bool:
    """Whether a bare EXIF block has the interoperability index R03, as cameras set to Adobe RGB write."""
    if exif is None:
        return False
    block = Block(exif)
    inner = block.value(block.value(block.first(), _EXIF), _INTEROPERABILITY)
    place = block.entry(inner, _INDEX)
    return place is not None and bytes(block.data[place + 8 : place + 11]) == b"R03"
