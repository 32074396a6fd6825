"""WebP writer: straight alpha, lossless or by quality; 8 bits are all that the format has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mattebox.core.errors import SettingsError
from mattebox.core.photo.exif import PREFIX
from mattebox.core.write.blocks import blocks_of, writing
from mattebox.core.write.colour import as_image, changes, sheet_of

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.composition import Composition
    from mattebox.core.settings import WebpOutput

_LONGEST: Final = 16_383


def write(composition: Composition, options: WebpOutput, path: Path) -> tuple[str, ...]:
    """Write one WebP with profile, EXIF and XMP; returns what became of the colours.

    Raises WriteError, SettingsError (too large).
    """
    width, height = composition.size
    if max(width, height) > _LONGEST:
        raise SettingsError(
            f"{path}: a WebP has at most {_LONGEST} pixels a side and this picture is "
            f"{width} x {height}; choose png or tiff, or a smaller canvas."
        )
    blocks = blocks_of(composition, gps=options.gps)
    sheet = sheet_of(composition, clear_hidden=options.hidden == "clear")
    image = as_image(sheet)
    with writing(path) as file:
        image.save(
            file,
            "WEBP",
            lossless=options.lossless,
            quality=options.effort if options.lossless else options.quality,
            alpha_quality=100,
            method=options.method,
            exact=True,  # else the encoder puts colours of its own under alpha 0
            icc_profile=sheet.icc,
            exif=PREFIX + blocks.exif if blocks.exif else b"",
            xmp=blocks.xmp or b"",
        )
    return changes(composition, "WebP", bits=8)
