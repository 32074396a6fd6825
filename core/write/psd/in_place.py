"""A mask added to one layer of an existing PSD: a copy of the file, equal in every other byte.

The file is not written anew: its bytes are copied, and only the layer's record, the mask's channel
and the lengths around them are exchanged. So whatever else a file holds, known or unknown, stays.
"""

from __future__ import annotations

import io
import shutil
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from psd_tools.constants import ChannelID
from psd_tools.psd.layer_and_mask import MaskData

from mattebox.core.errors import SettingsError, WriteError
from mattebox.core.write.blocks import writing
from mattebox.core.write.psd.anatomy import Anatomy, LayerPart, anatomy_of, has_channel, read_channel
from mattebox.core.write.psd.codec import write_channel, write_merged
from mattebox.core.write.psd.document import PSD_BYTES
from mattebox.core.write.psd.planes import Box, array_plane, covered_box, on_canvas
from mattebox.core.write.psd.preview import merged_planes
from mattebox.core.write.psd.resources import as_section, thumbnail_resources
from mattebox.core.write.psd.selection import select_layer, visible_layers
from mattebox.core.write.psd.stored_preview import fresh_layers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from psd_tools.psd.image_resources import ImageResources

    from mattebox.core.composition import Composition
    from mattebox.core.photo import Pixels
    from mattebox.core.settings import PsdOutput

_MASK = int(ChannelID.USER_LAYER_MASK)


@dataclass(frozen=True, slots=True)
class Edit:
    """`old` bytes at `at` of the source become `new`."""

    at: int
    old: int
    new: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """A layer mask: samples of the box's size, and what holds outside the box."""

    samples: Pixels
    box: Box
    outside: int


def write_in_place(composition: Composition, options: PsdOutput, source: Path, path: Path) -> tuple[str, ...]:
    """Write a copy of `source` to `path` whose chosen layer has the matte as its mask; returns notes.

    Raises SettingsError where the settings or the file do not allow that, WriteError, PhotoError.
    """
    with source.open("rb") as file:
        parts = anatomy_of(file, source)
        layer = select_layer(parts, options.layer, str(source))
        _check_same_canvas(composition, parts, source)
        mask = _mask(file, parts, layer, composition.alpha, options, source=source)
        full = int(np.iinfo(parts.dtype).max)
        edits = mask_edits(file, parts, layer, mask)
        whole = on_canvas(mask.samples, mask.box, composition.alpha, mask.outside * (full // 255))
        fresh = fresh_layers(file, parts, layer, whole)
        if fresh is not None:
            thumbnail = as_section(thumbnail_resources(fresh, parts.mode, composition.size, parts.dtype))
            end = file.seek(0, io.SEEK_END)
            edits = [
                *resource_edits(file, parts, thumbnail),
                *edits,
                Edit(parts.merged_at, end - parts.merged_at),
            ]
        with writing(path) as out:
            copy_with_edits(file, out, edits)
            if fresh is not None:
                planes = merged_planes(fresh, parts.mode, composition.size, parts.dtype)
                write_merged(out, planes, big=parts.header.version == 2)
            if parts.header.version == 1 and out.tell() > PSD_BYTES:
                raise WriteError(
                    f"{source}: with the mask it is larger than a PSD can be; "
                    "in your editor save it as a PSB (Large Document Format)."
                )
    if fresh is not None or layer not in visible_layers(parts):
        return ()
    note = (
        f"The stored preview of {source.name} is the old one, without the mask on '{layer.name}': "
        "viewers that know no layers show that until an editor saves the file."
    )
    return (note,)


def mask_edits(file: BinaryIO, parts: Anatomy, layer: LayerPart, mask: Mask) -> list[Edit]:
    """What changes in the file when `layer` gets `mask`, in the order of the file."""
    big = parts.header.version == 2
    packed = io.BytesIO()
    length = write_channel(packed, array_plane(mask.samples), "rle", big=big)
    channels = layer.record.channel_info
    masked = has_channel(layer, ChannelID.USER_LAYER_MASK)
    index = layer.channels.index(_MASK) if masked else len(channels)
    old_length = channels[index].length if masked else 0
    entry = struct.pack(">hQ" if big else ">hI", _MASK, length)
    table_at = layer.at + 18
    count = Edit(layer.at + 16, 2, struct.pack(">H", len(channels) + (not masked)))
    row = Edit(table_at + len(entry) * index, len(entry) if masked else 0, entry)
    extra_at = table_at + len(entry) * len(channels) + 12
    extra = _mask_block(file, extra_at, mask)
    data = Edit(layer.channel_at(index), old_length, packed.getvalue())
    inner = [count, row, *extra, data]
    grown = sum(len(edit.new) - edit.old for edit in inner)
    inner.append(_unused_end(file, parts, grown))
    grown += len(inner[-1].new) - inner[-1].old
    lengths = [_longer(file, at, parts.length_size, grown) for at in (parts.section_at, parts.info_at)]
    return [*lengths, *inner]


def resource_edits(file: BinaryIO, parts: Anatomy, found: ImageResources) -> list[Edit]:
    """The edits that exchange resources which the file has; others are left out."""
    file.seek(parts.resources_at)
    length = int.from_bytes(file.read(4), "big")
    edits = []
    while file.tell() + 12 <= parts.resources_at + 4 + length:
        at = file.tell()
        key = int.from_bytes(file.read(6)[4:], "big")
        file.seek((file.read(1)[0] | 1), 1)
        size = int.from_bytes(file.read(4), "big")
        file.seek(size + size % 2, 1)
        if key in found:
            edits.append(Edit(at, file.tell() - at, found[key].tobytes()))
    grown = sum(len(edit.new) - edit.old for edit in edits)
    return [Edit(parts.resources_at, 4, (length + grown).to_bytes(4, "big")), *edits]


def copy_with_edits(source: BinaryIO, out: BinaryIO, edits: Sequence[Edit]) -> None:
    """Copy a file and exchange what the edits name; they are in order and do not overlap."""
    source.seek(0)
    for edit in edits:
        _copy(source, out, edit.at - source.tell())
        out.write(edit.new)
        source.seek(edit.old, 1)
    shutil.copyfileobj(source, out, 1 << 20)


def _copy(source: BinaryIO, out: BinaryIO, count: int) -> None:
    while count:
        block = source.read(min(count, 1 << 20))
        out.write(block)
        count -= len(block)


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


def _longer(file: BinaryIO, at: int, size: int, grown: int) -> Edit:
    file.seek(at)
    return Edit(at, size, (int.from_bytes(file.read(size), "big") + grown).to_bytes(size, "big"))


def _mask_block(file: BinaryIO, extra_at: int, mask: Mask) -> list[Edit]:
    """The record's length of extra data and, inside, the block that describes the mask."""
    file.seek(extra_at)
    extra_length, old = struct.unpack(">II", file.read(8))
    box = mask.box
    block = io.BytesIO()
    MaskData(
        top=box.top, left=box.left, bottom=box.bottom, right=box.right, background_color=mask.outside
    ).write(block)
    new = block.getvalue()
    grown = len(new) - (4 + old)
    return [Edit(extra_at, 4, struct.pack(">I", extra_length + grown)), Edit(extra_at + 4, 4 + old, new)]


def _check_same_canvas(composition: Composition, parts: Anatomy, source: Path) -> None:
    size = (parts.header.width, parts.header.height)
    if composition.size != size or composition.original is not composition.photo.pixels:
        raise SettingsError(
            f"{source}: in_place keeps the canvas of the file; take crop, margin, canvas and the like "
            "out of 'finish', or write a new PSD without in_place."
        )


def _mask(
    file: BinaryIO, parts: Anatomy, layer: LayerPart, alpha: Pixels, options: PsdOutput, *, source: Path
) -> Mask:
    """The matte as a mask, or what becomes of it together with the mask that is there."""
    old = layer.record.mask_data
    if not has_channel(layer, ChannelID.USER_LAYER_MASK) or old is None or options.existing_mask == "replace":
        return _cropped(alpha, 0)
    if options.existing_mask == "refuse":
        raise SettingsError(
            f"{source}: the layer '{layer.name}' has a mask already; set existing_mask to replace, "
            "intersect or add, or remove the mask in your editor."
        )
    if old.flags.parameters_applied or old.flags.invert_mask:
        raise SettingsError(
            f"{source}: the mask of '{layer.name}' has a density, a feather or is inverted; in your "
            "editor apply that to the mask, or set existing_mask to replace."
        )
    full = int(np.iinfo(alpha.dtype).max)
    outside = full if old.background_color else 0
    there = on_canvas(
        read_channel(file, parts, layer, _MASK), Box(old.left, old.top, old.right, old.bottom), alpha, outside
    )
    if options.existing_mask == "intersect":
        return _cropped(np.minimum(there, alpha), 0)
    return _cropped(np.maximum(there, alpha), outside)


def _cropped(alpha: Pixels, outside: int) -> Mask:
    """A mask without the margin that the value outside stands for; that value is 0 or 255 in a file."""
    box = covered_box(alpha != outside)
    return Mask(alpha[box.top : box.bottom, box.left : box.right], box, 255 if outside else 0)
