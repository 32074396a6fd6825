"""TIFF and BigTIFF through tifffile, and through libtiff what that one does not read.

TIFF 6.0; Adobe's notes for ICC and XMP.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from PIL import Image, TiffImagePlugin
from tifffile import TiffFile, TiffFileError, TiffPage

from mattebox.core.errors import TruncatedPhotoError
from mattebox.core.photo import exif as exif_block
from mattebox.core.photo import pillow
from mattebox.core.photo.cicp import linear_srgb
from mattebox.core.photo.lab import romm_profile
from mattebox.core.photo.limits import check_limits
from mattebox.core.photo.model import Header, OpenPhoto, Planes
from mattebox.core.photo.tiff_page import check_strips, main_page
from mattebox.core.photo.tiff_samples import Layout, decode, layout_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.core.settings import ReadLimits

_CENTIMETRE: Final = 3
_ICC: Final = 34675
_XMP: Final = 700
_EXIF_DIRECTORY: Final = 0x8769
_GPS_DIRECTORY: Final = 0x8825
_INTEROP_DIRECTORY: Final = 0xA005
# What describes the picture rather than how this file stores it: description, make, model, software,
# date, artist, copyright, host, rating, and Windows' title, comment, author, keywords and subject.
_TOLD: Final = frozenset(
    {0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298, 0x4746, 0x4749, *range(0x9C9B, 0x9CA0)}
)


@contextmanager
def opened(file: BinaryIO, path: Path, limits: ReadLimits) -> Iterator[OpenPhoto]:
    """A TIFF's main page, its tags read and checked against `limits`, nothing decoded.

    Raises TruncatedPhotoError, PhotoError, LimitError.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        size = file.seek(0, 2)
        file.seek(0)
        block = tiff_exif(file)
        file.seek(0)
        try:
            tiff = TiffFile(file)
        except TiffFileError as error:
            raise TruncatedPhotoError(
                f"{path}: the file begins as TIFF but its header cannot be read; "
                f"it is damaged or still being copied."
            ) from error
        with tiff:
            page, number, frames = main_page(tiff, limits.frames, path)
            across, down = page.imagewidth, page.imagelength
            check_limits(path, limits, across, down, frames, samples=page.samplesperpixel, size=size)
            layout = layout_of(page, path)
            header = _header(tiff, page, layout, block, frames)

            def decoded() -> Planes:
                check_strips(page, file, path)
                return decode(page, number, layout, file)

            yield OpenPhoto(header, decoded)


def _header(tiff: TiffFile, page: TiffPage, layout: Layout, block: bytes | None, frames: int) -> Header:
    notes = pillow.frame_note(frames) + ((layout.note,) if layout.note else ())
    dropped = page.samplesperpixel - layout.colours - (layout.alpha is not None)
    if dropped > 0 and layout.route in {"samples", "floats", "lab"}:
        notes += (f"{dropped} further channels of the TIFF that are not transparency were left out.",)
    turned = _tag(page, exif_block.ORIENTATION)
    icc = _bytes(_tag(page, _ICC)) or _bytes(_tag(tiff.pages.first.aspage(), _ICC))
    if layout.route == "lab":
        icc = romm_profile()
    if layout.route in {"floats", "log"}:
        icc = icc or linear_srgb(layout.mode)
    if layout.route == "floats":
        notes += (
            "The TIFF's floating-point light was kept in 16 bits; what is brighter than white was cut off.",
        )
    return Header(
        width=page.imagewidth,
        height=page.imagelength,
        mode=layout.mode,
        bits=layout.bits,
        has_alpha=layout.alpha is not None,
        icc=icc,
        exif=block,
        xmp=_bytes(_tag(page, _XMP)) or _bytes(_tag(tiff.pages.first.aspage(), _XMP)),
        dpi=_dpi(page),
        orientation=int(turned) if isinstance(turned, int) and 1 <= turned <= 8 else 1,
        frames=frames,
        notes=notes,
    )


def tiff_exif(file: BinaryIO) -> bytes | None:
    """An EXIF block of what the directories of a TIFF, or of a RAW built like one, tell; or None."""
    tags = Image.Exif()
    try:
        tags.load_from_fp(file)
    except Exception:  # noqa: BLE001 - BigTIFF, or damaged tags; the pixels are read by others
        return None
    kept = Image.Exif()
    for tag in _TOLD & set(tags):
        kept[tag] = tags[tag]
    found = len(kept) > 0
    for directory in (_EXIF_DIRECTORY, _GPS_DIRECTORY):
        inner = dict(tags.get_ifd(directory)) if directory in tags else {}
        inner.pop(_INTEROP_DIRECTORY, None)
        if inner:
            kept[directory] = inner
            found = True
    return exif_block.bare(kept.tobytes()) if found else None


def _dpi(page: TiffPage) -> tuple[float, float] | None:
    """Pixels per inch of a page, where it tells them."""
    found = []
    for tag in (TiffImagePlugin.X_RESOLUTION, TiffImagePlugin.Y_RESOLUTION):
        value = _tag(page, tag)
        if not isinstance(value, tuple) or len(value) != 2 or not value[1]:
            return None
        found.append(value[0] / value[1])
    scale = 2.54 if _tag(page, TiffImagePlugin.RESOLUTION_UNIT) == _CENTIMETRE else 1.0
    across, down = found[0] * scale, found[1] * scale
    return (across, down) if 1 < across < 1e5 and 1 < down < 1e5 else None


def _tag(page: TiffPage, code: int) -> object | None:
    tag = page.tags.get(code)
    return None if tag is None else tag.value


def _bytes(value: object | None) -> bytes | None:
    return bytes(value) if isinstance(value, (bytes, tuple)) and value else None
