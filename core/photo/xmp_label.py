"""Labels in XMP packets: xmp:Label, xmp:Rating, digiKam:ColorLabel, added without a byte of the rest changed.

Adobe's XMP specification, part 1 (a property may stand in any rdf:Description of a packet) and part 2, 3.1
(the xmp namespace). Lightroom, Bridge, Capture One, darktable and Photo Mechanic know labels by their English
names; digiKam writes numbers of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.sax.saxutils import quoteattr

from mattebox.core.photo.xmp import ODD, children, document, packed, rdf_of, remove, units

if TYPE_CHECKING:
    from xml.dom import minidom

    from mattebox.core.settings.label import Label

_XMP: Final = "http://ns.adobe.com/xap/1.0/"
_DIGIKAM: Final = "http://www.digikam.org/ns/1.0/"
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_MARK: Final = 'xmlns:mattebox="urn:mattebox:label:1"'
_HEAD: Final = f"<rdf:Description {_MARK}".encode()
_TAIL: Final = b"/>"
_END: Final = re.compile(rb"</(?:[\w.-]+:)?RDF\s*>")
_NUMBERS: Final = {"red": 1, "yellow": 3, "green": 4, "blue": 5, "purple": 6}
_LABEL, _RATING, _NUMBER = (_XMP, "Label"), (_XMP, "Rating"), (_DIGIKAM, "ColorLabel")
_EMPTY: Final = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Mattebox">\n'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
    b"</rdf:RDF>\n</x:xmpmeta>\n"
    b'<?xpacket end="w"?>\n'
)


class Labelled(NamedTuple):
    """A packet with a label, or None where none could be put into it; whether other marks were left in it."""

    packet: bytes | None
    kept: bool = False


def new_packet(label: Label) -> bytes:
    """A packet that holds a label alone."""
    found = _added(_EMPTY, label, "", set())
    assert found is not None  # noqa: S101 - of our own making
    return found


def without_ours(packet: bytes) -> bytes:
    """The packet without a label that was added here before; every other byte as it is."""
    kept, place = [], 0
    while (start := packet.find(_HEAD, place)) >= 0:
        end = packet.find(_TAIL, start)
        if end < 0:
            break
        inside = b"<" in packet[start + 1 : end] or b">" in packet[start:end]
        kept.append(packet[place : start + len(_HEAD) if inside else start])
        place = start + len(_HEAD) if inside else end + len(_TAIL)
    return b"".join((*kept, packet[place:]))


def merged(packet: bytes, label: Label) -> Labelled:
    """A person's packet with a label added and nothing taken away.

    What it says itself about colour or stars stays and counts; None where it is no XMP that can be added to.
    """
    plain = without_ours(packet)
    try:
        said = _said(plain)
        if said is None:
            return Labelled(None)
        about, marks = said
        wanted = set(_wanted(label))
        if wanted <= marks:
            return Labelled(None, kept=True)
        return Labelled(_added(plain, label, about, marks), kept=bool(wanted & marks))
    except ODD:
        return Labelled(None)


def labelled(packet: bytes | None, label: Label) -> bytes | None:
    """The packet of an output with a label in place of what the photo's own said; None where it is no XMP."""
    if not packet:
        return new_packet(label)
    plain = without_ours(packet)
    try:
        said = _said(plain)
        if said is None:
            return None
        about, marks = said
        wanted = set(_wanted(label))
        return _added(_without(plain, wanted) if wanted & marks else plain, label, about, set())
    except ODD:
        return None


def _wanted(label: Label) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    if label.colour is not None:
        found[_LABEL] = label.colour.capitalize()
        found[_NUMBER] = str(_NUMBERS[label.colour])
    if label.rating is not None:
        found[_RATING] = str(label.rating)
    return found


def _said(packet: bytes) -> tuple[str, set[tuple[str, str]]] | None:
    """What a packet is about, and which of our properties it has; None where it is no XMP."""
    tree = document(packet)
    rdf = None if tree is None else rdf_of(tree)
    if tree is None or rdf is None:
        return None
    about = next((item.getAttributeNS(_RDF, "about") for item in children(rdf)), "")
    return about, {_name(node) for _, node in units(tree)} & {_LABEL, _RATING, _NUMBER}


def _name(node: minidom.Element | minidom.Attr) -> tuple[str, str]:
    return node.namespaceURI or "", node.localName or ""


def _without(packet: bytes, names: set[tuple[str, str]]) -> bytes:
    tree = document(packet)
    if tree is None:
        return packet
    for unit in units(tree):
        if _name(unit[1]) in names:
            remove(*unit)
    return packed(tree)


def _added(packet: bytes, label: Label, about: str, taken: set[tuple[str, str]]) -> bytes | None:
    """The packet with one more rdf:Description, its last; None where it would not be read back so."""
    values = {name: value for name, value in _wanted(label).items() if name not in taken}
    prefixes = {_XMP: "xmp", _DIGIKAM: "digiKam"}
    properties = " ".join(f'{prefixes[space]}:{name}="{value}"' for (space, name), value in values.items())
    element = (
        f'<rdf:Description {_MARK} xmlns:rdf="{_RDF}" xmlns:xmp="{_XMP}" xmlns:digiKam="{_DIGIKAM}" '
        f'rdf:about={quoteattr(about)} mattebox:Outcome="{label.outcome}" {properties}/>'
    )
    ends = list(_END.finditer(packet))
    if not ends or "<" in about or ">" in about:
        return None
    place = ends[-1].start()
    found = packet[:place] + element.encode() + packet[place:]
    tree = document(found)
    if tree is None or without_ours(found) != packet:
        return None
    told = {_name(node): node.value for _, node in units(tree) if not hasattr(node, "tagName")}
    return found if values.items() <= told.items() else None
