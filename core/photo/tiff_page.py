"""Which page of a TIFF is its picture, whether its pixels are all there, and whether they are what it says.

TIFF 6.0; TIFF/EP (ISO 12234-2) and Adobe's TIFF notes for reduced pages and SubIFDs.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final

from tifffile import TiffFile, TiffPage

from mattebox.core.errors import LimitError, PhotoError, TruncatedPhotoError
from mattebox.core.photo.inside import size_inside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NEW_SUBFILE: Final = 254
_OLD_SUBFILE: Final = 255
_REDUCED, _MASK = 1, 4
_OLD_REDUCED: Final = 2
# Compressions whose data say their own size: JPEG (old, new, two private ones, DNG's), JPEG 2000, WebP, PNG.
_WITH_A_SIZE: Final = frozenset({6, 7, 33007, 34892, 34712, 33003, 33004, 33005, 34927, 50001, 34933})
_UNMEASURED: Final = {
    34887: "LERC",
    22610: "JPEG XR",
    34934: "JPEG XR",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_HEAD: Final = 1 << 16
# A JPEG's blocks reach over the edge of a strip.
_BLOCK: Final = 64


def main_page(tiff: TiffFile, most: int, path: Path) -> tuple[TiffPage, int | None, int]:
    """The page that is the picture, its number in the file (None in a SubIFD), and how many pages there are.

    It is the first one, unless that one says that it is a reduced copy or a mask: then the largest of the
    others, in SubIFDs too. Pages are counted no further than one past `most`. Raises PhotoError.
    """
    first = tiff.pages.first
    if not isinstance(first, TiffPage):
        raise PhotoError(f"{path}: the TIFF file has no page.")
    count = sum(1 for _ in islice(_pages(tiff), most + 1))
    if not _is_other(first):
        return first, 0, count
    found: list[tuple[int, int, TiffPage, int | None]] = []
    for number, page in enumerate(islice(_pages(tiff), most + 1)):
        listed: list[tuple[TiffPage, int | None]] = [(page, number)]
        listed += [(inner, None) for inner in page.pages or () if isinstance(inner, TiffPage)]
        found += [
            (one.imagewidth * one.imagelength, -len(found) - index, one, at)
            for index, (one, at) in enumerate(listed)
            if not _is_other(one) and int(one.photometric) <= 10
        ]
    if not found:
        return first, 0, count
    _, _, page, at = max(found, key=lambda item: item[:2])
    return page, at, len(found)


def _pages(tiff: TiffFile) -> Iterator[TiffPage]:
    """The pages one by one, as far as they can be followed and none comes back."""
    number = 0
    seen: set[int] = set()
    while True:
        try:
            page = tiff.pages[number]
        except IndexError:
            return
        if page.offset in seen:
            return
        seen.add(page.offset)
        yield page.aspage() if not isinstance(page, TiffPage) else page
        number += 1


def _is_other(page: TiffPage) -> bool:
    """Whether a page says that it is a reduced copy of another one, or its mask."""
    new, old = (_number(page, tag) for tag in (_NEW_SUBFILE, _OLD_SUBFILE))
    return bool(new & (_REDUCED | _MASK)) or old == _OLD_REDUCED


def _number(page: TiffPage, code: int) -> int:
    tag = page.tags.get(code)
    return int(tag.value) if tag is not None and isinstance(tag.value, int) else 0


def check_strips(page: TiffPage, file: BinaryIO, path: Path) -> None:
    """Raise TruncatedPhotoError where the pixel data reach beyond the end of the file.

    tifffile fills what is missing with zeros. Raises LimitError where a strip's own header asks for more
    pixels than the strip has, PhotoError where its compression does not tell.
    """
    end = file.seek(0, 2)
    spans = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    missing = any(length == 0 or start + length > end for start, length in spans)
    if missing or not spans:
        raise TruncatedPhotoError(
            f"{path}: the TIFF file ends before its pixels do; it is damaged or still being copied."
        )
    compression = int(page.compression)
    if compression in _UNMEASURED:
        raise PhotoError(
            f"{path}: a TIFF packed as {_UNMEASURED[compression]} is not read; save it with LZW or ZIP."
        )
    if compression not in _WITH_A_SIZE:
        return
    wide = (page.tilewidth or page.imagewidth) + _BLOCK
    high = (page.tilelength or page.rowsperstrip or page.imagelength) + _BLOCK
    high = max(min(high, page.imagelength + _BLOCK), (page.tilelength or 0) + _BLOCK)
    for start, length in spans:
        file.seek(start)
        inner = size_inside(file.read(min(length, _HEAD)))
        if inner is not None and (inner[0] > wide or inner[1] > high):
            raise LimitError(
                f"{path}: a part of the TIFF's {page.imagewidth} x {page.imagelength} pixels says that it "
                f"has {inner[0]} x {inner[1]}; it is damaged, or made to fill the memory."
            )
