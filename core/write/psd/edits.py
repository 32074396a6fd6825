"""Edits of a file: which bytes of it become which others, and a copy of it with them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from mattebox.core.errors import TruncatedPhotoError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psd_tools.psd.image_resources import ImageResources

    from mattebox.core.write.psd.anatomy import Anatomy


@dataclass(frozen=True, slots=True)
class Edit:
    """`old` bytes at `at` of the source become `new`."""

    at: int
    old: int
    new: bytes = b""

    @property
    def grown(self) -> int:
        """How many bytes longer the file gets."""
        return len(self.new) - self.old


def growth(edits: Sequence[Edit]) -> int:
    """How many bytes longer all of them make the file."""
    return sum(edit.grown for edit in edits)


def longer(file: BinaryIO, at: int, size: int, grown: int) -> Edit:
    """A length field of `size` bytes at `at`, raised by `grown`."""
    file.seek(at)
    return Edit(at, size, (int.from_bytes(file.read(size), "big") + grown).to_bytes(size, "big"))


def copy_with_edits(source: BinaryIO, out: BinaryIO, edits: Sequence[Edit]) -> None:
    """Copy a file and exchange what the edits name; they are in order and do not overlap."""
    source.seek(0)
    for edit in edits:
        _copy(source, out, edit.at - source.tell())
        out.write(edit.new)
        source.seek(edit.old, 1)
    shutil.copyfileobj(source, out, 1 << 20)


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
    return [Edit(parts.resources_at, 4, (length + growth(edits)).to_bytes(4, "big")), *edits]


def _copy(source: BinaryIO, out: BinaryIO, count: int) -> None:
    while count:
        block = source.read(min(count, 1 << 20))
        if not block:
            raise TruncatedPhotoError("The PSD is shorter than its own lengths say; copy or save it again.")
        out.write(block)
        count -= len(block)
