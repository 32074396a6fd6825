"""The sections of a PSD or PSB: header, colour mode data, resources, and where the rest lies.

Read by hand, so that a resource which some writer has spoilt does not keep the picture from being read.
Source: Adobe Photoshop File Formats Specification.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSION_INFO: Final = 1057
_RESOLUTION: Final = 1005
# Tagged blocks of the document whose length is 64 bits wide in a PSB.
WIDE_BLOCKS: Final = frozenset(
    b"LMsk Lr16 Lr32 Layr Mt16 Mt32 Mtrn Alph FMsk lnk2 lnk3 lnkE FEid FXid FELS PxSD cinf".split()
)


@dataclass(frozen=True, slots=True)
class Sections:
    """What stands around the pixels of one file.

    layer_count: as stored, negative where the merged picture's first further channel is its transparency.
    merged_at: where the merged picture begins, at its compression word.
    """

    version: int
    channels: int
    width: int
    height: int
    depth: int
    mode: int
    colour_data: bytes
    layer_count: int
    merged_at: int
    resources: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def says_merged(self) -> bool | None:
        """Whether the file says that its merged picture is one; None where it says nothing."""
        info = self.resources.get(_VERSION_INFO, b"")
        return None if len(info) < 5 else info[4] != 0

    @property
    def dpi(self) -> tuple[float, float] | None:
        """Pixels per inch across and down."""
        data = self.resources.get(_RESOLUTION, b"")
        if len(data) < 12:
            return None
        across, down = (struct.unpack(">I", data[at : at + 4])[0] / 65536 for at in (0, 8))
        return (across, down) if across > 1 and down > 1 else None


def sections_of(file: BinaryIO) -> Sections:
    """The sections of an open file. Raises EOFError where it ends too early, ValueError where damaged."""
    signature, version, channels, height, width, depth, mode = struct.unpack(">4sH6xHIIHH", _take(file, 26))
    if signature != b"8BPS" or version not in {1, 2}:
        raise ValueError("it does not begin as a PSD")
    colour_data = _take(file, _number(file, 4))
    resources = _resources(_take(file, _number(file, 4)))
    size = 4 * version
    length = _number(file, size)
    merged_at = file.tell() + length
    count = _layer_count(file, version, merged_at)
    file.seek(merged_at)
    return Sections(version, channels, width, height, depth, mode, colour_data, count, merged_at, resources)


def _resources(data: bytes) -> dict[int, bytes]:
    """Each resource's bytes by its number, the first of a number; what cannot be told apart ends the list."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 12 <= len(data):
        key = int.from_bytes(data[at + 4 : at + 6], "big")
        at += 6 + ((data[at + 6] + 2) & ~1)
        size = int.from_bytes(data[at : at + 4], "big")
        found.setdefault(key, data[at + 4 : at + 4 + size])
        at += 4 + size + size % 2
    return found


def _layer_count(file: BinaryIO, version: int, end: int) -> int:
    """The signed count of layers: in front, or in a block of its own in deep files; 0 for none."""
    at = find_layers(file, version, end)
    if not at:
        return 0
    file.seek(at + 4 * version)
    return int.from_bytes(_take(file, 2), "big", signed=True)


def find_layers(file: BinaryIO, version: int, end: int) -> int:
    """Where the length field of the layers lies, from the section's content on; 0 where there are none."""
    size = 4 * version
    if file.tell() + size > end:
        return 0
    front = file.tell()
    if _number(file, size):
        return front
    if file.tell() + 4 <= end:
        file.seek(_number(file, 4), 1)
    while file.tell() + 12 <= end:
        signature, key = file.read(4), file.read(4)
        if signature not in {b"8BIM", b"8B64"}:
            return 0
        at = file.tell()
        wide = version == 2 and (signature == b"8B64" or key in WIDE_BLOCKS)
        length = _number(file, 8 if wide else 4)
        if key in {b"Lr16", b"Lr32"}:
            return at
        file.seek(-(-length // 4) * 4, 1)
    return 0


def _number(file: BinaryIO, size: int) -> int:
    return int.from_bytes(_take(file, size), "big")


def _take(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise EOFError("the file ends too early")
    return data
