"""HEIC through pillow-heif and camera RAW through rawpy: both come as extras."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from mattebox.core.errors import MissingExtraError
from mattebox.core.extra import install_command
from mattebox.core.photo import exif as exif_block
from mattebox.core.photo.deep import full_range, split_alpha
from mattebox.core.photo.limits import check_limits
from mattebox.core.photo.model import Header, OpenPhoto, Planes
from mattebox.core.photo.pillow import frame_note
from mattebox.core.photo.tiff import tiff_exif

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.core.settings import ReadLimits

_MODULES: Final = {"heif": "pillow_heif", "raw": "rawpy"}


def extra_module(kind: str, path: Path) -> Any:
    """The optional package that reads `kind` files. Raises MissingExtraError."""
    try:
        return import_module(_MODULES[kind])
    except ImportError as error:
        what = "HEIC photos" if kind == "heif" else "camera RAW files"
        raise MissingExtraError(
            f"{path}: reading {what} needs an extra; install it with: {install_command(kind)}"
        ) from error


@contextmanager
def opened_heif(file: BinaryIO, path: Path, limits: ReadLimits) -> Iterator[OpenPhoto]:
    """The primary picture of a HEIC or HEIF file, 16 bits where it has more than 8.

    libheif turns and crops by the file's own boxes, so its orientation is already applied.
    Raises MissingExtraError, LimitError, PhotoError.
    """
    heif = extra_module("heif", path).open_heif(file, convert_hdr_to_8bit=False)
    primary = heif[heif.primary_index]
    width, height = primary.size
    check_limits(path, limits, width, height, len(heif))
    name, _, depth = primary.mode.partition(";")
    header = Header(
        width=width,
        height=height,
        mode="gray" if name.startswith("L") else "rgb",
        bits=16 if depth else 8,
        has_alpha=name.lower().endswith("a"),
        icc=primary.info.get("icc_profile") or None,
        exif=exif_block.bare(primary.info.get("exif")),
        xmp=primary.info.get("xmp") or None,
        frames=len(heif),
        notes=frame_note(len(heif)),
    )
    bits = int(primary.info.get("bit_depth") or 16) if depth else 16

    def decode() -> Planes:
        return split_alpha(full_range(np.array(primary), bits, shifted=True))

    yield OpenPhoto(header, decode)


@contextmanager
def opened_raw(file: BinaryIO, path: Path, limits: ReadLimits) -> Iterator[OpenPhoto]:
    """A camera RAW file, developed on decoding to 16-bit sRGB with the camera's white balance, upright.

    Raises MissingExtraError, LimitError, PhotoError.
    """
    rawpy = extra_module("raw", path)
    block = tiff_exif(file)
    file.seek(0)
    with rawpy.imread(file) as raw:
        across, down = int(raw.sizes.width), int(raw.sizes.height)
        if raw.sizes.flip in {5, 6}:  # quarter turns, which libraw makes itself
            across, down = down, across
        check_limits(path, limits, across, down)
        header = Header(
            width=across,
            height=down,
            mode="rgb",
            bits=16,
            has_alpha=False,
            exif=block,
            notes=("The camera RAW file was developed with its own white balance to 16-bit sRGB.",),
        )
        yield OpenPhoto(header, lambda: _develop(raw))


def _develop(raw: Any) -> Planes:
    pixels = raw.postprocess(use_camera_wb=True, output_bps=16)
    return Planes(np.ascontiguousarray(pixels), None, "rgb")
