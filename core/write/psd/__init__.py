"""Layered PSD and PSB: the untouched photo with a user mask, and what a designer expects around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from mattebox.core.errors import WriteError
from mattebox.core.write.blocks import blocks_of, writing
from mattebox.core.write.psd.depth import with_depth
from mattebox.core.write.psd.document import (
    PSB_SIDE,
    PSD_SIDE,
    Document,
    PsdTooLargeError,
    write_document,
)
from mattebox.core.write.psd.in_place import write_in_place
from mattebox.core.write.psd.layers import Layer, layers_of
from mattebox.core.write.psd.path import trace
from mattebox.core.write.psd.planes import Plane, array_plane, covered_box
from mattebox.core.write.psd.preview import merged_alpha, merged_planes
from mattebox.core.write.psd.resources import (
    as_section,
    channel_resources,
    path_resources,
    photo_resources,
    thumbnail_resources,
)

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.composition import Composition
    from mattebox.core.settings import PsdOutput

__all__ = ["write"]

_PSB_NOTE = (
    "The picture is larger than a PSD can be, so the file is a PSB: some programs want the ending .psb."
)


def write(composition: Composition, options: PsdOutput, path: Path) -> tuple[str, ...]:
    """Write one complete file and return notes for the report.

    A side above 30,000 pixels or a size above 2 GB makes it a PSB. Where `options.in_place` is set and
    the photo came from a PSD, the file is a copy of that with a mask on one layer.
    Raises WriteError where the file cannot be written or no PSB can hold the picture, SettingsError
    where the source PSD cannot take the mask.
    """
    size = composition.size
    photo = composition.photo
    if options.in_place and photo.format == "psd" and photo.source is not None:
        return write_in_place(composition, options, photo.source, path)
    if options.depth != "auto":
        composition = with_depth(composition, options.depth)
    if max(size) > PSB_SIDE:
        raise WriteError(f"{path}: a PSB holds at most {PSB_SIDE:,} pixels a side, this is {max(size):,}.")
    document = _document(composition, options)
    with writing(path) as file:
        is_psb = _write_smallest_variant(file, document)
    return (_PSB_NOTE,) if is_psb and not path.name.lower().endswith(".psb") else ()


def _write_smallest_variant(file: BinaryIO, document: Document) -> bool:
    """Write a PSD where it can hold the document, else a PSB; whether it is a PSB."""
    if max(document.size) <= PSD_SIDE:
        try:
            write_document(file, document, big=False)
        except PsdTooLargeError:
            file.seek(0)
            file.truncate()
        else:
            return False
    write_document(file, document, big=True)
    return True


def _document(composition: Composition, options: PsdOutput) -> Document:
    size, mode, dtype = composition.size, composition.mode, composition.alpha.dtype
    layers = layers_of(composition, options)
    merged = merged_planes(layers, mode, size, dtype)
    names, further = _further_channels(composition, options, layers)
    resources = {
        **photo_resources(blocks_of(composition, gps=options.gps)),
        **channel_resources(names),
        **thumbnail_resources(layers, mode, size, dtype),
    }
    if options.clipping_path:
        curves = trace(composition.alpha, covered_box(composition.alpha))
        resources |= path_resources(curves, size, options.names.path)
    return Document(
        size=size,
        mode=mode,
        dtype=dtype,
        layers=layers,
        merged=[*merged, *further],
        merged_is_transparent=_is_transparent(composition, options),
        resources=as_section(resources),
        compression=options.compression,
    )


def _is_transparent(composition: Composition, options: PsdOutput) -> bool:
    return composition.background is None and options.backdrop == "none"


def _further_channels(
    composition: Composition, options: PsdOutput, layers: list[Layer]
) -> tuple[list[str], list[Plane]]:
    """Names and planes behind the colours of the merged picture: its transparency, then the matte."""
    names: list[str] = []
    planes: list[Plane] = []
    if _is_transparent(composition, options):
        names.append("Transparency")
        planes.append(merged_alpha(layers, composition.size, composition.alpha.dtype))
    if options.mask != "layer":
        names.append(options.names.channel)
        planes.append(array_plane(composition.alpha))
    return names, planes
