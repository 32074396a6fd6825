"""Image resources: profile, resolution, EXIF, XMP, thumbnail, names of channels and paths.

Source: Adobe Photoshop File Formats Specification, "Image Resources Section".
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from PIL import Image
from psd_tools.constants import Resource
from psd_tools.psd.image_resources import (
    AlphaIdentifiers,
    AlphaNamesPascal,
    AlphaNamesUnicode,
    ImageResource,
    ImageResources,
    ResoulutionInfo,
    ThumbnailResource,
    VersionInfo,
)

from mattebox.core.write.psd.path import Curve, path_data
from mattebox.core.write.psd.preview import merged_planes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from psd_tools.psd.base import ListElement

    from mattebox.core.photo import ColourMode
    from mattebox.core.write.blocks import Blocks
    from mattebox.core.write.psd.layers import Layer

_THUMBNAIL_SIDE: Final = 160
PATH: Final = 2000
_WRITER: Final = "Mattebox"
_PER_INCH: Final = 1
_INCHES: Final = 1
_NONZERO_WINDING: Final = 1


def photo_resources(blocks: Blocks) -> dict[int, Any]:
    """What a photo brings along: ICC, EXIF, XMP and resolution (72 where it says nothing)."""
    across, down = blocks.dpi or (72.0, 72.0)
    found = {
        Resource.RESOLUTION_INFO: ResoulutionInfo(
            _fixed(across), _PER_INCH, _INCHES, _fixed(down), _PER_INCH, _INCHES
        ),
        Resource.VERSION_INFO: VersionInfo(has_composite=True, writer=_WRITER, reader=_WRITER),
        Resource.ICC_PROFILE: blocks.icc,
        Resource.EXIF_DATA_1: blocks.exif,
        Resource.XMP_METADATA: blocks.xmp,
    }
    return {key.value: data for key, data in found.items() if data}


def channel_resources(names: Sequence[str]) -> dict[int, Any]:
    """The names of the channels after the colours, in their order in the merged picture."""
    if not names:
        return {}
    return {
        Resource.ALPHA_NAMES_PASCAL.value: _filled(AlphaNamesPascal(), map(pascal, names)),
        Resource.ALPHA_NAMES_UNICODE.value: _filled(AlphaNamesUnicode(), names),
        Resource.ALPHA_IDENTIFIERS.value: _filled(AlphaIdentifiers(), range(len(names))),
    }


def thumbnail_resources(
    layers: Sequence[Layer], mode: ColourMode, size: tuple[int, int], dtype: np.dtype[Any]
) -> dict[int, Any]:
    """A JPEG of at most 160 pixels a side, in RGB."""
    # Four samples or more stand behind each pixel of the thumbnail, and no full picture is made for it.
    step = max(1, max(size) // (4 * _THUMBNAIL_SIDE))
    planes = merged_planes(layers, mode, size, dtype, step=step)
    samples = np.stack([plane.rows(slice(0, plane.height)) for plane in planes], axis=2)
    shown = _rgb(samples if dtype.itemsize == 1 else (samples // 257).astype(np.uint8), mode)
    scale = min(1.0, _THUMBNAIL_SIDE / max(size))
    small = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    picture = np.asarray(cv2.resize(shown, small, interpolation=cv2.INTER_AREA), np.uint8)
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=90)
    row = (small[0] * 24 + 31) // 32 * 4
    resource = ThumbnailResource(1, *small, row, row * small[1], 24, 1, data.getvalue())
    return {Resource.THUMBNAIL_RESOURCE.value: resource}


def path_resources(curves: list[Curve], size: tuple[int, int], name: str) -> dict[int, Any]:
    """A saved path of that name, which is the document's clipping path."""
    if not curves:
        return {}
    # A path's name is Mac Roman; readers find the clipping path by it.
    name = pascal(name)
    return {
        PATH: ImageResource(key=PATH, name=name, data=path_data(curves, size)),
        Resource.CLIPPING_PATH_NAME.value: _clipping_path(name),
    }


def _clipping_path(name: str) -> bytes:
    """Resource 2999: the name, not padded, a 16.16 flatness in pixels (0: the device's own), a fill rule.

    The specification names the string alone; the six bytes are what Photoshop writes behind it.
    """
    stored = name.encode("macroman")
    return struct.pack(">B", len(stored)) + stored + struct.pack(">IH", 0, _NONZERO_WINDING)


def as_section(found: dict[int, Any]) -> ImageResources:
    """The section of a file that holds these resources, in the order of their numbers."""
    section = ImageResources()
    for key, data in sorted(found.items()):
        section[key] = data if isinstance(data, ImageResource) else ImageResource(key=key, data=data)
    return section


def pascal(name: str) -> str:
    """A name as old readers see it: 31 Mac Roman characters; the full name stands beside it in Unicode."""
    return name.encode("macroman", "replace").decode("macroman")[:31]


def _filled(element: ListElement, items: Iterable[Any]) -> ListElement:
    for item in items:
        element.append(item)
    return element


def _fixed(dpi: float) -> int:
    return min(round(dpi * 65536), 0xFFFFFFFF)


def _rgb(samples: NDArray[np.uint8], mode: ColourMode) -> NDArray[np.uint8]:
    if mode == "gray":
        return np.repeat(samples, 3, axis=2)
    if mode == "cmyk":
        light = samples.astype(np.uint16)
        return ((light[..., :3] * light[..., 3:] + 127) // 255).astype(np.uint8)
    return samples
