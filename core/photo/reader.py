"""read_photo and probe: any supported file to a Photo, or to what its header tells."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from mattebox.core.photo import exif as exif_block
from mattebox.core.photo import pillow
from mattebox.core.photo.beside import without_companions
from mattebox.core.photo.damage import decoding
from mattebox.core.photo.model import OpenPhoto, Photo, PhotoFacts
from mattebox.core.photo.orient import turn_upright
from mattebox.core.photo.profile import fitting_profile
from mattebox.core.photo.sniff import open_regular, sniff
from mattebox.core.settings.limits import ReadLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from mattebox.core.photo.model import Planes

_DEFAULT = ReadLimits()


def _no_op() -> None:
    """Nobody waits for that."""


# What decoders log about odd files would reach the user's terminal beside our one sentence.
for _name in ("tifffile", "psd_tools"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
_TURNED = frozenset({5, 6, 7, 8})


def read_photo(
    path: str | os.PathLike[str],
    limits: ReadLimits = _DEFAULT,
    *,
    longest: int | None = None,
    decode: Callable[[OpenPhoto], Planes] = OpenPhoto.decoded,
    on_decode: Callable[[], None] = _no_op,
) -> Photo:
    """One photo from a file, upright, with its profile, EXIF, XMP and DPI.

    longest: so many pixels are enough on the longer side; a JPEG is then decoded at the least scale of
    eighths that has them, which is several times quicker.
    decode: what gives the pixels, where those of the opened photo itself are not wanted.
    on_decode: called when all libraries are loaded and decoding begins.
    Raises PhotoError (no such file, no photo, damaged), TruncatedPhotoError (empty or cut off),
    LimitError (larger than `limits`), MissingExtraError (RAW without its extra).
    """
    source = Path(path)
    with _opened(source, limits) as (kind, _, photo):
        header = photo.header
        if longest is not None:
            photo.reduce(longest)
        photo.load()
        on_decode()
        pixels, alpha, mode = decode(photo)
        icc, dropped = fitting_profile(header.icc, mode)
        packet, untold = photo.xmp() if photo.xmp is not None else (header.xmp, ())
    return Photo(
        pixels=turn_upright(pixels, header.orientation),
        mode=mode,
        alpha=None if alpha is None else turn_upright(alpha, header.orientation),
        icc=icc,
        exif=exif_block.upright(header.exif),
        xmp=exif_block.upright_xmp(without_companions(packet)),
        dpi=header.dpi[::-1] if header.dpi and header.orientation in _TURNED else header.dpi,
        source=source,
        format=kind,
        warnings=header.notes + dropped + untold,
        quality=header.quality,
    )


def format_of(path: str | os.PathLike[str], limits: ReadLimits = _DEFAULT) -> str:
    """The name of a file's format by its first bytes. Raises what `read_photo` raises for no photo."""
    source = Path(path)
    with open_regular(source, limits) as file:
        return sniff(file, source)


def probe(path: str | os.PathLike[str], limits: ReadLimits = _DEFAULT) -> PhotoFacts:
    """What the header of a photo tells: size, mode, depth, blocks. No pixel is decoded.

    Raises what `read_photo` raises for a bad header; a damaged body goes unnoticed.
    """
    source = Path(path)
    with _opened(source, limits) as (kind, size, photo):
        header = photo.header
    turned = header.orientation in _TURNED
    return PhotoFacts(
        format=kind,
        width=header.height if turned else header.width,
        height=header.width if turned else header.height,
        mode=header.mode,
        bits=header.bits,
        has_alpha=header.has_alpha,
        has_icc=header.icc is not None,
        frames=header.frames,
        orientation=header.orientation,
        dpi=header.dpi[::-1] if header.dpi and turned else header.dpi,
        xmp=header.xmp,
        exif=exif_block.by_name(header.exif),
        bytes=size,
    )


@contextmanager
def _opened(path: Path, limits: ReadLimits) -> Iterator[tuple[str, int, OpenPhoto]]:
    """A photo's format, its file's size in bytes and the opened photo; all errors are ours."""
    with open_regular(path, limits) as file:
        kind = sniff(file, path)
        size = os.fstat(file.fileno()).st_size
        with decoding(path, kind.upper()), _of_kind(kind, file, path, limits) as photo:
            yield kind, size, photo


# Each of these loads a library of its own, which most photos do not need.
_READERS: Final = frozenset({"png", "webp", "tiff", "psd", "heif", "raw", "jxl", "jp2"})


def _of_kind(kind: str, file: BinaryIO, path: Path, limits: ReadLimits) -> AbstractContextManager[OpenPhoto]:
    if kind not in _READERS:
        return pillow.opened(file, path, kind, limits)
    opened: Callable[[BinaryIO, Path, ReadLimits], AbstractContextManager[OpenPhoto]]
    opened = import_module(f"mattebox.core.photo.{kind}").opened
    return opened(file, path, limits)
