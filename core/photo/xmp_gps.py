"""The exif:GPS properties of an XMP packet, taken out by one pass over a stranger's text.

A property is an attribute or an element (Adobe's XMP specification, part 1, section 7.4). The packet is not
parsed as XML, since what stays must stay byte for byte, and a packet that is damaged must lose its place too.
"""

from __future__ import annotations

import re
from typing import Final

# In neither can two repeats meet the same byte, so both take time in proportion to the packet.
_NAME: Final = re.compile(rb"exif:GPS\w+")
_END: Final = re.compile(rb"</(exif:GPS\w+)\s*>")
_QUOTE: Final = re.compile(rb"\s*=\s*([\"'])")


def without_properties(packet: bytes) -> bytes:
    """The packet without its GPS properties and the blanks before each; time is linear in its length.

    What is opened and never ended goes up to the next tag.
    """
    ends = _ends(packet)
    kept: list[bytes] = []
    place = 0
    for name in _NAME.finditer(packet):
        if name.start() < place:
            continue
        is_element = name.start() > place and packet[name.start() - 1 : name.start()] == b"<"
        end = _element_end(packet, name, ends) if is_element else _attribute_end(packet, name)
        if end is not None:
            kept.append(packet[place : name.start() - is_element].rstrip())
            place = end
    return b"".join((*kept, packet[place:]))


def _ends(packet: bytes) -> dict[bytes, list[tuple[int, int]]]:
    """Where each property's closing tags begin and end, the last one first."""
    found: dict[bytes, list[tuple[int, int]]] = {}
    for tag in _END.finditer(packet):
        found.setdefault(tag[1], []).append(tag.span())
    for spans in found.values():
        spans.reverse()
    return found


def _element_end(packet: bytes, name: re.Match[bytes], ends: dict[bytes, list[tuple[int, int]]]) -> int:
    start = name.end()
    close = packet.find(b">", start, _next_tag(packet, start))
    if close >= 0 and packet[close - 1 : close] == b"/":
        return close + 1
    # Each closing tag is passed once: elements come in the order of the packet.
    spans = ends.get(name[0], [])
    while spans and spans[-1][0] < start:
        spans.pop()
    return spans[-1][1] if spans else _next_tag(packet, max(start, close))


def _attribute_end(packet: bytes, name: re.Match[bytes]) -> int | None:
    opened = _QUOTE.match(packet, name.end())
    if opened is None:
        return None
    closed = packet.find(opened[1], opened.end())
    return closed + 1 if closed >= 0 else _next_tag(packet, opened.end())


def _next_tag(packet: bytes, start: int) -> int:
    place = packet.find(b"<", start)
    return place if place >= 0 else len(packet)
