"""One layer of a PSD as a photo of the document's size, for the network to look at."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np
from psd_tools.constants import ChannelID

from mattebox.core.photo import Planes, ReadLimits, read_photo
from mattebox.core.photo.psd_modes import pixels_of
from mattebox.core.write.psd.anatomy import anatomy_of, has_channel, read_channel
from mattebox.core.write.psd.planes import on_canvas
from mattebox.core.write.psd.selection import select_layer

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.photo import OpenPhoto, Photo, Pixels

_DEFAULT = ReadLimits()


def layer_photo(path: Path, wanted: str | None, limits: ReadLimits = _DEFAULT) -> Photo:
    """The photo of a PSD with the pixels and the transparency of the layer to be masked.

    The mask belongs to that layer, so the network sees what it holds and not what lies above it; a mask
    that it has does not hide anything here. Beyond the layer lies transparent paper. A flat file is its
    own layer; no other file needs a merged image.
    Raises SettingsError, PhotoError.
    """
    return read_photo(path, limits, decode=partial(_layer_planes, path, wanted))


def _layer_planes(path: Path, wanted: str | None, photo: OpenPhoto) -> Planes:
    with path.open("rb") as file:
        parts = anatomy_of(file, path)
        if not parts.layers:
            return photo.decode()
        layer = select_layer(file, parts, wanted).layer
        full = int(np.iinfo(parts.dtype).max)
        canvas: Pixels = np.empty((parts.header.height, parts.header.width), parts.dtype)
        planes = [
            on_canvas(read_channel(file, parts, layer, channel), layer.box, canvas, full)
            for channel in range(parts.colours)
        ]
        pixels = pixels_of(planes, int(parts.header.color_mode), b"")
        if has_channel(layer, ChannelID.TRANSPARENCY_MASK):
            shape = read_channel(file, parts, layer, ChannelID.TRANSPARENCY_MASK)
        else:
            shape = np.full((layer.box.height, layer.box.width), full, parts.dtype)
        alpha = on_canvas(shape, layer.box, canvas, 0)
    return Planes(pixels, None if alpha.all() else alpha, photo.header.mode)


def shows_the_same(picture: Photo, layer: Photo) -> bool:
    """Whether a layer is all of the picture, so that one matte serves both."""
    return (
        picture.mode == layer.mode
        and np.array_equal(picture.pixels, layer.pixels)
        and (picture.alpha is None) == (layer.alpha is None)
        and (picture.alpha is None or np.array_equal(picture.alpha, cast("Pixels", layer.alpha)))
    )
