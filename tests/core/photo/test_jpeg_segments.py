"""The one walk over a JPEG's segments, on JPEGs that are built segment by segment."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from mattebox.core.photo.jpeg_segments import SCAN, segments

if TYPE_CHECKING:
    from pathlib import Path

MARKERS = st.sampled_from([0xC0, 0xC4, 0xDB, 0xE0, 0xE1, 0xEE, 0xFE])
# What may stand before a marker: fill bytes, TEM, restarts (ITU-T T.81, B.1.1.2).
BEFORE = st.lists(st.sampled_from([b"\xff", b"\xff\x01", b"\xff\xd0", b"\xff\xd7"]), max_size=3)
BODIES = st.binary(max_size=60)


def segment(marker: int, body: bytes) -> bytes:
    """A marker, its length and what it carries."""
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2) + body


@given(parts=st.lists(st.tuples(BEFORE, MARKERS, BODIES), max_size=8), peek=st.integers(0, 50))
def test_each_segment_up_to_the_scan_is_met_once(
    parts: list[tuple[list[bytes], int, bytes]], peek: int
) -> None:
    """Markers, places and beginnings are those that were written, whatever fills the gaps."""
    data, wanted = b"\xff\xd8", []
    for before, marker, body in parts:
        data += b"".join(before)
        wanted.append((marker, len(data), body))
        data += segment(marker, body)
    data += segment(SCAN, b"scan") + b"\x01\xff\x00\xff\xd9" + segment(0xE1, b"a thumbnail's")
    found = list(segments(BytesIO(data), peek=peek))
    assert [(one.marker, one.start, one.content) for one in found[:-1]] == [
        (marker, start, body[:peek]) for marker, start, body in wanted
    ]
    assert all(
        data[one.start : one.end] == segment(one.marker, data[one.start + 4 : one.end]) for one in found
    )
    assert found[-1].marker == SCAN


@given(data=st.binary(max_size=200))
def test_any_bytes_end_the_walk(data: bytes) -> None:
    """Bytes that are no JPEG give segments that lie one behind the other, and an end."""
    found = list(segments(BytesIO(b"\xff\xd8" + data)))
    assert all(before.end <= after.start for before, after in pairwise(found))


def test_a_file_full_of_empty_segments_is_left(tmp_path: Path) -> None:
    """A hostile file with a segment in every four bytes is given up after as many as no writer makes."""
    path = tmp_path / "hostile.jpg"
    path.write_bytes(b"\xff\xd8" + segment(0xFE, b"") * 100_000)
    with path.open("rb") as file:
        assert 0 < sum(1 for _ in segments(file)) < 100_000
