"""XMP packets in two parts, as a JPEG holds those above one segment.

The standard part tells the other's GUID, and the extended part holds the properties that had no room.
Adobe's XMP specification, part 3, section 1.1.3.1.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final
from xml.dom import DOMException, minidom
from xml.parsers.expat import ExpatError

if TYPE_CHECKING:
    from collections.abc import Iterable

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_NOTE: Final = "http://ns.adobe.com/xmp/note/"
_POINTER: Final = "HasExtendedXMP"
_EXTENSION: Final = b"http://ns.adobe.com/xmp/extension/\0"
_GUID: Final = 32
_HEAD: Final = len(_EXTENSION) + _GUID + 8
# What trees of odd shape or depth raise.
ODD: Final = (DOMException, ValueError, IndexError, RecursionError)

# A packet of more tags than this is not taken apart: the trees of 300,000 empty elements take seconds.
_MOST_TAGS: Final = 20_000

_Unit = tuple[minidom.Element, minidom.Element | minidom.Attr]


def split(packet: bytes, most: int) -> tuple[bytes, bytes] | None:
    """A packet as a standard part of at most `most` bytes and an extended part; None where it cannot be.

    It is no XMP then, or has more tags than anybody wants to wait for. The largest properties go, so that
    what other programs show (title, author, ...) mostly stays.
    """
    try:
        return _split(packet, most)
    except ODD:
        return None


def join(packet: bytes, segments: Iterable[bytes]) -> bytes | None:
    """A standard packet made whole with its extension's segments; None where they do not fit together.

    segments: the contents of a JPEG's APP1 segments, of any kind and in any order.
    """
    try:
        return _join(packet, segments)
    except ODD:
        return None


def _split(packet: bytes, most: int) -> tuple[bytes, bytes] | None:
    standard, extended = document(packet), document(packet)
    if standard is None or extended is None:
        return None
    stay, go = units(standard), units(extended)
    if not stay:
        return None
    order = sorted(range(len(stay)), key=lambda index: -_size(stay[index][1]))
    _point(standard, "0" * _GUID)
    moved: set[int] = set()
    size = len(packed(standard))
    for index in order:
        if size <= most:
            break
        size -= _size(stay[index][1])
        remove(*stay[index])
        moved.add(index)
        if size <= most:
            # Measured only where it may suffice, for measuring takes as long as the packet is.
            size = len(packed(standard))
    if size > most:
        return None
    for index, unit in enumerate(go):
        if index not in moved:
            remove(*unit)
    rest = _root(extended).toxml().encode()
    _point(standard, guid_of(rest))
    return packed(standard), rest


def _join(packet: bytes, segments: Iterable[bytes]) -> bytes | None:
    main = document(packet)
    rdf = None if main is None else rdf_of(main)
    if main is None or rdf is None:
        return None
    told = _take_pointer(rdf)
    rest = None if told is None else document(_assembled(told, segments))
    inner = None if rest is None else rdf_of(rest)
    if rest is None or inner is None:
        return None
    for description in children(inner):
        for name, value in _declared(rest, inner):
            if not description.hasAttribute(name):
                description.setAttribute(name, value)
        rdf.appendChild(main.importNode(description, deep=True))
    return packed(main)


def is_extension(segment: bytes) -> bool:
    """Whether the content of an APP1 segment is a piece of an extended part."""
    return segment.startswith(_EXTENSION) and len(segment) >= _HEAD


def extension_segments(extended: bytes, most: int) -> list[bytes]:
    """The contents of the APP1 segments that hold an extended part, each of at most `most` bytes."""
    step = most - _HEAD
    head = _EXTENSION + guid_of(extended).encode() + len(extended).to_bytes(4)
    return [
        head + place.to_bytes(4) + extended[place : place + step] for place in range(0, len(extended), step)
    ]


def guid_of(extended: bytes) -> str:
    """The name of an extended part: its MD5 in upper case."""
    return hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()


def _assembled(guid: str, segments: Iterable[bytes]) -> bytes:
    """The extended part called `guid`; empty where a piece is missing."""
    pieces: dict[int, bytes] = {}
    whole = 0
    for segment in segments:
        if is_extension(segment) and segment[len(_EXTENSION) :][:_GUID].decode("latin-1") == guid:
            whole = int.from_bytes(segment[_HEAD - 8 : _HEAD - 4])
            pieces[int.from_bytes(segment[_HEAD - 4 : _HEAD])] = segment[_HEAD:]
    joined = b""
    for place in sorted(pieces):
        if place != len(joined):
            return b""
        joined += pieces[place]
    return joined if len(joined) == whole else b""


def document(packet: bytes) -> minidom.Document | None:
    """A parsed packet; None where it is no XML, has too many tags, or declares entities, as no XMP does."""
    if b"<!DOCTYPE" in packet or b"<!ENTITY" in packet or packet.count(b"<") > _MOST_TAGS:
        return None
    try:
        # Padding of zeros, which some programs write, is no XML.
        return minidom.parseString(packet.strip(b"\0 \t\r\n"))  # noqa: S318 - without entities it cannot grow
    except (ExpatError, ValueError):
        return None


def _root(document: minidom.Document) -> minidom.Element:
    root = document.documentElement
    if root is None:  # a parsed document has one
        raise ValueError
    return root


def packed(document: minidom.Document) -> bytes:
    """The nodes of a document without an XML declaration, which no packet has."""
    return "".join(node.toxml() for node in document.childNodes).encode()


def rdf_of(document: minidom.Document) -> minidom.Element | None:
    """The rdf:RDF of a packet."""
    root = _root(document)
    if root.namespaceURI == _RDF and root.localName == "RDF":
        return root
    return next(iter(root.getElementsByTagNameNS(_RDF, "RDF")), None)


def children(element: minidom.Element) -> list[minidom.Element]:
    """The elements right below an element."""
    return [node for node in element.childNodes if isinstance(node, minidom.Element)]


def units(document: minidom.Document) -> list[_Unit]:
    """Every property with its rdf:Description: an element in it, or an attribute of it."""
    rdf = rdf_of(document)
    units: list[_Unit] = []
    for description in children(rdf) if rdf is not None else ():
        units += [(description, node) for node in children(description)]
        attributes = list(description.attributes.values())
        units += [
            (description, item)
            for item in attributes
            if item.namespaceURI not in {_RDF, "http://www.w3.org/2000/xmlns/"}
        ]
    return units


def _size(node: minidom.Element | minidom.Attr) -> int:
    return len(node.value if isinstance(node, minidom.Attr) else node.toxml())


def remove(description: minidom.Element, node: minidom.Element | minidom.Attr) -> None:
    """Take a property out of its rdf:Description."""
    if isinstance(node, minidom.Attr):
        description.removeAttributeNode(node)
    else:
        description.removeChild(node)


def _point(document: minidom.Document, guid: str) -> None:
    """Let the first rdf:Description tell the extended part's name."""
    rdf = rdf_of(document)
    description = children(rdf)[0] if rdf is not None else _root(document)
    description.setAttribute("xmlns:xmpNote", _NOTE)
    description.setAttributeNS(_NOTE, f"xmpNote:{_POINTER}", guid)


def _take_pointer(rdf: minidom.Element) -> str | None:
    """The extended part's name, taken out of the packet."""
    for description in children(rdf):
        if description.hasAttributeNS(_NOTE, _POINTER):
            told = description.getAttributeNS(_NOTE, _POINTER)
            description.removeAttributeNS(_NOTE, _POINTER)
            return told
        for node in description.getElementsByTagNameNS(_NOTE, _POINTER):
            text = "".join(part.data for part in node.childNodes if isinstance(part, minidom.Text))
            (node.parentNode or description).removeChild(node)
            return text.strip()
    return None


def _declared(document: minidom.Document, rdf: minidom.Element) -> list[tuple[str, str]]:
    """The namespaces that are declared around a document's descriptions."""
    found: dict[str, str] = {}
    for element in (rdf, _root(document)):
        for item in element.attributes.values():
            if item.name.startswith("xmlns"):
                found.setdefault(item.name, item.value)
    return list(found.items())
