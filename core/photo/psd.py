"""The merged image of a PSD or PSB as a photo; where a file has none, what its layers show."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from mattebox.core.errors import PhotoError, TruncatedPhotoError
from mattebox.core.photo import exif as exif_block
from mattebox.core.photo.limits import check_limits
from mattebox.core.photo.model import ColourMode, Header, OpenPhoto, Pixels, Planes
from mattebox.core.photo.psd_sections import Sections, sections_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from mattebox.core.settings import ReadLimits

_ICC: Final = 1039
_EXIF: Final = 1058
_XMP: Final = 1060
_MODES: Final[dict[int, tuple[ColourMode, int]]] = {1: ("gray", 1), 3: ("rgb", 3), 4: ("cmyk", 4)}


@contextmanager
def opened(file: BinaryIO, path: Path, limits: ReadLimits) -> Iterator[OpenPhoto]:
    """A PSD or PSB, checked against `limits`, its merged image not yet unpacked.

    Adobe Photoshop File Formats Specification, "File Header Section".
    Raises PhotoError, LimitError, TruncatedPhotoError.
    """
    sections = sections_of(file)
    check_limits(path, limits, sections.width, sections.height)
    known = _MODES.get(sections.mode)
    if known is None or sections.depth not in {8, 16} or sections.channels < known[1]:
        raise PhotoError(
            f"{path}: a PSD of this mode or depth is not read; "
            f"save it with 8 or 16 bits as gray, RGB or CMYK."
        )
    mode, colours = known
    header = Header(
        width=sections.width,
        height=sections.height,
        mode=mode,
        bits=sections.depth,
        has_alpha=sections.layer_count < 0 and sections.channels > colours,
        icc=sections.resources.get(_ICC) or None,
        exif=exif_block.bare(sections.resources.get(_EXIF) or None),
        xmp=sections.resources.get(_XMP) or None,
        dpi=sections.dpi,
    )
    yield OpenPhoto(header, lambda: _decode(file, sections, header, colours, path))


def _decode(file: BinaryIO, sections: Sections, header: Header, colours: int, path: Path) -> Planes:
    if not sections.says_merged:
        return _composed(file, header, path)
    stored = _merged(file, sections, path)
    if sections.layer_count and _is_blank(stored):
        # Some writers leave the merged picture empty and do not say so; the layers may show something.
        return _composed(file, header, path)
    dtype = np.dtype(np.uint16 if header.bits == 16 else np.uint8)
    pixels: Pixels = np.empty((header.height, header.width, colours), dtype)
    for index in range(colours):
        pixels[..., index] = stored[index]
    if header.mode == "cmyk":
        np.subtract(np.iinfo(pixels.dtype).max, pixels, out=pixels)  # a PSD stores 0 as full ink
    if not header.has_alpha:
        return Planes(pixels, None, header.mode)
    alpha: NDArray[Any] = np.ascontiguousarray(stored[colours], pixels.dtype)
    _off_white(pixels, alpha, header.mode)
    return Planes(pixels, alpha, header.mode)


def _merged(file: BinaryIO, sections: Sections, path: Path) -> NDArray[Any]:
    """The planes (channels, h, w) of the merged image as stored."""
    from mattebox.core.photo.psd_unpack import unpack  # noqa: PLC0415 - loads psd-tools, only for PSDs

    file.seek(sections.merged_at)
    compression = int.from_bytes(file.read(2), "big")
    size = sections.width, sections.height * sections.channels
    try:
        planes = unpack(file.read(), compression, size, sections.depth, sections.version)
    except EOFError as error:
        raise TruncatedPhotoError(
            f"{path}: the PSD file ends before its merged image does; it is damaged or still being copied."
        ) from error
    return planes.reshape(sections.channels, sections.height, sections.width)


def _is_blank(stored: NDArray[Any]) -> bool:
    """Whether every plane has one value."""
    return all(bool((plane == plane[0, 0]).all()) for plane in stored)


def _composed(file: BinaryIO, header: Header, path: Path) -> Planes:
    from mattebox.core.photo.psd_compose import compose  # noqa: PLC0415 - only for files without a merged image

    pixels, alpha = compose(file, path, header)
    opaque = bool((alpha == np.iinfo(alpha.dtype).max).all())
    return Planes(pixels, None if opaque else alpha, header.mode)


def _off_white(pixels: Pixels, alpha: Pixels, mode: ColourMode) -> None:
    """Take the white out of a transparent merged image, which is stored matted on white, in place."""
    top = int(np.iinfo(pixels.dtype).max)
    white = 0 if mode == "cmyk" else top
    for row in range(pixels.shape[0]):
        share = alpha[row].astype(np.int64)[:, None]
        colour = white + ((pixels[row].astype(np.int64) - white) * top) // np.maximum(share, 1)
        pixels[row] = np.where(share == top, pixels[row], np.clip(colour, 0, top)).astype(pixels.dtype)
