"""The merged image of a PSD or PSB through psd-tools, as raw channels."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import numpy as np

from mattebox.core.errors import PhotoError, TruncatedPhotoError
from mattebox.core.photo import exif as exif_block
from mattebox.core.photo.limits import check_limits
from mattebox.core.photo.model import ColourMode, Header, OpenPhoto, Pixels, Planes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from psd_tools import PSDImage
    from psd_tools.psd.header import FileHeader
    from psd_tools.psd.image_data import ImageData

    from mattebox.core.settings import ReadLimits

_ICC: Final = 1039
_RESOLUTION: Final = 1005
_EXIF: Final = 1058
_XMP: Final = 1060
_MODES: Final[dict[int, tuple[ColourMode, int]]] = {1: ("gray", 1), 3: ("rgb", 3), 4: ("cmyk", 4)}


@contextmanager
def opened(file: BinaryIO, path: Path, limits: ReadLimits) -> Iterator[OpenPhoto]:
    """A PSD or PSB, checked against `limits`, its merged image not yet unpacked.

    Adobe Photoshop File Formats Specification, "File Header Section".
    Raises PhotoError, LimitError, TruncatedPhotoError.
    """
    from psd_tools import PSDImage  # noqa: PLC0415 - a package of its own, only for PSDs

    channels, height, width, depth, colour_mode = struct.unpack(">12xHIIHH", file.read(26))
    check_limits(path, limits, width, height)
    known = _MODES.get(colour_mode)
    if known is None or depth not in {8, 16} or channels < known[1]:
        raise PhotoError(
            f"{path}: a PSD of this mode or depth is not read; "
            f"save it with 8 or 16 bits as gray, RGB or CMYK."
        )
    mode, colours = known
    file.seek(0)
    psd = PSDImage.open(file)
    if not psd.has_preview():
        raise PhotoError(f"{path}: the PSD has no merged image; save it with maximum compatibility.")
    clear = _has_transparency(psd) and channels > colours
    header = Header(
        width=width,
        height=height,
        mode=mode,
        bits=depth,
        has_alpha=clear,
        icc=_resource(psd, _ICC),
        exif=exif_block.bare(_resource(psd, _EXIF)),
        xmp=_resource(psd, _XMP),
        dpi=_dpi(psd),
    )
    yield OpenPhoto(header, lambda: _decode(psd, header, colours, path))


def _decode(psd: PSDImage, header: Header, colours: int, path: Path) -> Planes:
    record = psd._record  # noqa: SLF001 - the only way to the raw channels
    if not _whole(record.image_data, record.header):
        raise TruncatedPhotoError(
            f"{path}: the PSD file ends before its merged image does; it is damaged or still being copied."
        )
    planes = cast("list[bytes]", record.image_data.get_data(record.header))
    kind = np.dtype(">u2") if header.bits == 16 else np.dtype(np.uint8)
    stored: list[NDArray[Any]] = [
        np.frombuffer(plane, kind).reshape(header.height, header.width) for plane in planes
    ]
    pixels: Pixels = np.empty((header.height, header.width, colours), kind.newbyteorder("="))
    for index in range(colours):
        pixels[..., index] = stored[index]
    if header.mode == "cmyk":
        np.subtract(np.iinfo(pixels.dtype).max, pixels, out=pixels)  # a PSD stores 0 as full ink
    if not header.has_alpha:
        return Planes(pixels, None, header.mode)
    alpha: NDArray[Any] = np.ascontiguousarray(stored[colours], pixels.dtype)
    _off_white(pixels, alpha, header.mode)
    return Planes(pixels, alpha, header.mode)


def _whole(image: ImageData, header: FileHeader) -> bool:
    """Whether the merged image has all its bytes; psd-tools fills what is missing with zeros.

    "Image Data Section": raw planes, or PackBits rows behind a table of their lengths.
    """
    rows = header.height * header.channels
    if image.compression == 0:
        return len(image.data) >= rows * header.width * header.depth // 8
    if image.compression == 1:
        size = 4 if header.version == 2 else 2
        lengths = np.frombuffer(image.data[: rows * size], f">u{size}")
        return lengths.size == rows and len(image.data) >= rows * size + int(lengths.sum(dtype=np.int64))
    return True  # zlib tells by itself


def _has_transparency(psd: PSDImage) -> bool:
    """Whether the first further channel of the merged image is its transparency.

    The specification marks that by a negative layer count; deep files keep their layers in a block.
    """
    from psd_tools.constants import Tag  # noqa: PLC0415 - see `opened`

    section = psd._record.layer_and_mask_information  # noqa: SLF001 - no public way
    layers = [section.layer_info]
    if section.tagged_blocks is not None:
        layers += [section.tagged_blocks.get_data(tag) for tag in (Tag.LAYER_16, Tag.LAYER_32)]
    return any(info is not None and info.layer_count < 0 for info in layers)


def _off_white(pixels: Pixels, alpha: Pixels, mode: ColourMode) -> None:
    """Take the white out of a transparent merged image, which is stored matted on white, in place."""
    top = int(np.iinfo(pixels.dtype).max)
    white = 0 if mode == "cmyk" else top
    for row in range(pixels.shape[0]):
        share = alpha[row].astype(np.int64)[:, None]
        colour = white + ((pixels[row].astype(np.int64) - white) * top) // np.maximum(share, 1)
        pixels[row] = np.where(share == top, pixels[row], np.clip(colour, 0, top)).astype(pixels.dtype)


def _resource(psd: PSDImage, key: int) -> bytes | None:
    resource = psd._record.image_resources.get(key)  # noqa: SLF001 - the public view decodes it
    data = None if resource is None else resource.data
    return data if isinstance(data, bytes) and data else None


def _dpi(psd: PSDImage) -> tuple[float, float] | None:
    data = psd.image_resources.get_data(_RESOLUTION)
    across = getattr(data, "horizontal", 0) / 65536
    down = getattr(data, "vertical", 0) / 65536
    return (across, down) if across > 1 and down > 1 else None
