"""The matte alone: a gray PNG, white where the subject is."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from mattebox.core.photo.colour import in_depth
from mattebox.core.photo.xmp_label import new_packet
from mattebox.core.write.blocks import Blocks, writing
from mattebox.core.write.colour import Sheet
from mattebox.core.write.png import write_png

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.composition import Composition
    from mattebox.core.photo import Pixels
    from mattebox.core.settings import MaskOutput


def mask_png(file: BinaryIO, alpha: Pixels) -> None:
    """Write a matte (h, w), uint8 or uint16, as a gray PNG of its own depth."""
    size = int(alpha.shape[1]), int(alpha.shape[0])
    sheet = Sheet(size, 1, 8 * alpha.itemsize, None, lambda rows: alpha[rows][..., None])
    write_png(file, sheet, "fast", Blocks())


def write(composition: Composition, options: MaskOutput, path: Path) -> None:
    """Write the matte as a gray PNG, of the photo's depth unless told otherwise. Raises WriteError."""
    alpha, photo = composition.alpha, composition.photo
    bits = photo.bits if options.bits == "auto" else options.bits
    xmp = None if composition.label is None else new_packet(composition.label)
    sheet = Sheet(composition.size, 1, bits, None, lambda rows: in_depth(alpha[rows], bits)[..., None])
    with writing(path) as file:
        write_png(file, sheet, options.compression, Blocks(xmp=xmp, dpi=photo.dpi))
