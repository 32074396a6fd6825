"""EXIF and XMP above one segment of a JPEG: kept, and what cannot be is said."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from mattebox.core.composition import Composition
from mattebox.core.photo import Photo, probe, read_photo
from mattebox.core.photo.exif_shrink import shrunk
from mattebox.core.photo.xmp import guid_of, join, split
from mattebox.core.settings import parse_output
from mattebox.core.write import write_output

if TYPE_CHECKING:
    from pathlib import Path

SEGMENT = 65_533
PAINT = "stroke " * 20_000


def packet(large: str = PAINT) -> bytes:
    """A packet with a title, an author, a label as an attribute, and a property of any size."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="packshot">'
        '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Käfer &amp; Laub</rdf:li></rdf:Alt></dc:title>'
        f"<photoshop:History>{large}</photoshop:History>"
        "<dc:source>the studio</dc:source></rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>'
    ).encode()


def finished(**blocks: Any) -> Composition:
    """A small opaque picture with blocks."""
    pixels = np.full((8, 9, 3), 200, np.uint8)
    photo = Photo(pixels, "rgb", **blocks)
    return Composition(photo, pixels, pixels, np.full((8, 9), 255, np.uint8), background=(255, 255, 255))


def written(path: Path, **blocks: Any) -> tuple[str, ...]:
    """The notes of a JPEG that was written with blocks."""
    return write_output(finished(**blocks), parse_output({"format": "jpeg"}), path)


def camera(**sizes: int) -> bytes:
    """A camera's block with a maker note, a comment and a place, the named values of so many bytes."""
    tags = Image.Exif()
    tags[0x010F] = "Camera works"
    tags.get_ifd(0x8769).update(
        {
            0x829A: IFDRational(1, 250),
            0x9003: "2026:01:02 03:04:05",
            0x927C: b"n" * sizes.get("note", 5),
            0x9286: b"ASCII\0\0\0" + b"c" * sizes.get("comment", 5),
        }
    )
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0), 3: "E", 4: (16.0, 22.0, 0.0)})
    return tags.tobytes().removeprefix(b"Exif\0\0")


def test_a_large_packet_comes_back_whole(tmp_path: Path) -> None:
    """Every property of a packet of several segments is read back, and nothing is said about a loss."""
    assert written(tmp_path / "a.jpg", xmp=packet()) == ()
    back = read_photo(tmp_path / "a.jpg")
    assert back.warnings == ()
    told = (back.xmp or b"").decode()
    for part in (PAINT, "Käfer &amp; Laub", "the studio", 'xmp:Label="packshot"'):
        assert told.count(part) == 1
    assert "HasExtendedXMP" not in told


def test_what_other_programs_show_stays_in_the_first_segment(tmp_path: Path) -> None:
    """Only the large property moves; the standard packet tells the extended part's name."""
    written(tmp_path / "a.jpg", xmp=packet())
    with Image.open(tmp_path / "a.jpg") as image:
        standard = image.info["xmp"]
    assert len(standard) <= SEGMENT
    assert "Käfer".encode() in standard
    assert b"packshot" in standard
    assert b"stroke" not in standard
    whole = split(packet(), 65_502)
    assert whole is not None
    assert re.findall(rb'HasExtendedXMP="([0-9A-F]{32})"', standard) == [guid_of(whole[1]).encode()]


def test_a_packet_of_one_segment_stays_as_it_is(tmp_path: Path) -> None:
    """A packet that fits is written byte for byte."""
    small = packet("a few strokes")
    assert written(tmp_path / "a.jpg", xmp=small) == ()
    assert read_photo(tmp_path / "a.jpg").xmp == small


@pytest.mark.parametrize("damage", [b"<x", b" " * 10, b'<!DOCTYPE x [<!ENTITY a "aa">]><x/>', b"\xff\xfe"])
def test_a_large_packet_that_is_no_xmp_is_told(tmp_path: Path, damage: bytes) -> None:
    """What cannot be parted is left out with a sentence, and the picture is written."""
    (note,) = written(tmp_path / "a.jpg", xmp=damage + b" " * 70_000)
    assert "XMP" in note
    assert "TIFF" in note
    assert read_photo(tmp_path / "a.jpg").xmp is None


def test_packets_of_odd_shape_refuse_no_photo(tmp_path: Path) -> None:
    """XML as deep as a well, or without any description, is left out with a sentence."""
    deep = b"<a>" * 20_000 + b"</a>" * 20_000
    bare = packet().split(b"<rdf:Description")[0] + b"</rdf:RDF></x:xmpmeta>" + b" " * 70_000
    for odd in (deep, bare):
        (note,) = written(tmp_path / "a.jpg", xmp=odd)
        assert "XMP" in note
        assert join(odd, []) is None


def test_a_missing_piece_is_told(tmp_path: Path) -> None:
    """A JPEG whose extended part lacks a segment is read with its standard packet and a warning."""
    written(tmp_path / "a.jpg", xmp=packet())
    whole = (tmp_path / "a.jpg").read_bytes()
    place = whole.rindex(b"http://ns.adobe.com/xmp/extension/") - 4
    length = int.from_bytes(whole[place + 2 : place + 4]) + 2
    (tmp_path / "a.jpg").write_bytes(whole[:place] + whole[place + length :])
    back = read_photo(tmp_path / "a.jpg")
    assert "Käfer".encode() in (back.xmp or b"")
    assert ["extended part" in note for note in back.warnings] == [True]


def test_an_extension_of_another_name_is_not_joined() -> None:
    """Segments whose GUID the packet does not tell belong to another picture."""
    parts = split(packet(), 65_502)
    assert parts is not None
    assert join(parts[0], []) is None


@pytest.mark.slow
def test_exiftool_finds_the_extended_properties(tmp_path: Path) -> None:
    """Exiftool reads the property from the extended part, with the name that the packet tells."""
    exiftool = shutil.which("exiftool")
    if exiftool is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("run .ci/readers.sh")
    written(tmp_path / "a.jpg", xmp=packet(), exif=camera(note=70_000))
    command = [exiftool, "-json", "-validate", "-warning", "-all", str(tmp_path / "a.jpg")]
    (facts,) = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert facts["History"] == PAINT
    assert facts["Title"] == "Käfer & Laub"
    assert facts["Label"] == "packshot"
    assert facts["Make"] == "Camera works"
    assert "Error" not in facts
    assert "XMP" not in str(facts.get("Warning", ""))


@pytest.mark.slow
def test_a_packet_that_exiftool_parted_is_read_whole(tmp_path: Path) -> None:
    """Exiftool's own extended part comes in through our reader."""
    exiftool = shutil.which("exiftool")
    if exiftool is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("run .ci/readers.sh")
    Image.new("RGB", (9, 8)).save(tmp_path / "a.jpg")
    (tmp_path / "text").write_text(PAINT)
    command = [exiftool, "-q", f"-XMP-photoshop:History<={tmp_path / 'text'}", "-XMP-dc:Source=the studio"]
    subprocess.run([*command, str(tmp_path / "a.jpg")], check=True)
    with Image.open(tmp_path / "a.jpg") as image:
        assert b"HasExtendedXMP" in image.info["xmp"]
    told = (read_photo(tmp_path / "a.jpg").xmp or b"").decode()
    assert PAINT in told
    assert "the studio" in told


def test_a_large_maker_note_goes_and_the_rest_stays(tmp_path: Path) -> None:
    """Only the maker note leaves a block that is too large, and the report's notes say so."""
    (note,) = written(tmp_path / "a.jpg", exif=camera(note=70_000))
    assert "MakerNote" in note
    facts = probe(tmp_path / "a.jpg").exif
    assert facts["Make"] == "Camera works"
    assert facts["ExposureTime"] == 1 / 250
    assert facts["DateTimeOriginal"] == "2026:01:02 03:04:05"
    assert facts["GPSLatitude"] == (48.0, 12.0, 30.0)
    assert str(facts["UserComment"]).count("c") >= 5
    assert "MakerNote" not in facts


@pytest.mark.parametrize("note", [40, 40_001])
def test_the_largest_value_goes_next(tmp_path: Path, note: int) -> None:
    """Where the maker note is not enough the largest value follows, named as well."""
    (told,) = written(tmp_path / "a.jpg", exif=camera(note=note, comment=69_999))
    assert "MakerNote, UserComment" in told
    facts = probe(tmp_path / "a.jpg").exif
    assert facts["GPSLatitude"] == (48.0, 12.0, 30.0)
    assert "UserComment" not in facts


def test_what_has_no_values_to_take_out_is_left_out_whole(tmp_path: Path) -> None:
    """A block that is too large by what nobody can name is left out, and that is said."""
    (note,) = written(tmp_path / "a.jpg", exif=b"II*\0\x08\0\0\0" + bytes(70_000))
    assert "all of it" in note
    assert read_photo(tmp_path / "a.jpg").exif is None


def test_a_block_that_fits_is_not_touched() -> None:
    """Nothing goes where there is room."""
    assert shrunk(camera(), SEGMENT) == (camera(), ())


@pytest.mark.parametrize("place", range(0, 400, 3))
def test_one_wrong_byte_breaks_nothing(place: int) -> None:
    """A damaged block becomes small enough or is left out; nothing is raised, and no loop is endless."""
    wrong = bytearray(camera(note=70_000))
    wrong[place] ^= 0xFF
    small, _ = shrunk(bytes(wrong), 65_527)
    assert small is None or len(small) <= 65_527


def test_other_formats_keep_all(tmp_path: Path) -> None:
    """PNG, WebP and TIFF hold the large packet byte for byte."""
    for form in ("png", "webp", "tiff"):
        assert write_output(finished(xmp=packet()), parse_output({"format": form}), tmp_path / form) == ()
        assert read_photo(tmp_path / form).xmp == packet()


def test_the_picture_is_sound(tmp_path: Path) -> None:
    """The segments stand before the picture, which decodes as ever."""
    written(tmp_path / "a.jpg", xmp=packet(), exif=camera(note=70_000))
    with Image.open(BytesIO((tmp_path / "a.jpg").read_bytes())) as image:
        assert np.abs(np.asarray(image).astype(int) - 200).max() <= 1
