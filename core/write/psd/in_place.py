"""A mask added to one layer of an existing PSD: a copy of the file, equal in every other byte.

The file is not written anew: its bytes are copied, and only the layer's record, the mask's channel
and the lengths around them are exchanged. So whatever else a file holds, known or unknown, stays.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from mattebox.core.errors import SettingsError, WriteError
from mattebox.core.photo.psd_sections import sections_of
from mattebox.core.write.blocks import writing
from mattebox.core.write.psd.anatomy import (
    Anatomy,
    anatomy_of,
    read_merged,
)
from mattebox.core.write.psd.codec import write_merged
from mattebox.core.write.psd.document import PSD_BYTES
from mattebox.core.write.psd.edits import Edit, copy_with_edits, resource_edits
from mattebox.core.write.psd.first_layer import first_layer_edits
from mattebox.core.write.psd.mask_rules import cropped, mask_of
from mattebox.core.write.psd.masked_layer import mask_edits
from mattebox.core.write.psd.planes import on_canvas
from mattebox.core.write.psd.resources import as_section, thumbnail_resources
from mattebox.core.write.psd.selection import (
    check_background,
    check_flat,
    is_background,
    select_layer,
    visible_layers,
)
from mattebox.core.write.psd.stored_preview import Preview, fresh_flat, fresh_layers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mattebox.core.composition import Composition
    from mattebox.core.photo import Pixels
    from mattebox.core.settings import PsdOutput


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """What is to be done to a file: its edits, what it shows then (None: not certain), and notes."""

    edits: Sequence[Edit]
    preview: Preview | None
    notes: tuple[str, ...]


def write_in_place(composition: Composition, options: PsdOutput, source: Path, path: Path) -> tuple[str, ...]:
    """Write a copy of `source` to `path` whose chosen layer has the matte as its mask; returns notes.

    A background becomes a layer for that, and a flat file gets its first one.
    Raises SettingsError where the settings or the file do not allow that, WriteError, PhotoError.
    """
    with source.open("rb") as file:
        parts = anatomy_of(file, source)
        _check_same_canvas(composition, parts)
        if parts.layers:
            work = _on_a_layer(file, parts, composition.alpha, options)
        else:
            work = _on_a_flat_file(file, parts, composition.alpha, options)
        edits = [*_merged_edits(file, parts, work.preview), *work.edits]
        end = file.seek(0, io.SEEK_END)
        if work.preview is not None:
            edits.append(Edit(parts.merged_at, end - parts.merged_at))
        with writing(path) as out:
            copy_with_edits(file, out, edits)
            if work.preview is not None:
                planes = work.preview.planes(parts)
                write_merged(out, planes, big=parts.header.version == 2)
            if parts.header.version == 1 and out.tell() > PSD_BYTES:
                raise WriteError(
                    f"{source}: with the mask it is larger than a PSD can be; "
                    "in your editor save it as a PSB (Large Document Format)."
                )
    return work.notes


def _on_a_layer(file: BinaryIO, parts: Anatomy, alpha: Pixels, options: PsdOutput) -> _Work:
    choice = select_layer(file, parts, options.layer)
    layer = choice.layer
    if is_background(layer):
        check_background(parts, layer, options.background)
    mask = mask_of(file, parts, layer, alpha, options.existing_mask)
    full = int(np.iinfo(parts.dtype).max)
    whole = on_canvas(mask.samples, mask.box, alpha, mask.outside * (full // 255))
    preview = fresh_layers(file, parts, layer, whole)
    clear = preview is not None and preview.clear and not parts.is_transparent
    notes = [choice.note] if choice.note else []
    if preview is None and layer in visible_layers(parts) and _has_merged(file):
        notes.append(_stale(parts, f", without the mask on '{layer.name}'"))
    return _Work(mask_edits(file, parts, layer, mask, clear=clear), preview, tuple(notes))


def _on_a_flat_file(file: BinaryIO, parts: Anatomy, alpha: Pixels, options: PsdOutput) -> _Work:
    check_flat(parts, options.background, options.layer)
    merged = read_merged(file, parts)[: parts.colours]
    mask = cropped(alpha, 0)
    preview = fresh_flat(parts, merged, alpha)
    clear = preview is not None and preview.clear
    notes = () if preview is not None else (_stale(parts, ", without the mask"),)
    return _Work(first_layer_edits(file, parts, merged, mask, clear=clear), preview, notes)


def _has_merged(file: BinaryIO) -> bool:
    """Whether there is a merged picture that viewers would show."""
    file.seek(0)
    return sections_of(file).says_merged is not False


def _stale(parts: Anatomy, without: str) -> str:
    return (
        f"The stored preview of {parts.path.name} is the old one{without}: "
        "viewers that know no layers show that until an editor saves the file."
    )


def _merged_edits(file: BinaryIO, parts: Anatomy, preview: Preview | None) -> list[Edit]:
    """What a new merged picture changes ahead of the layers: the count of channels and the thumbnail."""
    if preview is None:
        return []
    size = (parts.header.width, parts.header.height)
    thumbnail = as_section(thumbnail_resources(preview.layers, preview.mode, size, parts.dtype))
    channels = parts.colours + preview.clear
    header = [Edit(12, 2, channels.to_bytes(2, "big"))] if channels != parts.header.channels else []
    return [*header, *resource_edits(file, parts, thumbnail)]


def _check_same_canvas(composition: Composition, parts: Anatomy) -> None:
    size = (parts.header.width, parts.header.height)
    if composition.size != size or composition.original is not composition.photo.pixels:
        raise SettingsError(
            f"{parts.path}: in_place keeps the canvas of the file; take crop, margin, canvas and the like "
            "out of 'finish', or write a new PSD without in_place."
        )
