"""Unfinished files: each format, cut off, filled with zeros, or given its size before its bytes."""

from __future__ import annotations

import importlib.util
import io
import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from mattebox.core.photo import ReadLimits, read_photo
from mattebox.daemon.intake.inspection import Inspection, InspectionTask, inspect_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIMITS: Final = ReadLimits()
WAYS: Final = ("cut", "zeros", "preallocated")
SHARES: Final = (0.0, 0.0001, 0.001, 0.01, 0.1, 0.3, 0.5, 0.6, 0.75, 0.9, 0.98, 0.995)


def _saved(name: str, **options: Any) -> Callable[[Image.Image], bytes]:
    def save(picture: Image.Image) -> bytes:
        file = io.BytesIO()
        picture.save(file, name, **options)
        return file.getvalue()

    return save


def _exif(name: str) -> Callable[[Image.Image], bytes]:
    exif = Image.Exif()
    exif[0x0112], exif[0x0110] = 6, "a camera"
    return _saved(name, exif=exif)


def _tifffile(**options: Any) -> Callable[[Image.Image], bytes]:
    def save(picture: Image.Image) -> bytes:
        import tifffile

        file = io.BytesIO()
        tifffile.imwrite(file, np.asarray(picture), photometric="rgb", **options)
        return file.getvalue()

    return save


def _psd(picture: Image.Image) -> bytes:
    from psd_tools import PSDImage

    file = io.BytesIO()
    PSDImage.frompil(picture).save(file)
    return file.getvalue()


def _heif(picture: Image.Image) -> bytes:
    import pillow_heif

    file = io.BytesIO()
    pillow_heif.from_pillow(picture).save(file)
    return file.getvalue()


FORMATS: Final[dict[str, Callable[[Image.Image], bytes]]] = {
    "baseline.jpg": _saved("JPEG", quality=90),
    "progressive.jpg": _saved("JPEG", quality=90, progressive=True, optimize=True),
    "exif.jpg": _exif("JPEG"),
    "plain.png": _saved("PNG"),
    "exif.png": _exif("PNG"),
    "lossy.webp": _saved("WebP", quality=90),
    "lossless.webp": _saved("WebP", lossless=True),
    "exif.webp": _exif("WebP"),
    "plain.avif": _saved("AVIF"),
    "plain.gif": _saved("GIF"),
    "plain.bmp": _saved("BMP"),
    "plain.tif": _saved("TIFF"),
    "lzw.tif": _saved("TIFF", compression="tiff_lzw"),
    "deflate.tif": _saved("TIFF", compression="tiff_adobe_deflate"),
    "tiled.tif": _tifffile(tile=(64, 64), compression="zlib"),
    "big.tif": _tifffile(bigtiff=True),
    "plain.psd": _psd,
    **({"plain.heic": _heif} if importlib.util.find_spec("pillow_heif") else {}),
}


def write_part(path: Path, whole: bytes, share: float, way: str) -> Any:
    """Write a share of a file in one of the ways; the open file, through which the rest may come."""
    there = int(len(whole) * share)
    file = path.open("wb")
    if way == "zeros":
        file.write(whole[:there] + bytes(len(whole) - there))
    elif way == "preallocated":
        file.truncate(len(whole))
        file.write(whole[:there])
    else:
        file.write(whole[:there])
    file.flush()
    os.fsync(file.fileno())
    file.seek(there)
    return file


def look_at(path: Path) -> Inspection:
    """What the daemon's own look says of a file."""
    return inspect_file(InspectionTask(path, LIMITS, path.with_name("mark")))


def told_whole(folder: Path, name: str, whole: bytes, share: float, way: str) -> str:
    """What is wrong with the look at an unfinished file, or ""."""
    path = folder / name
    write_part(path, whole, share, way).close()
    if path.stat().st_size == len(whole) and path.read_bytes() == whole:
        return ""
    found = look_at(path)
    if found.truncated or (not found.problem and _same_picture(path, whole)):
        return ""
    return f"{name}, {share:g}, {way}: {found.problem or 'taken as whole'}"


def _same_picture(path: Path, whole: bytes) -> bool:
    """Whether nothing is missing that a delivery shows: a few bytes behind the pixels tell no format."""
    part = read_photo(path, LIMITS)
    path.write_bytes(whole)
    full = read_photo(path, LIMITS)
    return np.array_equal(part.pixels, full.pixels) and part.exif == full.exif
