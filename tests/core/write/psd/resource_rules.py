"""How image resources are laid out: by the specification, and by Photoshop's own files where it says less."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.core.write.psd.bytewise import Cursor, unicode_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.write.psd.validator import Found


def check_resource(key: int, name: bytes, data: Cursor, found: Found) -> None:
    """Say what is wrong with one resource; ValueError where it ends too early."""
    check: Callable[[Cursor, Found], None] | None = {
        1005: _resolution,
        1006: _pascal_names,
        1036: _thumbnail,
        1045: _unicode_names,
        1053: _identifiers,
        1057: _version_info,
        1077: _display_info,
        2999: _clipping_path,
    }.get(key)
    if check is not None:
        check(data, found)
        found.say(not data.left, f"resource {key}: {data.left} bytes too many")
    elif 2000 <= key <= 2997 and name:
        _path(data, found, key)


def _resolution(data: Cursor, found: Found) -> None:
    across, unit, width_unit, down, unit_down, height_unit = struct.unpack(">IHHIHH", data.take(16))
    found.say(across > 0 < down and {unit, unit_down} <= {1, 2}, "resource 1005: resolution")
    found.say(1 <= width_unit <= 5 and 1 <= height_unit <= 5, "resource 1005: units")


def _pascal_names(data: Cursor, found: Found) -> None:
    while data.left:
        found.say(data.take(data.number(1)), "resource 1006: an empty name")


def _unicode_names(data: Cursor, _: Found) -> None:
    while data.left:
        unicode_text(data)


def _identifiers(data: Cursor, found: Found) -> None:
    numbers = []
    while data.left:
        numbers.append(data.number(4))
    found.say(len(set(numbers)) == len(numbers), "resource 1053: an identifier twice")


def _version_info(data: Cursor, found: Found) -> None:
    found.say(data.number(4) == 1 and data.number(1) in {0, 1}, "resource 1057: version")
    unicode_text(data)
    unicode_text(data)
    found.say(data.number(4) == 1, "resource 1057: file version")


def _thumbnail(data: Cursor, found: Found) -> None:
    kind, width, height, row, total, size, bits, planes = struct.unpack(">IIIIIIHH", data.take(28))
    found.say((kind, bits, planes) == (1, 24, 1), "resource 1036: kind")
    found.say(row == (width * 24 + 31) // 32 * 4 and total == row * height, "resource 1036: sizes")
    jpeg = data.take(size)
    found.say(
        jpeg.startswith(b"\xff\xd8") and jpeg.rstrip(b"\0").endswith(b"\xff\xd9"),
        "resource 1036: JPEG",
    )
    data.take(data.left)  # some writers count the padding


def _display_info(data: Cursor, found: Found) -> None:
    found.say(data.number(4) == 1, "resource 1077: version")
    found.say(data.left % 13 == 0, "resource 1077: 13 bytes a channel")
    data.take(data.left)


def _clipping_path(data: Cursor, found: Found) -> None:
    name = data.take(data.number(1))
    flatness, rule = struct.unpack(">IH", data.take(6))
    if data.left == 1:
        data.take(1)
    found.say(flatness <= 200 << 16 and rule in {0, 1, 2}, "resource 2999: flatness or fill rule")
    paths = {there for key, (there, _) in found.resources.items() if 2000 <= key <= 2997}
    found.say(name in paths, "resource 2999: names no path")


def _path(data: Cursor, found: Found, key: int) -> None:
    found.say(data.left % 26 == 0, f"resource {key}: 26 bytes a record")
    knots = 0
    first = True
    while data.left:
        kind, body = data.number(2), data.take(24)
        found.say(not first or kind == 6, f"resource {key}: begins with {kind}")
        first = False
        if kind in {0, 3}:
            found.say(not knots, f"resource {key}: {knots} knots are missing")
            knots = int.from_bytes(body[:2], "big")
        elif kind in {1, 2, 4, 5}:
            knots -= 1
        else:
            found.say(kind in {6, 7, 8}, f"resource {key}: record {kind}")
    found.say(not knots, f"resource {key}: {knots} knots are missing")
