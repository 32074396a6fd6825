"""JPEG writer: an opaque picture, for the format has no alpha; 8 bits are all that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mattebox.core.errors import SettingsError
from mattebox.core.photo.exif import PREFIX
from mattebox.core.write.blocks import blocks_of, writing
from mattebox.core.write.colour import as_image, sheet_of

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.composition import Composition
    from mattebox.core.settings import JpegOutput

_LONGEST: Final = 65_500
_LARGEST_EXIF: Final = 65_527  # one APP1 segment (EXIF 3.0, section 4.5.4)
_LARGEST_XMP: Final = 65_502  # what one APP1 segment holds behind its name (XMP 3, section 1.1.3)


def write(composition: Composition, options: JpegOutput, path: Path) -> None:
    """Write one JPEG with profile, EXIF, XMP and DPI. Raises WriteError, SettingsError."""
    width, height = composition.size
    if composition.background is None:
        raise SettingsError(
            f"{path}: a JPEG has no transparency; give the picture a background "
            f"(finish.background: white) or choose png, webp, tiff or psd."
        )
    if max(width, height) > _LONGEST:
        raise SettingsError(
            f"{path}: a JPEG has at most {_LONGEST} pixels a side and this picture is "
            f"{width} x {height}; choose png or tiff, or a smaller canvas."
        )
    blocks = blocks_of(composition, gps=options.gps)
    sheet = sheet_of(composition)
    image = as_image(sheet)
    with writing(path) as file:
        image.save(
            file,
            "JPEG",
            quality=options.quality,
            subsampling=options.subsampling,
            progressive=options.progressive,
            optimize=options.progressive,
            icc_profile=sheet.icc,
            exif=PREFIX + blocks.exif if blocks.exif and len(blocks.exif) <= _LARGEST_EXIF else b"",
            xmp=blocks.xmp if blocks.xmp and len(blocks.xmp) <= _LARGEST_XMP else None,
            dpi=tuple(round(value) for value in blocks.dpi) if blocks.dpi else (0, 0),
        )
