"""The file itself, written front to back; lengths that are known late are written back.

Only what psd-tools documents as its low-level structures is used: none of its private attributes.
Source: Adobe Photoshop File Formats Specification.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from psd_tools.constants import ColorMode
from psd_tools.psd.color_mode_data import ColorModeData
from psd_tools.psd.header import FileHeader

from mattebox.core.write.psd.codec import CompressionName, write_channel, write_merged
from mattebox.core.write.psd.records import layer_record, stored_planes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from psd_tools.psd.image_resources import ImageResources

    from mattebox.core.photo import ColourMode
    from mattebox.core.write.psd.layers import Layer
    from mattebox.core.write.psd.planes import Plane

# What Photoshop opens as a PSD; anything larger is the same format in its large variant, PSB.
PSD_SIDE: Final = 30_000
PSB_SIDE: Final = 300_000
PSD_BYTES: Final = 2**31 - 1
_MODES: Final = {"gray": ColorMode.GRAYSCALE, "rgb": ColorMode.RGB, "cmyk": ColorMode.CMYK}


class PsdTooLargeError(Exception):
    """The file grows beyond what a PSD may hold; a PSB can hold it."""


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """All that a file holds; layers from the bottom up, merged: colours, then further channels."""

    size: tuple[int, int]
    mode: ColourMode
    dtype: np.dtype[Any]
    layers: Sequence[Layer]
    merged: Sequence[Plane]
    merged_is_transparent: bool
    resources: ImageResources
    compression: CompressionName = "rle"


def write_document(file: BinaryIO, document: Document, *, big: bool, limit: int = PSD_BYTES) -> None:
    """Write a PSD, or a PSB where `big`. Raises PsdTooLargeError as soon as a PSD passes `limit` bytes."""
    width, height = document.size
    bits = 8 * document.dtype.itemsize
    version = 2 if big else 1
    FileHeader(
        version=version,
        channels=len(document.merged),
        height=height,
        width=width,
        depth=bits,
        color_mode=_MODES[document.mode],
    ).write(file)
    ColorModeData().write(file)
    document.resources.write(file)
    writer = _Writer(file, document, version, None if big else limit)
    with _length(file, version):
        if bits == 8:
            with _length(file, version):
                writer.layers()
            file.write(bytes(4))
        else:
            # 16-bit layers stand in a block of their own, behind an empty place for 8-bit ones.
            file.write(bytes(8 if big else 4) + bytes(4))
            if document.merged_is_transparent:
                file.write(b"8BIMMt16" + bytes(8 if big else 4))
            file.write(b"8BIMLr16")
            with _length(file, version):
                writer.layers()
    write_merged(file, document.merged, big=big)
    writer.check()


@dataclass(slots=True, eq=False)
class _Writer:
    """One pass over the layers of a document."""

    file: BinaryIO
    document: Document
    version: int
    limit: int | None

    def check(self) -> None:
        """End a PSD that has grown too large."""
        if self.limit is not None and self.file.tell() > self.limit:
            raise PsdTooLargeError

    def layers(self) -> None:
        """The count, the records and the channels; padded to four bytes."""
        file, document = self.file, self.document
        start = file.tell()
        count = len(document.layers)
        file.write((-count if document.merged_is_transparent else count).to_bytes(2, "big", signed=True))
        records_at = file.tell()
        records = [
            layer_record(layer, document.mode, identity) for identity, layer in enumerate(document.layers, 1)
        ]
        for record in records:
            record.write(file, version=self.version)
        for layer, record in zip(document.layers, records, strict=True):
            planes = stored_planes(layer, document.mode, document.dtype)
            for info, plane in zip(record.channel_info, planes, strict=True):
                info.length = self._channel(plane)
                self.check()
        file.write(bytes((start - file.tell()) % 4))
        end = file.tell()
        file.seek(records_at)
        for record in records:
            record.write(file, version=self.version)
        file.seek(end)

    def _channel(self, plane: Plane | None) -> int:
        if plane is None:
            return self.file.write(bytes(2))
        return write_channel(self.file, plane, self.document.compression, big=self.version == 2)


@contextmanager
def _length(file: BinaryIO, version: int) -> Iterator[None]:
    """A length field in front of what is written inside."""
    size = 8 if version == 2 else 4
    place = file.tell()
    file.write(bytes(size))
    yield
    end = file.tell()
    file.seek(place)
    file.write((end - place - size).to_bytes(size, "big"))
    file.seek(end)
