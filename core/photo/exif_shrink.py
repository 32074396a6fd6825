"""EXIF blocks made small enough for a format's limit, and what that took out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from PIL import ExifTags

from mattebox.core.photo.tiff_block import Block

if TYPE_CHECKING:
    from collections.abc import Iterator

MAKER_NOTE: Final = 0x927C
_EXIF: Final = 0x8769
_GPS: Final = 0x8825
_INTEROP: Final = 0xA005


class _Value(NamedTuple):
    """A value that lies outside of its entry."""

    directory: int
    entry: int
    tag: int
    start: int
    size: int


def shrunk(exif: bytes, most: int) -> tuple[bytes | None, tuple[str, ...]]:
    """A bare EXIF block of at most `most` bytes, and the names of the values that had to go.

    The maker note goes first, for programs other than the camera's make little of it; then the largest
    values. Every other value stays as it is. None where that is not enough.
    """
    block = Block(exif)
    gone: list[str] = []
    while len(block.data) > most:
        values = list(_values(block))
        if not values:
            return None, ()
        value = max(values, key=lambda item: (item.tag == MAKER_NOTE, item.size))
        gone.append(ExifTags.TAGS.get(value.tag, f"tag {value.tag:#06x}"))
        _cut(block, value)
    return bytes(block.data), tuple(gone)


def _directories(block: Block) -> list[int]:
    """The first directory, the Exif, GPS and interoperability ones: those that are there."""
    first = block.first()
    exif = block.value(first, _EXIF)
    found = [first, exif, block.value(first, _GPS), block.value(exif, _INTEROP)]
    return list(dict.fromkeys(place for place in found if place is not None and block.count(place)))


def _values(block: Block) -> Iterator[_Value]:
    """The values that can be cut out: those that hold no directory."""
    directories = _directories(block)
    for directory in directories:
        for tag, entry in block.entries(directory):
            size = block.size(entry) & ~1  # what follows keeps its even place
            start = block.number(entry + 8, "I") or 0
            whole = start >= 8 and start + size <= len(block.data)
            apart = all(start + size <= place or block.end(place) <= start for place in directories)
            if size > 4 and whole and apart:
                yield _Value(directory, entry, tag, start, size)


def _cut(block: Block, value: _Value) -> None:
    """Take a value and its entry out; what lies behind moves forward."""
    block.take_entry(value.directory, value.entry)
    pointers = [4]
    for directory in _directories(block):
        for tag, entry in block.entries(directory):
            if block.size(entry) > 4 or tag in {_EXIF, _GPS, _INTEROP}:
                pointers.append(entry + 8)
    for pointer in pointers:
        place = block.number(pointer, "I") or 0
        if place >= value.start + value.size:
            block.put(pointer, "I", place - value.size)
    del block.data[value.start : value.start + value.size]
