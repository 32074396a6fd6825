"""Camera RAW through rawpy, which comes as an extra."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from mattebox.core.errors import MissingExtraError
from mattebox.core.extra import install_command
from mattebox.core.photo.limits import check_limits
from mattebox.core.photo.model import Header, OpenPhoto, Planes
from mattebox.core.photo.silence import silenced
from mattebox.core.photo.tiff import tiff_exif

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.core.settings import ReadLimits


def extra_module(path: Path) -> Any:
    """The optional package that reads camera RAW. Raises MissingExtraError."""
    try:
        return import_module("rawpy")
    except ImportError as error:
        raise MissingExtraError(
            f"{path}: reading camera RAW files needs an extra; install it with: {install_command('raw')}"
        ) from error


@contextmanager
def opened(file: BinaryIO, path: Path, limits: ReadLimits) -> Iterator[OpenPhoto]:
    """A camera RAW file, developed on decoding to 16-bit sRGB with the camera's white balance, upright.

    Raises MissingExtraError, LimitError, PhotoError.
    """
    rawpy = extra_module(path)
    block = tiff_exif(file)
    file.seek(0)
    with silenced():
        opened_raw = rawpy.imread(file)
    with opened_raw as raw:
        across, down = int(raw.sizes.width), int(raw.sizes.height)
        if raw.sizes.flip in {5, 6}:  # quarter turns, which libraw makes itself
            across, down = down, across
        check_limits(path, limits, across, down)
        header = Header(
            width=across,
            height=down,
            mode="rgb",
            bits=16,
            has_alpha=False,
            exif=block,
            notes=("The camera RAW file was developed with its own white balance to 16-bit sRGB.",),
        )
        yield OpenPhoto(header, lambda: _develop(raw))


def _develop(raw: Any) -> Planes:
    with silenced():
        pixels = raw.postprocess(use_camera_wb=True, output_bps=16)
    return Planes(np.ascontiguousarray(pixels), None, "rgb")
