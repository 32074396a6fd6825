"""What changes in a PSD when one of its layers gets a mask; a background becomes a layer for it.

That is what Photoshop does: the background gets a channel for its transparency and the name "Layer 0", and
loses its lock. Source: Adobe Photoshop File Formats Specification, "Layer records".
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from psd_tools.constants import ChannelID
from psd_tools.psd.layer_and_mask import MaskData

from mattebox.core.write.psd.anatomy import has_channel
from mattebox.core.write.psd.codec import write_channel
from mattebox.core.write.psd.edits import Edit, growth, longer
from mattebox.core.write.psd.planes import Box, array_plane, constant_plane

if TYPE_CHECKING:
    from mattebox.core.photo import Pixels
    from mattebox.core.write.psd.anatomy import Anatomy, LayerPart

_MASK: Final = int(ChannelID.USER_LAYER_MASK)
_TRANSPARENCY: Final = int(ChannelID.TRANSPARENCY_MASK)
FIRST_NAME: Final = "Layer 0"
_TRANSPARENCY_LOCKED: Final = 1


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """A layer mask: samples of the box's size, and what holds outside the box, 0 or 255."""

    samples: Pixels
    box: Box
    outside: int


def mask_edits(
    file: BinaryIO, parts: Anatomy, layer: LayerPart, mask: Mask, *, clear: bool = False
) -> list[Edit]:
    """What changes in the file when `layer` gets `mask`, in the order of the file.

    clear: the merged picture gets a channel for its transparency, which the layers' count and, in deep files,
    a block of its own tell.
    """
    inner = [*_table_edits(file, parts, layer, mask)]
    if clear:
        count_at = parts.info_at + parts.length_size
        inner.insert(0, Edit(count_at, 2, struct.pack(">h", -len(parts.layers))))
    inner.append(_unused_end(file, parts, growth(inner)))
    info = longer(file, parts.info_at, parts.length_size, growth(inner))
    if clear and parts.header.depth == 16:
        inner = [_deep_transparency(parts), info, *inner]
    else:
        inner = [info, *inner]
    return [longer(file, parts.section_at, parts.length_size, growth(inner)), *inner]


def _table_edits(file: BinaryIO, parts: Anatomy, layer: LayerPart, mask: Mask) -> list[Edit]:
    """The layer's record and channels."""
    big = parts.header.version == 2
    channels = layer.record.channel_info
    packed = io.BytesIO()
    length = write_channel(packed, array_plane(mask.samples), "rle", big=big)
    masked = has_channel(layer, ChannelID.USER_LAYER_MASK)
    index = layer.channels.index(_MASK) if masked else len(channels)
    entry = struct.pack(">hQ" if big else ">hI", _MASK, length)
    table_at = layer.at + 18
    rows = [Edit(table_at + len(entry) * index, len(entry) if masked else 0, entry)]
    data = [Edit(layer.channel_at(index), channels[index].length if masked else 0, packed.getvalue())]
    raised = not has_channel(layer, ChannelID.TRANSPARENCY_MASK)
    if raised:
        opaque = io.BytesIO()
        full = int(np.iinfo(parts.dtype).max)
        plane = constant_plane(layer.box.width, layer.box.height, full, parts.dtype)
        size = write_channel(opaque, plane, "rle", big=big)
        rows.insert(0, Edit(table_at, 0, struct.pack(">hQ" if big else ">hI", _TRANSPARENCY, size)))
        data.insert(0, Edit(layer.data_at, 0, opaque.getvalue()))
    count = len(channels) + (not masked) + raised
    extra_at = table_at + len(entry) * len(channels) + 12
    unlocked = []
    if is_locked_background(layer):
        file.seek(extra_at - 2)
        unlocked = [Edit(extra_at - 2, 1, bytes([file.read(1)[0] & ~_TRANSPARENCY_LOCKED]))]
    extra = _extra_edit(file, extra_at, mask, renamed=is_locked_background(layer))
    return [Edit(layer.at + 16, 2, struct.pack(">H", count)), *rows, *unlocked, extra, *data]


def is_locked_background(layer: LayerPart) -> bool:
    """Whether this is an editor's background: at the bottom, without transparency, and that locked.

    Some writers leave the channel out of any opaque bottom layer; such a layer keeps its name.
    """
    locked = bool(layer.record.flags.transparency_protected)
    return layer.is_lowest and locked and not has_channel(layer, ChannelID.TRANSPARENCY_MASK)


def _extra_edit(file: BinaryIO, extra_at: int, mask: Mask, *, renamed: bool) -> Edit:
    """The record's extra data with the block that describes the mask; with another name where `renamed`."""
    file.seek(extra_at)
    length = int.from_bytes(file.read(4), "big")
    extra = file.read(length)
    old = int.from_bytes(extra[:4], "big")
    box = mask.box
    block = io.BytesIO()
    MaskData(
        top=box.top, left=box.left, bottom=box.bottom, right=box.right, background_color=mask.outside
    ).write(block)
    rest = extra[4 + old :]
    new = block.getvalue() + (_with_first_name(rest) if renamed else rest)
    return Edit(extra_at, 4 + length, struct.pack(">I", len(new)) + new)


def _with_first_name(rest: bytes) -> bytes:
    """What stands behind a mask's description with the name "Layer 0" and without locks; other bytes stay."""
    ranges = 4 + int.from_bytes(rest[:4], "big")
    blocks_at = ranges + -(-(1 + rest[ranges]) // 4) * 4
    name = FIRST_NAME.encode("mac_roman")
    pascal = bytes([len(name)]) + name
    out = [rest[:ranges], pascal + bytes(-len(pascal) % 4)]
    at = blocks_at
    while at + 12 <= len(rest) and rest[at : at + 4] == b"8BIM":
        key, length = rest[at + 4 : at + 8], int.from_bytes(rest[at + 8 : at + 12], "big")
        end = at + 12 + length + length % 2
        if key == b"luni":
            text = struct.pack(">I", len(FIRST_NAME)) + FIRST_NAME.encode("utf-16-be")
            text += bytes(-len(text) % 4)
            out.append(rest[at : at + 8] + struct.pack(">I", len(text)) + text)
        elif key == b"lspf":
            out.append(rest[at : at + 12] + bytes(length))
        else:
            out.append(rest[at:end])
        at = end
    return b"".join([*out, rest[at:]])


def _unused_end(file: BinaryIO, parts: Anatomy, grown: int) -> Edit:
    """The filling behind the layers, at most three bytes, so that the section grows by a multiple of four.

    What follows then stays aligned as it was.
    """
    end = parts.info_at + parts.length_size + parts.info_length
    unused = end - parts.used_end
    file.seek(parts.used_end)
    if unused < 0 or any(file.read(unused)):  # some writer's own bytes: they stay
        return Edit(end, 0, bytes(-grown % 4))
    return Edit(parts.used_end, unused, bytes((unused - grown) % 4))


def _deep_transparency(parts: Anatomy) -> Edit:
    """The empty block that marks a 16-bit merged picture as transparent, in front of the layers' block."""
    return Edit(parts.info_at - 8, 0, b"8BIMMt16" + bytes(parts.length_size))
