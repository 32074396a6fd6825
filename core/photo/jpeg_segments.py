"""The segments of a JPEG, walked in this one place (ITU-T T.81, B.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST: Final = 2
SCAN: Final = 0xDA
END: Final = 0xD9
_FILL: Final = 0xFF
# Markers that no length follows: TEM and the restarts.
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
# Far above any writer's; a hostile file has one in every four bytes.
_MOST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment: its marker's second byte, the bytes from `start` up to `end`, and how its content begins."""

    marker: int
    start: int
    end: int
    content: bytes


def segments(file: BinaryIO, place: int = FIRST, *, peek: int = 0) -> Iterator[Segment]:
    """The segments from `place` on, the first scan's header as the last; fewer where there is no marker.

    Fill bytes and markers that stand alone are passed over. `content` has at most `peek` bytes, and fewer
    where the file ends before them. The caller may move the file's position between two segments.
    """
    for _ in range(_MOST):
        file.seek(place)
        head = file.read(4 + peek)
        if len(head) < 4 or head[0] != _FILL or head[1] == END:
            return
        if head[1] == _FILL or head[1] in _ALONE:
            place += 1 if head[1] == _FILL else 2
            continue
        length = int.from_bytes(head[2:4])
        if length < 2:
            return
        start, place = place, place + 2 + length
        yield Segment(head[1], start, place, head[4 : 2 + length])
        if head[1] == SCAN:
            return
