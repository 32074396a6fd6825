"""What the boxes of an AVIF or HEIC file say about its primary picture and of what lies beside it.

ISO/IEC 14496-12 (boxes), 23008-12 (image items and their properties), 23000-22 (nclx and ICC).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mattebox.core.photo.icc import CodePoints

# A file's description of its pictures; those of cameras have some kilobytes.
_MOST: Final = 1 << 24
_MOST_BOXES: Final = 10_000
_NAMES: Final = 1000
_GAIN_MAPS: Final = (b"urn:com:apple:photo:2020:aux:hdrgainmap", b"urn:com:photo:aux:hdrgainmap")


@dataclass(frozen=True, slots=True)
class Facts:
    """The primary picture's size and code points, whether a gain map and whether a video lie beside it."""

    size: tuple[int, int] | None = None
    points: CodePoints | None = None
    gain_map: bool = False
    video: bool = False


def facts(file: BinaryIO) -> Facts:
    """What the boxes at a file's top level say; nothing where they are odd."""
    meta = b""
    video = False
    size = file.seek(0, 2)
    place = 0
    for _ in range(_MOST_BOXES):
        file.seek(place)
        head = file.read(16)
        length = int.from_bytes(head[:4])
        start = 8
        if length == 1:
            length, start = int.from_bytes(head[8:]), 16
        if len(head) < 8 or (length and length < start):
            break
        end = min(size, place + (length or size))
        if head[4:8] == b"meta" and not meta and end - place - start <= _MOST:
            file.seek(place + start)
            meta = file.read(end - place - start)
        video = video or head[4:8] == b"mpvd"
        place = end
        if place >= size:
            break
    file.seek(0)
    try:
        return _read(meta, video=video)
    except IndexError:
        return Facts(video=video)


def with_plain_names(file: BinaryIO) -> BinaryIO:
    """The file, or a copy where an item's type or name is not ASCII, with question marks in it.

    pi-heif 1.4 ends the process where a metadata item's type is no text.
    """
    file.seek(0)
    head = file.read(_MOST)
    spans = [
        (found.end() + 8, found.start() - 4 + int.from_bytes(head[found.start() - 4 : found.start()]))
        for found in re.finditer(b"(?<=....)(?:infe|auxC)", head, re.DOTALL)
    ]
    odd = [(start, end) for start, end in spans if not head[start : min(end, start + _NAMES)].isascii()]
    file.seek(0)
    if not odd:
        return file
    data = bytearray(file.read())
    for start, end in odd:
        part = data[start : min(end, start + _NAMES)]
        data[start : start + len(part)] = bytes(letter if letter < 0x80 else 0x3F for letter in part)
    return BytesIO(bytes(data))


def _read(meta: bytes, *, video: bool) -> Facts:
    inner = dict(_boxes(meta[4:]))
    properties = dict(_boxes(inner.get(b"iprp", b"")))
    listed = list(_boxes(properties.get(b"ipco", b"")))
    primary = _primary(inner.get(b"pitm", b""))
    mine = _associated(properties.get(b"ipma", b""), primary)
    points: CodePoints | None = None
    size: tuple[int, int] | None = None
    for index in mine:
        name, content = listed[index - 1] if 0 < index <= len(listed) else (b"", b"")
        if name == b"ispe" and len(content) >= 12:
            size = int.from_bytes(content[4:8]), int.from_bytes(content[8:12])
        if name == b"colr" and content[:4] == b"nclx" and len(content) >= 10:
            one, two, three = (int.from_bytes(content[at : at + 2]) for at in (4, 6, 8))
            points = points or (one, two, three, content[10] >> 7 if len(content) > 10 else 1)
    auxiliary = any(name == b"auxC" and content[4:].split(b"\0")[0] in _GAIN_MAPS for name, content in listed)
    gain_map = auxiliary or b"tmap" in inner.get(b"iinf", b"")
    return Facts(size, points, gain_map, video)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each box in a box."""
    place = 0
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4])
        start = 8
        if length == 1:
            length, start = int.from_bytes(data[place + 8 : place + 16]), 16
        elif length == 0:
            length = len(data) - place
        if length < start:
            return
        yield data[place + 4 : place + 8], data[place + start : place + length]
        place += length


def _primary(content: bytes) -> int:
    """The primary item's number ("pitm")."""
    return int.from_bytes(content[4 : 6 if content[:1] == b"\0" else 8])


def _associated(content: bytes, item: int) -> list[int]:
    """The numbers, from 1, of the properties that belong to an item ("ipma")."""
    if len(content) < 8:
        return []
    wide_items, wide = content[0] > 0, bool(content[3] & 1)
    length = 2 if wide else 1
    place = 8
    found: list[int] = []
    for _ in range(int.from_bytes(content[4:8])):
        step = 4 if wide_items else 2
        number = int.from_bytes(content[place : place + step])
        place += step
        count = content[place]  # ends the search where the file is cut off
        place += 1
        for _ in range(count):
            index = int.from_bytes(content[place : place + length]) & (0x7FFF if wide else 0x7F)
            place += length
            if number == item:
                found.append(index)
    return found
