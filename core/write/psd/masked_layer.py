"""What changes in a PSD when one of its layers gets a mask; a background becomes a layer for it.

That is what Photoshop does: the background gets a channel for its transparency and the name "Layer 0", and
loses its lock. Source: Adobe Photoshop File Formats Specification, "Layer records".
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from psd_tools.constants import ChannelID
from psd_tools.psd.layer_and_mask import MaskData, MaskFlags

from mattebox.core.write.psd.anatomy import has_channel
from mattebox.core.write.psd.codec import write_channel
from mattebox.core.write.psd.edits import Edit, growth, longer
from mattebox.core.write.psd.planes import Box, array_plane, constant_plane

if TYPE_CHECKING:
    from mattebox.core.photo import Pixels
    from mattebox.core.write.psd.anatomy import Anatomy, LayerPart

_MASK: Final = int(ChannelID.USER_LAYER_MASK)
_REAL_MASK: Final = int(ChannelID.REAL_USER_LAYER_MASK)
_TRANSPARENCY: Final = int(ChannelID.TRANSPARENCY_MASK)
FIRST_NAME: Final = "Layer 0"
_TRANSPARENCY_LOCKED: Final = 1


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """A layer mask: samples of the box's size, and what holds outside the box, 0 or 255.

    rendered: where the layer has a rendered vector mask, that and this mask together.
    """

    samples: Pixels
    box: Box
    outside: int
    rendered: Mask | None = None

    def channels(self) -> dict[int, Pixels]:
        """The channels that hold it, by their numbers."""
        if self.rendered is None:
            return {_MASK: self.samples}
        return {_MASK: self.rendered.samples, _REAL_MASK: self.samples}

    def description(self) -> bytes:
        """The block of a layer's record that describes it."""
        first = self.rendered or self
        fields: dict[str, Any] = {
            "top": first.box.top,
            "left": first.box.left,
            "bottom": first.box.bottom,
            "right": first.box.right,
            "background_color": first.outside,
        }
        if self.rendered is not None:
            fields |= {
                "flags": MaskFlags(user_mask_from_render=True),
                "real_flags": MaskFlags(),
                "real_background_color": self.outside,
                "real_top": self.box.top,
                "real_left": self.box.left,
                "real_bottom": self.box.bottom,
                "real_right": self.box.right,
            }
        block = io.BytesIO()
        MaskData(**fields).write(block)
        return block.getvalue()


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
    table_at, entry = layer.at + 18, 10 if big else 6
    channels = layer.record.channel_info
    rows, data = [], []
    wanted = {number: array_plane(samples) for number, samples in mask.channels().items()}
    if not has_channel(layer, ChannelID.TRANSPARENCY_MASK):
        full = int(np.iinfo(parts.dtype).max)
        wanted[_TRANSPARENCY] = constant_plane(layer.box.width, layer.box.height, full, parts.dtype)
    for number, plane in wanted.items():
        packed = io.BytesIO()
        row = struct.pack(">hQ" if big else ">hI", number, write_channel(packed, plane, "rle", big=big))
        there = number in layer.channels
        # The transparency stands first, a mask behind all that there is.
        place = layer.channels.index(number) if there else 0 if number == _TRANSPARENCY else len(channels)
        rows.append(Edit(table_at + entry * place, entry if there else 0, row))
        old = channels[place].length if there else 0
        data.append(Edit(layer.channel_at(place), old, packed.getvalue()))
    rows.sort(key=lambda edit: edit.at)
    data.sort(key=lambda edit: edit.at)
    count = len(channels) + sum(number not in layer.channels for number in wanted)
    extra_at = table_at + entry * len(channels) + 12
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
    rest = extra[4 + old :]
    new = mask.description() + (_with_first_name(rest) if renamed else rest)
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
