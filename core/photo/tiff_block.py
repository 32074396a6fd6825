"""A TIFF structure in memory, whose numbers are read and changed in place (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHORT: Final = 3
_LONG: Final = 4
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}


class Block:
    """A TIFF structure in memory; reads outside of it give nothing."""

    def __init__(self, data: bytes) -> None:
        """`data` is copied; its first two bytes tell the order of all others."""
        self.data = bytearray(data)
        self.order = "<" if data[:2] == b"II" else ">"

    def number(self, place: int, code: str) -> int | None:
        """The number of a struct `code` at `place`; None outside."""
        size = struct.calcsize(code)
        if place < 0 or place + size > len(self.data):
            return None
        return int(struct.unpack_from(self.order + code, self.data, place)[0])

    def put(self, place: int, code: str, value: int) -> None:
        """Write a number of a struct `code` at `place`."""
        struct.pack_into(self.order + code, self.data, place, value)

    def first(self) -> int | None:
        """Where the first directory is."""
        return self.number(4, "I")

    def count(self, directory: int | None) -> int:
        """How many whole entries a directory has."""
        if directory is None or directory < 8:
            return 0
        said = self.number(directory, "H") or 0
        return min(said, max(0, (len(self.data) - directory - 2) // 12))

    def entries(self, directory: int | None) -> Iterator[tuple[int, int]]:
        """Tag and position of each entry of a directory."""
        for index in range(self.count(directory)):
            place = (directory or 0) + 2 + 12 * index
            yield self.number(place, "H") or 0, place

    def entry(self, directory: int | None, tag: int) -> int | None:
        """The position of the entry of `tag`, where the directory has it."""
        return next((place for found, place in self.entries(directory) if found == tag), None)

    def value(self, directory: int | None, tag: int) -> int | None:
        """The single number of an entry of type SHORT or LONG."""
        place = self.entry(directory, tag)
        if place is None:
            return None
        kind = self.number(place + 2, "H")
        return self.number(place + 8, "H" if kind == _SHORT else "I")

    def set_number(self, directory: int | None, tag: int, value: int) -> None:
        """Change the number of an entry of type SHORT or LONG, where it is there."""
        place = self.entry(directory, tag)
        if place is None:
            return
        kind = self.number(place + 2, "H")
        if kind == _LONG:
            self.put(place + 8, "I", value)
        elif kind == _SHORT and value < 1 << 16:
            self.put(place + 8, "H", value)

    def blank(self, start: int, length: int) -> None:
        """Zero a range, as far as it lies in the block."""
        end = min(len(self.data), start + length)
        if 8 <= start < end:
            self.data[start:end] = bytes(end - start)

    def size(self, entry: int) -> int:
        """How many bytes the values of an entry have; those of more than 4 lie elsewhere."""
        return _SIZES.get(self.number(entry + 2, "H") or 0, 0) * (self.number(entry + 4, "I") or 0)

    def end(self, directory: int) -> int:
        """Where a directory ends, with the link to the next one."""
        return directory + 2 + 12 * self.count(directory) + 4

    def take_entry(self, directory: int, entry: int) -> None:
        """Take an entry out of its directory: the later ones and the link move up, 12 spare bytes stay."""
        count = self.count(directory)
        tail = bytes(self.data[entry + 12 : self.end(directory)])
        self.data[entry : entry + len(tail)] = tail
        self.blank(entry + len(tail), 12)
        self.put(directory, "H", count - 1)
