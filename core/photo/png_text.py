"""What a PNG tells in eXIf and in its texts: EXIF and XMP, and a sentence where it is damaged.

PNG 3, sections 11.3.3 and 11.3.4; the "Raw profile type" texts are ImageMagick's and ExifTool's.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from mattebox.core.photo import exif as exif_block

if TYPE_CHECKING:
    from collections.abc import Sequence

# A text inflates to no more than this.
_MOST: Final = 1 << 23
_XMP: Final = b"XML:com.adobe.xmp"
_RAW: Final = b"Raw profile type "
_EXIF_NAMES: Final = (b"exif", b"APP1", b"app1")
_XMP_PREFIX: Final = b"http://ns.adobe.com/xap/1.0/\0"


def metadata(chunks: Sequence[tuple[bytes, bytes]]) -> tuple[bytes | None, bytes | None, tuple[str, ...]]:
    """The bare EXIF block, the XMP packet and sentences, of chunks (name, content) in the file's order."""
    exif: list[bytes | None] = []
    xmp: list[bytes | None] = []
    for name, content in chunks:
        if name == b"eXIf":
            exif.insert(0, exif_block.bare(content))
        elif name in {b"tEXt", b"zTXt", b"iTXt"}:
            keyword, text = _text(name, content)
            kind, raw = keyword.removeprefix(_RAW), _raw(text)
            if keyword == _XMP:
                xmp.insert(0, text)
            elif kind == b"xmp":
                xmp.append(raw)
            elif kind in _EXIF_NAMES and raw is not None and raw.startswith(_XMP_PREFIX):
                xmp.append(raw[len(_XMP_PREFIX) :])
            elif kind in _EXIF_NAMES:
                exif.append(exif_block.bare(raw))
    notes = tuple(
        f"The photo's {what} is damaged; it was left out."
        for what, found in (("EXIF", exif), ("XMP", xmp))
        if None in found and not any(found)
    )
    return next(filter(None, exif), None), next(filter(None, xmp), None), notes


def _text(name: bytes, content: bytes) -> tuple[bytes, bytes | None]:
    """A text's keyword and its bytes; None where they cannot be inflated or are too long."""
    keyword, _, rest = content.partition(b"\0")
    if not (keyword == _XMP or keyword.startswith(_RAW)):
        return b"", None
    packed = name == b"zTXt"
    if packed:
        rest = rest[1:]
    elif name == b"iTXt":
        packed = rest[:1] == b"\1"
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    if not packed:
        return keyword, rest
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(rest, _MOST)
    except zlib.error:
        return keyword, None
    return keyword, None if unpacker.unconsumed_tail else text


def _raw(text: bytes | None) -> bytes | None:
    r"""The bytes of "\nNAME\n   LENGTH\nHEX"; None where they are not so many."""
    parts = (text or b"").split(b"\n", 3)
    if len(parts) != 4:
        return None
    try:
        length = int(parts[2])
        raw = bytes.fromhex(parts[3].decode("ascii"))
    except ValueError:
        return None
    return raw if len(raw) == length else None
