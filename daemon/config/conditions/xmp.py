"""xmp: XMP properties by glob, such as {"xmp:Rating": "[45]", "dc:subject": "packshot"}."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from mattebox.daemon.config.conditions.base import Condition
from mattebox.daemon.config.conditions.exif import Fields, fields_why_not

if TYPE_CHECKING:
    from mattebox.daemon.config.facts import Facts

_MAX_BYTES: Final = 4_000_000
_RDF: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def properties(packet: bytes | None) -> dict[str, list[str]]:
    """The properties of an XMP packet by name ("Rating") and by the packet's prefix ("xmp:Rating").

    Lists and alternatives give all their items. A packet that is no XML, or that declares entities,
    has no properties.
    """
    found: dict[str, list[str]] = {}
    # Entities are the one way in which XML grows without end; no writer of XMP uses them.
    if not packet or len(packet) > _MAX_BYTES or b"<!" in packet:
        return found
    prefixes: dict[str, str] = {}
    try:
        reader = ET.iterparse(io.BytesIO(packet.rstrip(b"\0 \r\n\t")), events=("start-ns", "end"))  # noqa: S314 - no entities, see above
        for event, item in reader:
            if event == "start-ns":
                prefixes[item[1]] = item[0]
            elif item.tag == f"{_RDF}Description":
                for key, text in item.attrib.items():
                    _add(found, prefixes, key, [text])
                for child in item:
                    items = [node.text or "" for node in child.iter(f"{_RDF}li")]
                    _add(found, prefixes, child.tag, items or [child.text or ""])
    except ET.ParseError:
        return {}
    return found


def _add(found: dict[str, list[str]], prefixes: dict[str, str], tag: str, texts: list[str]) -> None:
    uri, _, name = tag.removeprefix("{").rpartition("}")
    for key in (name, f"{prefixes.get(uri, '')}:{name}"):
        found.setdefault(key, []).extend(texts)


def _why_not(wanted: dict[str, list[str]], facts: Facts) -> str | None:
    return fields_why_not(wanted, properties(facts.photo.xmp), "XMP")


CONDITIONS: Final = (Condition("xmp", Fields, _why_not, "XMP properties by glob, all of which must fit"),)
