"""The matte alone: a gray PNG, white where the subject is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattebox.core.colour import in_depth
from mattebox.core.write.blocks import Blocks, writing
from mattebox.core.write.colour import Shown
from mattebox.core.write.png import write_png

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.composition import Composition
    from mattebox.core.settings import MaskOutput


def write(composition: Composition, options: MaskOutput, path: Path) -> None:
    """Write the matte as a gray PNG, of the photo's depth unless told otherwise. Raises WriteError."""
    matte = composition.alpha if options.bits == "auto" else in_depth(composition.alpha, options.bits)
    with writing(path) as file:
        write_png(
            file, Shown(matte[..., None], None, None), options.compression, Blocks(dpi=composition.photo.dpi)
        )
