"""GPS properties leave an XMP packet, all else stays byte for byte, and the time is linear."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattebox.core.photo.exif import xmp_without_gps

# What was used until packets of 30 KB of blanks took 15 seconds: right, and quadratic.
FORMER = re.compile(
    rb"""\s*(?:exif:GPS\w+\s*=\s*(?:"[^"]*"|'[^']*')|<(exif:GPS\w+)(?:\s[^>]*)?(?:/>|>.*?</\1\s*>))""",
    re.DOTALL,
)
BLANKS = st.sampled_from(["", " ", "\n", "\n   ", "\t"])
VALUES = st.text(alphabet="0123456789.,NSEW abcäöü", max_size=12)
PLACE = [f"exif:GPS{name}" for name in ("Latitude", "Longitude", "Altitude", "VersionID", "TimeStamp")]


@st.composite
def attributes(draw: st.DrawFn) -> str:
    """Attributes of rdf:Description, the place's and others'."""
    parts = []
    for name in draw(st.lists(st.sampled_from([*PLACE, "tiff:Make", "exif:ISO", "xmp:Rating"]), unique=True)):
        quote = draw(st.sampled_from("\"'"))
        equal = draw(st.sampled_from(["=", " = ", "= "]))
        parts.append(f"{draw(BLANKS) or ' '}{name}{equal}{quote}{draw(VALUES)}{quote}")
    return "".join(parts)


@st.composite
def elements(draw: st.DrawFn) -> str:
    """Elements of rdf:Description, the place's and others', simple, empty and of lists."""
    parts = []
    for name in draw(st.lists(st.sampled_from([*PLACE, "dc:title", "exif:Flash"]), unique=True)):
        inner = draw(VALUES) + draw(st.sampled_from(["", "<rdf:Seq><rdf:li>1</rdf:li></rdf:Seq>"]))
        kind = draw(
            st.sampled_from(["<{0}>{1}</{0}>", '<{0} xml:lang="x">{1}</{0} >', '<{0} rdf:value="2"/>'])
        )
        parts.append(draw(BLANKS) + kind.format(name, inner))
    return "".join(parts)


@st.composite
def packets(draw: st.DrawFn) -> bytes:
    """Ordinary packets, with the blanks that programs leave for later changes."""
    padding = " " * draw(st.integers(0, 40)) + "\n"
    head = f"<?xpacket begin='' id='x'?><x:xmpmeta><rdf:RDF><rdf:Description{draw(attributes())}>"
    tail = f"{draw(BLANKS)}</rdf:Description></rdf:RDF></x:xmpmeta>{padding}<?xpacket end='w'?>"
    return f"{head}{draw(elements())}{tail}".encode()


@given(packets())
def test_ordinary_packets_lose_what_they_lost_before(packet: bytes) -> None:
    """The result is that of the expression that was used before, byte for byte."""
    assert xmp_without_gps(packet) == FORMER.sub(b"", packet)


@pytest.mark.parametrize(
    "opened", [b"<exif:GPSLatitude>48,12.5N", b'exif:GPSLatitude="48,12.5N', b"<exif:GPSLatitude 48,12.5N"]
)
def test_a_place_without_an_end_goes_too(opened: bytes) -> None:
    """Of a damaged packet nothing of the place stays up to the next tag, and the tag stays."""
    assert xmp_without_gps(b"<a/> " + opened + b"<b/>") == b"<a/><b/>"
    assert xmp_without_gps(b"<a/> " + opened) == b"<a/>"


HOSTILE = [
    b" ",
    b"\n<",
    b"<exif:GPSa>",
    b"<exif:GPSa ",
    b'exif:GPSa="',
    b"exif:GPSa='\" ",
    b"exif:GPSa =",
    b"</exif:GPSa ",
    b"exif:GPS",
    b"a",
    b">",
]


@pytest.mark.parametrize("head", [b"", b"<exif:GPS", b"exif:GPS", b'exif:GPSa="', b"<exif:GPSa>"])
@pytest.mark.parametrize("unit", HOSTILE)
def test_twice_the_text_is_twice_the_steps(head: bytes, unit: bytes) -> None:
    """Each doubling of a hostile packet at most doubles the calls, and each call reads what lies ahead."""
    counts = [steps(head + unit * times) for times in (200, 400, 800)]
    assert counts[1] <= 2 * counts[0] + 50
    assert counts[2] <= 2 * counts[1] + 50


def steps(packet: bytes) -> int:
    """How many calls the work takes, those of the interpreter's own functions among them."""
    count = 0

    def on_step(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(on_step)
    try:
        xmp_without_gps(packet)
    finally:
        sys.setprofile(None)
    return count
