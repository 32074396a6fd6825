"""A flat PSD gets its first layer: the merged picture, with a mask; what else the file holds stays."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from psd_tools.constants import BlendMode, ChannelID, Tag
from psd_tools.psd.layer_and_mask import (
    ChannelInfo,
    LayerBlendingRanges,
    LayerFlags,
    LayerRecord,
    MaskData,
)
from psd_tools.psd.tagged_blocks import TaggedBlocks

from mattebox.core.write.psd.codec import write_channel
from mattebox.core.write.psd.edits import Edit
from mattebox.core.write.psd.masked_layer import FIRST_NAME
from mattebox.core.write.psd.planes import array_plane, constant_plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mattebox.core.photo import Pixels
    from mattebox.core.write.psd.anatomy import Anatomy
    from mattebox.core.write.psd.masked_layer import Mask

_GLOBAL_MASK: Final = bytes(4)


def first_layer_edits(
    file: BinaryIO, parts: Anatomy, merged: Sequence[Pixels], mask: Mask, *, clear: bool = False
) -> list[Edit]:
    """What changes in a file without layers when its picture becomes one, in the order of the file.

    merged: the colour planes of the merged picture as stored, each (h, w). clear: as for `mask_edits`.
    """
    size = parts.length_size
    layers = _layers(parts, merged, mask, clear=clear)
    file.seek(parts.section_at)
    old = int.from_bytes(file.read(size), "big")
    body = file.read(old)
    if parts.header.depth == 8:
        taken = size + int.from_bytes(body[:size], "big") if len(body) >= size else len(body)
        new = struct.pack(">Q" if size == 8 else ">I", len(layers)) + layers
        rest = body[taken:] or _GLOBAL_MASK
        section = new + rest
    else:
        section = _without_deep_layers(parts, body) + _deep_block(layers, size, clear=clear)
    return [
        Edit(parts.section_at, size + old, struct.pack(">Q" if size == 8 else ">I", len(section)) + section)
    ]


def _deep_block(layers: bytes, size: int, *, clear: bool) -> bytes:
    marked = b"8BIMMt16" + bytes(size) if clear else b""
    return marked + b"8BIMLr16" + len(layers).to_bytes(size, "big") + layers


def _without_deep_layers(parts: Anatomy, body: bytes) -> bytes:
    """The section's content as it is, or an empty one; a block of no layers goes."""
    if len(body) < parts.length_size + len(_GLOBAL_MASK):  # no block can follow what is not there
        return bytes(parts.length_size) + _GLOBAL_MASK
    if not parts.info_at:
        return body + bytes(-len(body) % 4)
    start = parts.info_at - 8 - parts.section_at - parts.length_size
    end = start + 8 + parts.length_size + -(-parts.info_length // 4) * 4
    return body[:start] + body[end:]


def _layers(parts: Anatomy, merged: Sequence[Pixels], mask: Mask, *, clear: bool) -> bytes:
    """The count, one record and its channels; padded to four bytes."""
    height, width = merged[0].shape
    big = parts.header.version == 2
    full = int(np.iinfo(parts.dtype).max)
    planes = {
        ChannelID.TRANSPARENCY_MASK: constant_plane(width, height, full, parts.dtype),
        **{ChannelID(index): array_plane(plane) for index, plane in enumerate(merged)},
        ChannelID.USER_LAYER_MASK: array_plane(mask.samples),
    }
    packed = io.BytesIO()
    channels = [
        ChannelInfo(key, write_channel(packed, plane, "rle", big=big)) for key, plane in planes.items()
    ]
    box = mask.box
    blocks = TaggedBlocks()
    blocks.set_data(Tag.UNICODE_LAYER_NAME, FIRST_NAME)
    blocks.set_data(Tag.LAYER_ID, 1)
    whole = [(0, 65535), (0, 65535)]
    record = LayerRecord(
        top=0,
        left=0,
        bottom=height,
        right=width,
        channel_info=channels,
        blend_mode=BlendMode.NORMAL,
        flags=LayerFlags(visible=True),
        mask_data=MaskData(
            top=box.top, left=box.left, bottom=box.bottom, right=box.right, background_color=mask.outside
        ),
        blending_ranges=LayerBlendingRanges(whole, [whole] * (len(merged) + 1)),
        name=FIRST_NAME,
        tagged_blocks=blocks,
    )
    out = io.BytesIO()
    out.write(struct.pack(">h", -1 if clear else 1))
    record.write(out, version=parts.header.version)
    out.write(packed.getvalue())
    out.write(bytes(-out.tell() % 4))
    return out.getvalue()
