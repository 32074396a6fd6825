"""Sound pixels are read whatever is wrong beside them, and what was left out is told."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pillow_heif
import pyjpegxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from mattebox.core.photo import probe, read_photo
from mattebox.core.photo.exif import xmp_without_gps
from mattebox.core.photo.xmp import join, split

sys.path.insert(0, str(Path(__file__).parent))
from bombs import chunk, crowded_xmp

PIXELS = np.random.default_rng(4).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def png(*chunks: bytes, late: bytes = b"") -> bytes:
    """A PNG of `PIXELS` with further chunks before its pixels, and behind them."""
    stored = BytesIO()
    Image.fromarray(PIXELS).save(stored, "PNG")
    data = stored.getvalue()
    end = data.index(b"IEND") - 4
    return data[:33] + b"".join(chunks) + data[33:end] + late + data[end:]


def raw_text(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    """A text as ImageMagick writes EXIF."""
    hexed = body.hex().encode()
    text = b"\n" + kind + b"\n    " + str(length or len(body)).encode() + b"\n" + hexed + b"\n"
    return chunk(b"zTXt", b"Raw profile type " + kind + b"\0\0" + zlib.compress(text))


EXIF = b"II*\0\x08\0\0\0\x01\0\x0f\x01\x02\0\x04\0\0\0abc\0\0\0\0\0"


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        (raw_text(b"exif", b"Exif\0\0" + EXIF, 7), ("EXIF",)),
        (chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 4\nzz"), ("EXIF",)),
        (chunk(b"eXIf", b"nonsense"), ("EXIF",)),
        (chunk(b"iCCP", b"a\0\0" + b"nonsense"), ("profile",)),
        (chunk(b"iCCP", b"a\0\0" + zlib.compress(b"nonsense")), ("profile",)),
        (chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0nonsense"), ("XMP",)),
        (chunk(b"zTXt", b"Comment\0\0nonsense"), ()),
        (chunk(b"acTL", struct.pack(">II", 2**31 + 1, 0)), ()),
        (chunk(b"cHRM", b"1"), ()),
        (chunk(b"cHRM", bytes(32)), ("primaries",)),
        (chunk(b"gAMA", struct.pack(">I", 2**32 - 1)), ("gamma",)),
        (b"\0\0\0\4tIMEabcd\0\0\0\0", ()),
    ],
)
def test_damaged_chunks_refuse_no_pixels(tmp_path: Path, extra: bytes, told: tuple[str, ...]) -> None:
    """A PNG with a damaged chunk is read bit for bit, and each loss is one sentence."""
    (tmp_path / "a.png").write_bytes(png(extra))
    photo = read_photo(tmp_path / "a.png")
    assert np.array_equal(photo.pixels, PIXELS)
    assert len(photo.warnings) == len(told)
    for word, note in zip(told, photo.warnings, strict=True):
        assert word in note


@pytest.mark.parametrize("made", [raw_text(b"exif", b"Exif\0\0" + EXIF), chunk(b"eXIf", EXIF)])
def test_exif_is_found_before_and_behind_the_pixels(tmp_path: Path, made: bytes) -> None:
    """EXIF as a chunk or as ImageMagick's text, at either place, is the photo's."""
    for name, data in (("a", png(made)), ("b", png(late=made))):
        path = tmp_path / f"{name}.png"
        path.write_bytes(data)
        assert probe(path).exif["Make"] == "abc"
        assert read_photo(path).warnings == ()


def test_imagemagicks_own_profiles_are_read(tmp_path: Path) -> None:
    """XMP that Pillow writes as a text is found."""
    told = PngImagePlugin.PngInfo()
    told.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>", zip=True)
    Image.fromarray(PIXELS).save(tmp_path / "a.png", pnginfo=told)
    assert read_photo(tmp_path / "a.png").xmp == b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"


def test_a_jpeg_of_damaged_segments_is_read(tmp_path: Path) -> None:
    """An empty JFIF segment, which Pillow stumbles over, costs the metadata alone."""
    stored = BytesIO()
    Image.fromarray(PIXELS).save(stored, "JPEG")
    data = stored.getvalue()
    length = int.from_bytes(data[4:6])
    (tmp_path / "a.jpg").write_bytes(data[:2] + b"\xff\xe0\0\2" + data[4 + length :])
    (tmp_path / "b.jpg").write_bytes(data)
    assert np.array_equal(read_photo(tmp_path / "a.jpg").pixels, read_photo(tmp_path / "b.jpg").pixels)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_clear_shade_of_few_bits_is_clear(tmp_path: Path, depth: int) -> None:
    """A gray PNG of less than 8 bits whose tRNS names a shade is clear there (PNG 3, section 11.3.1.1)."""
    top = (1 << depth) - 1
    row = int("".join(f"{index % (top + 1):0{depth}b}" for index in range(16)), 2).to_bytes(2 * depth)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 1, depth, 0, 0, 0, 0))
    clear = chunk(b"tRNS", top.to_bytes(2))
    body = head + clear + chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    photo = read_photo(tmp_path / "a.png")
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha[0] == 0, np.arange(16) % (top + 1) == top)
    assert np.array_equal(photo.pixels[0, :, 0], np.arange(16) % (top + 1) * 255 // top)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_of_an_animated_avif_the_first_frame_is_read(tmp_path: Path, bits: int) -> None:
    """An animation of any depth gives its first frame and says so."""
    frames = np.stack([np.full((32, 32, 3), level << (bits - 8), np.uint16) for level in (40, 200)])
    stored = imagecodecs.avif_encode(
        frames.astype(np.uint8 if bits == 8 else np.uint16), level=100, bitspersample=bits
    )
    (tmp_path / "a.avif").write_bytes(stored)
    photo = read_photo(tmp_path / "a.avif")
    assert np.abs(photo.pixels.astype(int) - 40).max() <= 2
    assert "Only the first of 2 pages or frames was used." in photo.warnings
    assert (bits == 8) == (len(photo.warnings) == 1)


def test_gain_maps_and_videos_are_told(tmp_path: Path) -> None:
    """A photo with a gain map and one with a video say what was left out, and promise neither further."""
    xmp = (
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        b"<rdf:Description rdf:about='' xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' "
        b"xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/' %s/></rdf:RDF></x:xmpmeta>"
    )
    for promise, word in ((b'hdrgm:Version="1.0"', "gain map"), (b'GCamera:MotionPhoto="1"', "video")):
        Image.fromarray(PIXELS).save(tmp_path / "a.jpg", xmp=xmp % promise)
        photo = read_photo(tmp_path / "a.jpg")
        assert len(photo.warnings) == 1
        assert word in photo.warnings[0]
        assert promise.split(b"=")[0] not in (photo.xmp or b"")


def test_crowded_xmp_is_left_out_and_told(tmp_path: Path) -> None:
    """An extended part of 300,000 elements is not taken apart; `probe` does not look at it."""
    (tmp_path / "a.jpg").write_bytes(crowded_xmp(300_000))
    assert b"<a/>" not in (probe(tmp_path / "a.jpg").xmp or b"")
    photo = read_photo(tmp_path / "a.jpg")
    assert any("XMP" in note for note in photo.warnings)
    assert split(b"<x>" + b"<a/>" * 50_000 + b"</x>", 1000) is None
    assert join(b"<x>" + b"<a/>" * 50_000 + b"</x>", ()) is None


PLACE = (
    b'<rdf:Description exif:GPSLatitude="48,12.5N" exif:GPSLongitude = \'16,2E\' dc:source="kept">'
    b"<exif:GPSAltitude>17/1</exif:GPSAltitude><exif:GPSVersionID/><dc:title>kept too</dc:title>"
    b"<exif:GPSAreaInformation><rdf:Alt><rdf:li>home</rdf:li></rdf:Alt></exif:GPSAreaInformation>"
    b"<exif:GPSTimeStamp>12:00</rdf:Description>"
)


def test_every_place_goes_from_xmp() -> None:
    """Attributes, elements, empty ones, nested ones and one without an end go; the rest stays."""
    left = xmp_without_gps(PLACE) or b""
    for gone in (b"48,12", b"16,2", b"17/1", b"home", b"12:00", b"GPS"):
        assert gone not in left
    for kept in (b'dc:source="kept"', b"<dc:title>kept too</dc:title>", b"</rdf:Description>"):
        assert kept in left


@settings(deadline=None)
@given(st.text("<>/ =\"'aexif:GPSLat\n", max_size=300))
def test_no_text_is_beyond_the_search_for_places(text: str) -> None:
    """Whatever stands in a packet, the search for places ends, and finds none the second time."""
    once = xmp_without_gps(text.encode())
    assert once is None or len(once) <= len(text)


def test_jpeg_xl_carries_everything(tmp_path: Path) -> None:
    """Exif boxes with an offset, XMP and a profile are the photo's; a truncated file is told as such."""
    data = pyjpegxl.encode_from_numpy(PIXELS, lossless=True, exif=bytes(4) + EXIF, xmp=b"<x/>")
    (tmp_path / "a.jxl").write_bytes(data)
    photo = read_photo(tmp_path / "a.jxl")
    assert np.array_equal(photo.pixels, PIXELS)
    assert photo.xmp == b"<x/>"
    assert probe(tmp_path / "a.jxl").exif["Make"] == "abc"


def test_a_heic_whose_item_is_called_by_no_text_ends_nothing(tmp_path: Path) -> None:
    """An item's type of other bytes than letters, which ends pi-heif's process, is read around."""
    stored = BytesIO()
    pillow_heif.from_pillow(Image.fromarray(PIXELS)).save(stored, exif=b"Exif\0\0" + EXIF)
    data = stored.getvalue()
    place = data.index(b"Exif", data.index(b"iinf"))
    (tmp_path / "a.heic").write_bytes(data[:place] + b"E\xeaif" + data[place + 4 :])
    code = "import sys; from mattebox.core.photo import read_photo; print(read_photo(sys.argv[1]).width)"
    command = [sys.executable, "-c", code, str(tmp_path / "a.heic")]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"30\n"
