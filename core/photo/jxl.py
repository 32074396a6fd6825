"""JPEG XL through libjxl: 8 and 16 bits, gray and RGB, alpha, the profile of its colours, EXIF and XMP.

ISO/IEC 18181-1 and -2. libjxl turns a picture upright itself and gives the ICC profile of what it decodes,
also where the file tells its colours by names.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from mattebox.core.errors import MissingExtraError, PhotoError
from mattebox.core.photo import exif as exif_block
from mattebox.core.photo.beside import beside
from mattebox.core.photo.cicp import from_code_points
from mattebox.core.photo.deep import split_alpha
from mattebox.core.photo.icc import code_points, colour_space
from mattebox.core.photo.limits import check_limits
from mattebox.core.photo.model import ColourMode, Header, OpenPhoto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.core.settings import ReadLimits


def codec(path: Path) -> Any:
    """The package that reads and writes JPEG XL. Raises MissingExtraError."""
    try:
        import pyjpegxl  # noqa: PLC0415 - a library of its own, only for these files
    except ImportError as error:
        raise MissingExtraError(
            f"{path}: JPEG XL needs the Python package pyjpegxl, which is not made for this computer; "
            "save it as TIFF or PNG."
        ) from error
    return pyjpegxl


@contextmanager
def opened(file: BinaryIO, path: Path, limits: ReadLimits) -> Iterator[OpenPhoto]:
    """A JPEG XL, checked against `limits`; its first frame where it is animated.

    Raises PhotoError, LimitError, TruncatedPhotoError, MissingExtraError.
    """
    reader = codec(path)
    data = file.read()
    told = reader.probe(data)
    width, height = int(told.width), int(told.height)
    check_limits(path, limits, width, height, size=len(data))
    icc: bytes | None = told.icc or None
    if icc and colour_space(icc) == b"CMYK":
        raise PhotoError(f"{path}: a JPEG XL of CMYK is not read; save it as TIFF.")
    mode: ColourMode = "gray" if told.num_color_channels == 1 else "rgb"
    deep = int(told.bits_per_sample) > 8
    points = code_points(icc)
    # What is plain sRGB needs no profile, and HDR one that every program shows sensibly.
    named = from_code_points(points, mode) if points else None
    exif = exif_block.upright(_bare(told.exif))
    xmp = told.xmp or None
    header = Header(
        width=width,
        height=height,
        mode=mode,
        bits=16 if deep else 8,
        has_alpha=bool(told.has_alpha),
        icc=icc if named is None else named.icc,
        exif=exif,
        xmp=xmp,
        notes=(named.notes if named else ()) + beside(xmp),
    )

    def decode() -> Any:
        _, pixels = reader.decode_to_numpy(data, dtype="uint16" if deep else "uint8")
        return split_alpha(np.asarray(pixels))

    yield OpenPhoto(header, decode)


def _bare(box: bytes | None) -> bytes | None:
    """The TIFF structure of an Exif box, which begins with its offset (18181-2, section 9.4)."""
    if not box or len(box) < 12:
        return None
    return exif_block.bare(box[4 + int.from_bytes(box[:4]) :]) or exif_block.bare(box)
