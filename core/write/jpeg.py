"""JPEG writer: an opaque picture, for the format has no alpha; 8 bits are all that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mattebox.core.errors import SettingsError
from mattebox.core.photo.exif import PREFIX
from mattebox.core.photo.exif_shrink import shrunk
from mattebox.core.photo.xmp import extension_segments, split
from mattebox.core.write.blocks import blocks_of, writing
from mattebox.core.write.colour import as_image, changes, sheet_of

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.composition import Composition
    from mattebox.core.settings import JpegOutput

_LONGEST: Final = 65_500
_LARGEST_EXIF: Final = 65_527  # one APP1 segment (EXIF 3.0, section 4.5.4)
_LARGEST_XMP: Final = 65_502  # what one APP1 segment holds behind its name (XMP 3, section 1.1.3)
_LARGEST_SEGMENT: Final = 65_533
_ELSEWHERE: Final = "PNG, TIFF, WebP and PSD keep it whole."
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"


def write(composition: Composition, options: JpegOutput, path: Path) -> tuple[str, ...]:
    """Write one JPEG with profile, EXIF, XMP and DPI; returns what found no room in it.

    Raises WriteError, SettingsError.
    """
    width, height = composition.size
    if composition.background is None:
        raise SettingsError(
            f"{path}: a JPEG has no transparency; give the picture a background, "
            "as --background white does (in YAML finish: {background: white}), or choose png, webp, tiff "
            "or psd."
        )
    if max(width, height) > _LONGEST:
        raise SettingsError(
            f"{path}: a JPEG has at most {_LONGEST} pixels a side and this picture is "
            f"{width} x {height}; choose png or tiff, or a smaller canvas."
        )
    blocks = blocks_of(composition, gps=options.gps)
    sheet = sheet_of(composition)
    image = as_image(sheet)
    exif, left_out = _exif(blocks.exif)
    segments, without = _xmp_segments(blocks.xmp)
    with writing(path) as file:
        image.save(
            file,
            "JPEG",
            quality=options.quality,
            subsampling=options.subsampling,
            progressive=options.progressive,
            optimize=options.progressive,
            icc_profile=sheet.icc,
            exif=exif,
            extra=b"".join(b"\xff\xe1" + (len(part) + 2).to_bytes(2) + part for part in segments),
            dpi=tuple(round(value) for value in blocks.dpi) if blocks.dpi else (0, 0),
        )
    return changes(composition, "JPEG", bits=8) + left_out + without


def _exif(block: bytes | None) -> tuple[bytes, tuple[str, ...]]:
    """An EXIF block as its segment holds it, and the sentence about what had no room."""
    if block is None or len(block) <= _LARGEST_EXIF:
        return (PREFIX + block if block else b""), ()
    small, gone = shrunk(block, _LARGEST_EXIF)
    lost = ", ".join(gone) if small else "all of it"
    note = f"A JPEG has no room for the photo's EXIF ({len(block):,} bytes); left out: {lost}. {_ELSEWHERE}"
    return (PREFIX + small if small else b""), (note,)


def _xmp_segments(packet: bytes | None) -> tuple[list[bytes], tuple[str, ...]]:
    """The contents of the APP1 segments that hold a packet, and the sentence where there are none."""
    if packet is None or len(packet) <= _LARGEST_XMP:
        return ([_XMP + packet] if packet else []), ()
    parts = split(packet, _LARGEST_XMP)
    if parts is None:
        note = (
            f"A JPEG cannot hold the photo's XMP ({len(packet):,} bytes), which is damaged or of too many "
            "parts; it was left out."
        )
        return [], (f"{note} {_ELSEWHERE}",)
    standard, extended = parts
    return [_XMP + standard, *extension_segments(extended, _LARGEST_SEGMENT)], ()
