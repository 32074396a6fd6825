"""The merged image of a PSD or PSB as a photo; where a file has none, what its layers show."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from mattebox.core.errors import PhotoError, TruncatedPhotoError
from mattebox.core.photo import exif as exif_block
from mattebox.core.photo.limits import check_limits
from mattebox.core.photo.model import ColourMode, Header, OpenPhoto, Pixels, Planes
from mattebox.core.photo.psd_modes import CMYK, GRAY, INDEXED, KINDS, RGB, Kind, clear_index, pixels_of
from mattebox.core.photo.psd_sections import Sections, sections_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from mattebox.core.settings import ReadLimits

_ICC: Final = 1039
_EXIF: Final = 1058
_XMP: Final = 1060
# Modes whose pixels stay what they are, and which have a profile of their own.
_OF_PROFILE: Final[dict[int, ColourMode]] = {GRAY: "gray", RGB: "rgb", CMYK: "cmyk", INDEXED: "rgb"}


@contextmanager
def opened(file: BinaryIO, path: Path, limits: ReadLimits) -> Iterator[OpenPhoto]:
    """A PSD or PSB, checked against `limits`, its merged image not yet unpacked.

    Adobe Photoshop File Formats Specification, "File Header Section".
    Raises PhotoError, LimitError, TruncatedPhotoError.
    """
    sections = sections_of(file)
    check_limits(path, limits, sections.width, sections.height)
    kind = KINDS.get(sections.mode)
    if kind is None or sections.depth not in kind.depths or sections.channels < kind.planes:
        raise PhotoError(
            f"{path}: a PSD of this mode or depth is not read; "
            f"save it with 8 or 16 bits as gray, RGB, CMYK or Lab."
        )
    clear = sections.layer_count < 0 and sections.channels > kind.planes
    if sections.mode == INDEXED:
        clear = clear_index(sections.resources) is not None
    header = Header(
        width=sections.width,
        height=sections.height,
        mode=kind.becomes,
        bits=max(8, sections.depth),
        has_alpha=clear,
        # The profile of a mode that was left is not that of the pixels.
        icc=None if kind.becomes != _OF_PROFILE.get(sections.mode) else sections.resources.get(_ICC) or None,
        exif=exif_block.bare(sections.resources.get(_EXIF) or None),
        xmp=sections.resources.get(_XMP) or None,
        dpi=sections.dpi,
        notes=() if kind.note is None else (kind.note,),
    )
    yield OpenPhoto(header, lambda: _decode(file, sections, header, kind, path))


def _decode(file: BinaryIO, sections: Sections, header: Header, kind: Kind, path: Path) -> Planes:
    if sections.says_merged is False:
        return _composed(file, sections, header, path)
    stored = _merged(file, sections, path)
    if sections.layer_count and _is_blank(stored):
        # Some writers leave the merged picture empty and do not say so; the layers may show something.
        try:
            composed = _composed(file, sections, header, path)
        except PhotoError:
            if not sections.says_merged:
                raise
        else:
            if composed.alpha is None or composed.alpha.any():
                return composed
    pixels = pixels_of(stored[: kind.planes], sections.mode, sections.colour_data)
    if not header.has_alpha:
        return Planes(pixels, None, header.mode)
    if sections.mode == INDEXED:
        shown = stored[0] != clear_index(sections.resources)
        return Planes(pixels, np.where(shown, np.uint8(255), np.uint8(0)), header.mode)
    alpha: NDArray[Any] = np.ascontiguousarray(stored[kind.planes], pixels.dtype)
    _off_white(pixels, alpha, header.mode)
    return Planes(pixels, alpha, header.mode)


def _merged(file: BinaryIO, sections: Sections, path: Path) -> NDArray[Any]:
    """The planes (channels, h, w) of the merged image as stored."""
    from mattebox.core.photo.psd_unpack import unpack  # noqa: PLC0415 - loads psd-tools, only for PSDs

    file.seek(sections.merged_at)
    depth = sections.depth
    compression = int.from_bytes(file.read(2), "big")
    # A bitmap's rows are whole bytes, eight pixels each.
    width = sections.width if depth > 1 else -(-sections.width // 8)
    size = width, sections.height * sections.channels
    try:
        planes = unpack(file.read(), compression, size, max(8, depth), sections.version)
    except EOFError as error:
        raise TruncatedPhotoError(
            f"{path}: the PSD file ends before its merged image does; it is damaged or still being copied."
        ) from error
    if depth == 1:
        ink = np.unpackbits(planes, axis=1, count=sections.width)
        planes = np.where(ink == 1, np.uint8(0), np.uint8(255))
    return planes.reshape(sections.channels, sections.height, sections.width)


def _is_blank(stored: NDArray[Any]) -> bool:
    """Whether every plane is nothing but black, or nothing but white."""
    full = np.iinfo(stored.dtype).max
    return all(plane[0, 0] in {0, full} and bool((plane == plane[0, 0]).all()) for plane in stored)


def _composed(file: BinaryIO, sections: Sections, header: Header, path: Path) -> Planes:
    from mattebox.core.photo.psd_compose import compose  # noqa: PLC0415 - only for files without a merged image

    if sections.mode not in _OF_PROFILE:
        raise PhotoError(f"{path}: the PSD has no merged image; save it with maximum compatibility.")
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
