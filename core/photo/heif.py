"""HEIC and HEIF through pi-heif, the edition of pillow-heif that decodes alone and has no GPL in it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from mattebox.core.photo import bmff
from mattebox.core.photo import exif as exif_block
from mattebox.core.photo.beside import beside
from mattebox.core.photo.cicp import Told, from_code_points
from mattebox.core.photo.deep import full_range, split_alpha
from mattebox.core.photo.limits import check_limits
from mattebox.core.photo.model import ColourMode, Header, OpenPhoto, Planes
from mattebox.core.photo.pillow import frame_note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.core.settings import ReadLimits


@contextmanager
def opened(file: BinaryIO, path: Path, limits: ReadLimits) -> Iterator[OpenPhoto]:
    """The primary picture of a HEIC or HEIF file, 16 bits where it has more than 8.

    libheif turns and crops by the file's own boxes, so its orientation is already applied.
    Raises LimitError, PhotoError.
    """
    import pi_heif  # noqa: PLC0415 - a library of its own, only for these files

    told = bmff.facts(file)
    size = file.seek(0, 2)
    file.seek(0)
    if told.size is not None:
        check_limits(path, limits, *told.size, size=size)
    heif = pi_heif.open_heif(bmff.with_plain_names(file), convert_hdr_to_8bit=False)
    primary = heif[heif.primary_index]
    width, height = primary.size
    check_limits(path, limits, width, height, len(heif), size=size)
    icc = primary.info.get("icc_profile") or None
    mode: ColourMode = "gray" if primary.mode.startswith("L") else "rgb"
    colour = from_code_points(told.points, mode) if told.points and not icc else Told(icc)
    xmp = primary.info.get("xmp") or None
    name, _, depth = primary.mode.partition(";")
    header = Header(
        width=width,
        height=height,
        mode=mode,
        bits=16 if depth else 8,
        has_alpha=name.lower().endswith("a"),
        icc=colour.icc,
        exif=exif_block.bare(primary.info.get("exif")),
        xmp=xmp,
        frames=len(heif),
        notes=frame_note(len(heif)) + colour.notes + beside(xmp, gain_map=told.gain_map, video=told.video),
    )
    bits = int(primary.info.get("bit_depth") or 16) if depth else 16

    def decode() -> Planes:
        return split_alpha(full_range(np.array(primary), bits, shifted=True))

    yield OpenPhoto(header, decode)
