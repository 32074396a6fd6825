"""A layer as the plug-in sends it: bytes in an agreed order, as a Photo and its planes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mattebox.core.photo import Photo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mattebox.core.photo import ColourMode
    from mattebox.gimp_plugin.mattebox.protocol import CutRequest


@dataclass(frozen=True, slots=True)
class Sent:
    """A request's bytes as arrays: mask and selection are (h, w) of the pixels' depth."""

    photo: Photo
    mask: NDArray[Any] | None
    selection: NDArray[Any] | None

    @classmethod
    def of(cls, request: CutRequest, blobs: Sequence[bytes | memoryview]) -> Sent:
        """The blobs in the order that CutRequest tells."""
        kind = np.uint8 if request.bits == 8 else np.uint16
        shape = (request.height, request.width)
        pixels: NDArray[Any] = np.frombuffer(blobs[0], kind).reshape(*shape, request.channels)
        rest = iter(blobs[1:])
        planes = (request.has_alpha, request.has_mask, request.has_selection)
        read: list[Any] = [
            np.frombuffer(next(rest), kind).reshape(shape) if sent else None for sent in planes
        ]
        alpha, mask, selection = read
        icc = bytes(next(rest)) if request.profile else None
        mode: ColourMode = "gray" if request.channels == 1 else "rgb"
        photo = Photo(pixels=pixels, mode=mode, alpha=alpha, icc=icc)
        return cls(photo=photo, mask=mask, selection=selection)
