"""TIFF and BigTIFF through tifffile: 8 and 16 bits, gray, RGB and CMYK, with extra samples.

Pillow reads the rest (palettes, bilevel, YCbCr). TIFF 6.0; Adobe's notes for ICC and XMP.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

import numpy as np
from PIL import Image, TiffImagePlugin
from tifffile import TiffFile, TiffPage

from mattebox.core.errors import PhotoError, TruncatedPhotoError
from mattebox.core.photo import exif as exif_block
from mattebox.core.photo import pillow
from mattebox.core.photo.limits import check_limits
from mattebox.core.photo.model import ColourMode, Header, OpenPhoto, Pixels, Planes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.core.settings import ReadLimits

_MODES: Final[dict[int, tuple[ColourMode, int]]] = {
    0: ("gray", 1),
    1: ("gray", 1),
    2: ("rgb", 3),
    5: ("cmyk", 4),
}
_WHITE_IS_ZERO: Final = 0
_ASSOCIATED: Final = 1
_UNASSOCIATED: Final = 2
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


class _Layout(NamedTuple):
    """How a page's samples are read: its colour channels come first, then extra samples."""

    mode: ColourMode
    colours: int
    alpha: int | None
    associated: bool


@contextmanager
def opened(file: BinaryIO, path: Path, limits: ReadLimits) -> Iterator[OpenPhoto]:
    """A TIFF's first page, its tags read and checked against `limits`, nothing decoded.

    Raises TruncatedPhotoError, PhotoError, LimitError.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file.seek(0)
        block = tiff_exif(file)
        file.seek(0)
        with TiffFile(file) as tiff:
            page = tiff.pages.first
            if not isinstance(page, TiffPage):
                raise PhotoError(f"{path}: the TIFF file has no page.")
            check_limits(path, limits, page.imagewidth, page.imagelength)
            layout = _layout(page)
            if layout:
                frames = _pages(tiff, limits.frames)
                header = _header(page, layout, block, frames)
                check_limits(path, limits, header.width, header.height, frames)
                yield OpenPhoto(header, lambda: _decode(page, layout, file, path))
                return
    file.seek(0)
    with pillow.opened(file, path, "tiff", limits, block) as simple:
        yield simple


def _pages(tiff: TiffFile, most: int) -> int:
    """How many pages a file has, counted no further than one past `most`."""
    count = 1
    while count <= most:
        try:
            tiff.pages[count]
        except IndexError:
            break
        count += 1
    return count


def _layout(page: TiffPage) -> _Layout | None:
    """How the page's samples are read here; None leaves it to Pillow."""
    known = _MODES.get(int(page.photometric))
    if known is None or page.sampleformat != 1 or page.bitspersample not in {8, 16}:
        return None
    mode, colours = known
    if page.samplesperpixel < colours or page.imagedepth != 1:
        return None
    for index, kind in enumerate(page.extrasamples):
        if int(kind) in {_ASSOCIATED, _UNASSOCIATED}:
            return _Layout(mode, colours, colours + index, int(kind) == _ASSOCIATED)
    return _Layout(mode, colours, None, False)


def _header(page: TiffPage, layout: _Layout, block: bytes | None, frames: int) -> Header:
    notes = pillow.frame_note(frames)
    dropped = page.samplesperpixel - layout.colours - (layout.alpha is not None)
    if dropped:
        notes += (f"{dropped} further channels of the TIFF that are not transparency were left out.",)
    turned = _tag(page, exif_block.ORIENTATION)
    return Header(
        width=page.imagewidth,
        height=page.imagelength,
        mode=layout.mode,
        bits=page.bitspersample,
        has_alpha=layout.alpha is not None,
        icc=_bytes(_tag(page, _ICC)),
        exif=block,
        xmp=_bytes(_tag(page, _XMP)),
        dpi=_dpi(page),
        orientation=int(turned) if isinstance(turned, int) and 1 <= turned <= 8 else 1,
        frames=frames,
        notes=notes,
    )


def _decode(page: TiffPage, layout: _Layout, file: BinaryIO, path: Path) -> Planes:
    _check_strips(page, file, path)
    stored = page.asarray()
    if page.planarconfig == 2 and page.samplesperpixel > 1:
        stored = np.moveaxis(stored, 0, -1)
    stored = stored.reshape(page.imagelength, page.imagewidth, page.samplesperpixel)
    if not stored.dtype.isnative:
        stored = stored.astype(stored.dtype.newbyteorder("="))
    alpha = None if layout.alpha is None else np.ascontiguousarray(stored[..., layout.alpha])
    pixels = np.ascontiguousarray(stored[..., : layout.colours])
    del stored
    if int(page.photometric) == _WHITE_IS_ZERO:
        np.subtract(np.iinfo(pixels.dtype).max, pixels, out=pixels)
    if alpha is not None and layout.associated:
        _unassociate(pixels, alpha)
    return Planes(pixels, alpha, layout.mode)


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


def _check_strips(page: TiffPage, file: BinaryIO, path: Path) -> None:
    """Raise TruncatedPhotoError where the pixel data reach beyond the end of the file.

    tifffile fills what is missing with zeros.
    """
    end = file.seek(0, 2)
    spans = zip(page.dataoffsets, page.databytecounts, strict=False)
    missing = any(length == 0 or start + length > end for start, length in spans)
    if missing or not page.dataoffsets:
        raise TruncatedPhotoError(
            f"{path}: the TIFF file ends before its pixels do; it is damaged or still being copied."
        )


def _unassociate(pixels: Pixels, alpha: Pixels) -> None:
    """Divide associated colours by their alpha, in place, by rows."""
    top = int(np.iinfo(pixels.dtype).max)
    for row in range(pixels.shape[0]):
        share = alpha[row].astype(np.uint64)[:, None]
        colour = pixels[row].astype(np.uint64) * top + share // 2
        pixels[row] = np.minimum(colour // np.maximum(share, 1), top).astype(pixels.dtype)


def _tag(page: TiffPage, code: int) -> object | None:
    tag = page.tags.get(code)
    return None if tag is None else tag.value


def _bytes(value: object | None) -> bytes | None:
    return bytes(value) if isinstance(value, (bytes, tuple)) and value else None
