"""Where each part of an existing PSD or PSB lies, in bytes; nothing is decoded that is not asked for.

Source: Adobe Photoshop File Formats Specification. Records are parsed by psd-tools' documented
low-level structures.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from psd_tools.constants import ChannelID, ColorMode, SectionDivider, Tag
from psd_tools.psd.header import FileHeader
from psd_tools.psd.layer_and_mask import LayerRecord

from mattebox.core.errors import PhotoError, SettingsError
from mattebox.core.photo.psd_sections import find_layers
from mattebox.core.photo.psd_unpack import unpack
from mattebox.core.write.psd.planes import Box

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.photo import ColourMode, Pixels

MODES: Final[dict[ColorMode, ColourMode]] = {
    ColorMode.GRAYSCALE: "gray",
    ColorMode.RGB: "rgb",
    ColorMode.CMYK: "cmyk",
}
# Modes that can have layers, with their numbers of colour channels.
_COLOURS: Final = {
    ColorMode.GRAYSCALE: 1,
    ColorMode.RGB: 3,
    ColorMode.CMYK: 4,
    ColorMode.DUOTONE: 1,
    ColorMode.LAB: 3,
}


@dataclass(frozen=True, slots=True, eq=False)
class LayerPart:
    """One layer: its record's bytes from `at` to `end`, its channels' data from `data_at` on."""

    record: LayerRecord
    at: int
    end: int
    data_at: int
    is_lowest: bool

    @property
    def name(self) -> str:
        """The name in the layers palette."""
        return str(self.record.tagged_blocks.get_data(Tag.UNICODE_LAYER_NAME, self.record.name)).rstrip("\0")

    @property
    def divider(self) -> SectionDivider:
        """What part of a group this is; OTHER for a layer."""
        for tag in (Tag.SECTION_DIVIDER_SETTING, Tag.NESTED_SECTION_DIVIDER_SETTING):
            setting = self.record.tagged_blocks.get_data(tag)
            if setting is not None:
                return SectionDivider(setting.kind)
        return SectionDivider.OTHER

    @property
    def box(self) -> Box:
        """The rectangle of its pixels; it may reach beyond the canvas."""
        record = self.record
        return Box(record.left, record.top, record.right, record.bottom)

    @property
    def channels(self) -> list[int]:
        """The numbers of its channels in their order."""
        return [int(info.id) for info in self.record.channel_info]

    def channel_at(self, index: int) -> int:
        """Where the data of a channel begins in the file."""
        return self.data_at + sum(info.length for info in self.record.channel_info[:index])


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """The parts of one file; offsets in bytes from its beginning.

    section_at: the length field of the layer and mask section. info_at: that of the layers inside,
    whose content begins behind it and is `info_length` bytes long. layers: from the bottom up.
    is_transparent: the merged picture's first further channel is its transparency.
    """

    path: Path
    header: FileHeader
    resources_at: int
    section_at: int
    info_at: int
    info_length: int
    merged_at: int
    layers: tuple[LayerPart, ...]
    is_transparent: bool = False

    @property
    def used_end(self) -> int:
        """Where the last layer's data ends; what follows inside the layers' length is unused."""
        last = self.layers[-1]
        return last.channel_at(len(last.channels))

    @property
    def length_size(self) -> int:
        """Bytes of a length field: 4, or 8 in a PSB."""
        return 4 * self.header.version

    @property
    def mode(self) -> ColourMode | None:
        """The colour mode; None for one that we do not compose."""
        return MODES.get(self.header.color_mode)

    @property
    def colours(self) -> int:
        """How many channels are colours."""
        return _COLOURS[self.header.color_mode]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a sample."""
        return np.dtype(np.uint16 if self.header.depth == 16 else np.uint8)


def anatomy_of(file: BinaryIO, path: Path) -> Anatomy:
    """The parts of an open PSD or PSB.

    Raises PhotoError where it is damaged, SettingsError where its mode knows no layers.
    """
    try:
        return _parts(file, path)
    except (ValueError, OSError, EOFError, struct.error, IndexError, KeyError) as error:
        raise PhotoError(
            f"{path}: the layers of this PSD cannot be read; open it in your editor and save it again."
        ) from error


def _parts(file: BinaryIO, path: Path) -> Anatomy:
    header = FileHeader.read(file)
    if header.color_mode not in _COLOURS or header.depth not in {8, 16}:
        raise SettingsError(
            f"{path}: a PSD of this mode or depth has no layers that can be masked in place; "
            "in your editor make it RGB, or leave out in_place."
        )
    file.seek(_number(file, 4), 1)
    resources_at = file.tell()
    file.seek(_number(file, 4), 1)
    section_at = file.tell()
    size = 4 * header.version
    merged_at = section_at + size + _number(file, size)
    info_at = find_layers(file, header.version, merged_at)
    info_length = 0
    layers: tuple[LayerPart, ...] = ()
    is_transparent = False
    if info_at:
        file.seek(info_at)
        info_length = _number(file, size)
        count = int.from_bytes(file.read(2), "big", signed=True)
        is_transparent = count < 0
        layers = _layers(file, header.version, abs(count))
    return Anatomy(
        path, header, resources_at, section_at, info_at, info_length, merged_at, layers, is_transparent
    )


def _layers(file: BinaryIO, version: int, count: int) -> tuple[LayerPart, ...]:
    spans = []
    for _ in range(count):
        at = file.tell()
        record = LayerRecord.read(file, version=version)
        spans.append((record, at, file.tell()))
    data_at = file.tell()
    layers = []
    for index, (record, at, end) in enumerate(spans):
        layers.append(LayerPart(record, at, end, data_at, index == 0))
        data_at += sum(info.length for info in record.channel_info)
    return tuple(layers)


def read_channel(file: BinaryIO, parts: Anatomy, layer: LayerPart, identifier: int) -> Pixels:
    """The samples (h, w) of one channel of a layer as the file stores them. Raises PhotoError."""
    try:
        return _samples(file, parts, layer, identifier)
    except (ValueError, EOFError) as error:
        raise PhotoError(
            f"{parts.path}: the layer '{layer.name}' is damaged; "
            "open the file in your editor and save it again."
        ) from error


def _samples(file: BinaryIO, parts: Anatomy, layer: LayerPart, identifier: int) -> Pixels:
    index = layer.channels.index(identifier)
    width, height = layer.record.channel_sizes[index]
    if not width or not height:
        return np.zeros((height, width), parts.dtype)
    file.seek(layer.channel_at(index))
    packed = file.read(layer.record.channel_info[index].length)
    header = parts.header
    compression = int.from_bytes(packed[:2], "big")
    stored = unpack(packed[2:], compression, (width, height), header.depth, header.version)
    return stored.astype(parts.dtype)


def read_merged(file: BinaryIO, parts: Anatomy) -> list[Pixels]:
    """The planes (h, w) of the merged picture as the file stores them. Raises PhotoError."""
    header = parts.header
    file.seek(parts.merged_at)
    compression = int.from_bytes(file.read(2), "big")
    try:
        stored = unpack(
            file.read(),
            compression,
            (header.width, header.height * header.channels),
            header.depth,
            header.version,
        )
    except (ValueError, EOFError) as error:
        raise PhotoError(
            f"{parts.path}: the merged picture is damaged; open the file in your editor and save it again."
        ) from error
    planes = stored.reshape(header.channels, header.height, header.width).astype(parts.dtype)
    return list(planes)


def has_channel(layer: LayerPart, identifier: ChannelID) -> bool:
    """Whether a layer has that channel."""
    return int(identifier) in layer.channels


def _number(file: BinaryIO, size: int) -> int:
    data = file.read(size)
    if len(data) < size:
        raise ValueError("the file ends too early")
    return int.from_bytes(data, "big")
