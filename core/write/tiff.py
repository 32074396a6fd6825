"""TIFF writer: 8 or 16 bits, gray, RGB or CMYK, straight (unassociated) alpha (TIFF 6.0)."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from isal import isal_zlib
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from tifffile import TiffFile, TiffWriter

from mattebox.core.write.blocks import Blocks, blocks_of, writing
from mattebox.core.write.flatten import flat_rows, strips

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from mattebox.core.composition import Composition
    from mattebox.core.settings import TiffOutput

_PHOTOMETRIC: Final = {"gray": "minisblack", "rgb": "rgb", "cmyk": "separated"}
_LEVEL: Final = 2  # of igzip's 0 to 3
_XMP: Final = 700
_EXIF_DIRECTORY: Final = 0x8769
_GPS_DIRECTORY: Final = 0x8825
_INTEROP_DIRECTORY: Final = 0xA005
_BYTE, _ASCII, _SHORT = 1, 2, 3
# Description, make, model, software, date, artist, host, rating (twice), copyright, and the title, comment,
# author, keywords and subject that Windows tells in UTF-16: what is said about the picture.
_TOLD: Final = (
    *(0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749, 0x8298),
    *(0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F),
)


def write(composition: Composition, options: TiffOutput, path: Path) -> None:
    """Write one TIFF with profile, EXIF, XMP and DPI. Raises WriteError."""
    blocks = blocks_of(composition, gps=options.gps)
    told, directories = _taken_apart(blocks.exif)
    extra = told + [(tag - 1, 4, 1, 0, True) for tag in directories]
    if blocks.xmp:
        extra.append((_XMP, 1, len(blocks.xmp), blocks.xmp, True))
    with writing(path) as file:
        _write_page(file, composition, options, blocks, extra)
        _append_directories(file, directories)


def _write_page(
    file: BinaryIO,
    composition: Composition,
    options: TiffOutput,
    blocks: Blocks,
    extra: list[tuple[Any, ...]],
) -> None:
    width, height = composition.size
    clear = composition.background is None
    channels = composition.original.shape[2] + clear
    packed = options.compression == "deflate"
    with TiffWriter(file, byteorder="<") as writer:
        writer.write(
            _strips(composition, options),
            shape=(height, width, channels) if channels > 1 else (height, width),
            dtype=composition.original.dtype,
            photometric=_PHOTOMETRIC[composition.mode],
            planarconfig="contig" if channels > 1 else None,
            extrasamples=["unassalpha"] if clear else None,
            compression="zlib" if packed else None,
            predictor=packed,
            rowsperstrip=next(strips(width, height)).stop,
            iccprofile=blocks.icc,
            resolution=blocks.dpi or (1, 1),
            resolutionunit="INCH" if blocks.dpi else "NONE",
            extratags=extra,
            metadata=None,
            software=False,
        )


def _strips(composition: Composition, options: TiffOutput) -> Iterator[bytes]:
    """The file's strips as they are stored, alpha last (TIFF 6.0, sections 14 and 18).

    Packed here, because tifffile takes strips one at a time only when they are ready to be written.
    """
    for rows in strips(*composition.size):
        flat = flat_rows(composition, rows, clear_hidden=options.hidden == "clear")
        part: NDArray[Any] = flat.pixels
        if flat.alpha is not None:
            part = np.concatenate([part, flat.alpha[..., None]], axis=2)
        part = part.astype(part.dtype.newbyteorder("<"), copy=False)
        if options.compression == "none":
            yield part.tobytes()
            continue
        change = part.copy()
        change[:, 1:] -= part[:, :-1]
        yield isal_zlib.compress(change.tobytes(), _LEVEL)


def _taken_apart(
    exif: bytes | None,
) -> tuple[list[tuple[Any, ...]], dict[int, ImageFileDirectory_v2]]:
    """What an EXIF block's first directory says, as tifffile takes it; its Exif and GPS directories."""
    if exif is None:
        return [], {}
    first = _directory(exif, int.from_bytes(exif[4:8], "little" if exif[:2] == b"II" else "big"))
    told = [entry for tag in _TOLD if tag in first for entry in _told(tag, first)]
    found = {}
    for tag in (_EXIF_DIRECTORY, _GPS_DIRECTORY):
        place = first.get(tag)
        if isinstance(place, int):
            inner = _directory(exif, place)
            inner.pop(_INTEROP_DIRECTORY, None)
            if len(inner):
                found[tag] = inner
    return told, found


def _told(tag: int, first: ImageFileDirectory_v2) -> list[tuple[Any, ...]]:
    """A tag of text, bytes or one number as tifffile's extra tag; nothing for any other."""
    kind, value = first.tagtype.get(tag), first[tag]
    if kind == _ASCII:
        return [(tag, _ASCII, 0, str(value), True)]
    if isinstance(value, bytes):
        return [(tag, _BYTE, len(value), value, True)]
    if kind == _SHORT and isinstance(value, int):
        return [(tag, _SHORT, 1, value, True)]
    return []


def _directory(exif: bytes, place: int) -> ImageFileDirectory_v2:
    """A directory of an EXIF block with the types of its entries, to be written little-endian."""
    stored = ImageFileDirectory_v2(exif[:8])
    with BytesIO(exif) as file:
        file.seek(place)
        stored.load(file)
        copied = ImageFileDirectory_v2()
        for tag in stored:
            copied.tagtype[tag] = stored.tagtype[tag]
            copied[tag] = stored[tag]
    return copied


def _append_directories(file: BinaryIO, directories: dict[int, ImageFileDirectory_v2]) -> None:
    """Put Exif and GPS directories at the end of the file and point the page's tags there.

    tifffile refuses to write those two tags, so a tag one below (unused, and equal in order) held
    their places; it gets its number and its value here.
    """
    if not directories:
        return
    file.seek(0)
    with TiffFile(file) as tiff:
        tags = tiff.pages.first.aspage().tags
        places = {tag: (tags[tag - 1].offset, tags[tag - 1].valueoffset) for tag in directories}
    for tag, directory in directories.items():
        end = file.seek(0, 2)
        end += end % 2  # directories begin at even offsets
        file.seek(end)
        file.write(directory.tobytes(end))
        entry, value = places[tag]
        file.seek(entry)
        file.write(struct.pack("<H", tag))
        file.seek(value)
        file.write(struct.pack("<I", end))
