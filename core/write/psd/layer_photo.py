"""One layer of a PSD as a photo of the document's size, for the network to look at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from psd_tools.constants import ChannelID

from mattebox.core.write.psd.anatomy import anatomy_of, has_channel, read_channel
from mattebox.core.write.psd.planes import on_canvas
from mattebox.core.write.psd.selection import select_layer

if TYPE_CHECKING:
    from mattebox.core.photo import Photo, Pixels


def layer_photo(photo: Photo, wanted: str | None) -> Photo:
    """`photo`, a PSD's merged image, with the pixels and the transparency of the layer to be masked.

    The mask belongs to that layer, so the network sees what it holds and not what lies above it; a mask
    that it has does not hide anything here. Beyond the layer lies transparent paper.
    Raises SettingsError, PhotoError.
    """
    if photo.source is None:
        return photo
    with photo.source.open("rb") as file:
        parts = anatomy_of(file, photo.source)
        layer = select_layer(parts, wanted, str(photo.source))
        full = int(np.iinfo(parts.dtype).max)
        canvas: Pixels = np.empty((parts.header.height, parts.header.width), parts.dtype)
        pixels: Pixels = np.empty((*canvas.shape, photo.pixels.shape[2]), parts.dtype)
        for channel in range(pixels.shape[2]):
            samples = read_channel(file, parts, layer, channel)
            plane = on_canvas(samples, layer.box, canvas, full)
            pixels[..., channel] = full - plane if parts.mode == "cmyk" else plane
        if has_channel(layer, ChannelID.TRANSPARENCY_MASK):
            shape = read_channel(file, parts, layer, ChannelID.TRANSPARENCY_MASK)
        else:
            shape = np.full((layer.box.height, layer.box.width), full, parts.dtype)
        alpha = on_canvas(shape, layer.box, canvas, 0)
    return replace(photo, pixels=pixels, mode=parts.mode, alpha=None if alpha.all() else alpha)
