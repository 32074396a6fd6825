"""EXIF blocks are changed in place, and no block, however broken, stops a photo."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from mattebox.core.photo import exif


def block(order: bytes = b"II") -> bytes:
    """A block with a turn, a maker's note, a place and a size."""
    tags = Image.Exif()
    if order == b"MM":
        tags.endian = ">"
        tags.load(b"MM\0*\0\0\0\x08\0\0\0\0\0\0")
    tags[0x010F], tags[0x0112] = "Camera works", 6
    tags.get_ifd(0x8769).update({0x829A: IFDRational(1, 250), 0x927C: b"note", 0xA002: 10, 0xA003: 20})
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0), 29: "2026:01:02"})
    return tags.tobytes().removeprefix(exif.PREFIX)


def with_thumbnail() -> tuple[bytes, bytes]:
    """A block whose second directory holds a thumbnail, and the thumbnail."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12), "red").save(buffer, "JPEG")
    thumbnail = buffer.getvalue()
    first = b"\x01\x00" + b"\x12\x01\x03\x00\x01\x00\x00\x00\x08\x00\x00\x00"
    second_at = 8 + len(first) + 4
    data_at = second_at + 2 + 2 * 12 + 4
    second = b"\x02\x00" + b"".join(
        tag + b"\x04\x00\x01\x00\x00\x00" + value.to_bytes(4, "little")
        for tag, value in ((b"\x01\x02", data_at), (b"\x02\x02", len(thumbnail)))
    )
    head = b"II*\x00\x08\x00\x00\x00"
    body = head + first + second_at.to_bytes(4, "little") + second + bytes(4) + thumbnail
    return body, thumbnail


def test_only_the_orientation_changes() -> None:
    """Upright differs from the stored block in one byte: the tag's value."""
    for order in (b"II", b"MM"):
        stored = block(order)
        assert exif.orientation(stored) == 6
        upright = exif.upright(stored)
        assert upright is not None
        assert exif.orientation(upright) == 1
        assert sum(a != b for a, b in zip(stored, upright, strict=True)) == 1


def test_the_old_thumbnail_is_gone() -> None:
    """Neither the second directory nor one byte of the thumbnail's picture stays."""
    stored, thumbnail = with_thumbnail()
    assert exif.orientation(stored) == 8
    upright = exif.upright(stored)
    assert upright is not None
    assert thumbnail not in upright
    assert thumbnail[:16] not in upright
    tags = Image.Exif()
    tags.load(upright)
    assert not tags.get_ifd(1)


def test_the_size_is_the_new_pictures() -> None:
    """Pixel dimensions follow the canvas; a block without them gets none."""
    told = exif.by_name(exif.sized(block(), 123, 4567))
    assert (told["ExifImageWidth"], told["ExifImageHeight"]) == (123, 4567)
    bare, _ = with_thumbnail()
    assert exif.sized(bare, 1, 2) == bare


def test_the_place_is_gone_and_the_rest_stays() -> None:
    """Without GPS no tag and no value of the place is left; every other tag reads as before."""
    for order in (b"II", b"MM"):
        stored = block(order)
        clean = exif.without_gps(stored)
        assert clean is not None
        assert b"2026:01:02" in stored
        assert b"2026:01:02" not in clean
        before, after = exif.by_name(stored), exif.by_name(clean)
        kept = {name: value for name, value in before.items() if not name.startswith("GPS")}
        assert kept == after


@given(
    st.one_of(
        st.binary(max_size=400), st.builds(bytes.__add__, st.just(b"II*\x00\x08\x00\x00\x00"), st.binary())
    )
)
def test_no_block_breaks_the_tools(data: bytes) -> None:
    """Whatever the bytes, each tool gives a block or None, and never an exception."""
    stored = exif.bare(data)
    for tool in (exif.upright, exif.without_gps, lambda held: exif.sized(held, 3, 4)):
        changed = tool(stored)
        assert (changed is None) == (stored is None)
    assert 1 <= exif.orientation(stored) <= 8
    exif.by_name(stored)


@given(st.integers(0, 300), st.integers(0, 255))
def test_one_wrong_byte_breaks_nothing(place: int, value: int) -> None:
    """A real block with any byte changed is still handled."""
    stored = bytearray(block())
    stored[place % len(stored)] = value
    held = exif.bare(bytes(stored))
    exif.upright(held)
    exif.without_gps(held)
    exif.by_name(held)
