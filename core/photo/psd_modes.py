"""What the planes of a PSD of each colour mode show: gray, RGB or CMYK pixels.

Source: Adobe Photoshop File Formats Specification, "File Header Section" and "Color Mode Data Section".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mattebox.core.photo.model import ColourMode, Pixels

BITMAP, GRAY, INDEXED, RGB, CMYK, DUOTONE, LAB = 0, 1, 2, 3, 4, 8, 9
_TRANSPARENT_INDEX: Final = 1047
# CIE 1976 L*a*b* under D50, as ICC profiles connect; the matrix takes XYZ of D50 to linear sRGB (Bradford).
_D50: Final = np.array([0.9642956764, 1.0, 0.8251046025])
_TO_SRGB: Final = np.array(
    [
        [3.1341358529, -1.6173863321, -0.4906619460],
        [-0.9787954765, 1.9162543773, 0.0334427339],
        [0.0719553644, -0.2289768264, 1.4053861058],
    ]
)
_STRIP_ROWS: Final = 256


class Kind(NamedTuple):
    """A colour mode: what its pixels become, how many planes it has, in which depths; a sentence, if any."""

    becomes: ColourMode
    planes: int
    depths: frozenset[int]
    note: str | None = None


_DEEP: Final = frozenset({8, 16})
KINDS: Final[dict[int, Kind]] = {
    BITMAP: Kind("gray", 1, frozenset({1})),
    GRAY: Kind("gray", 1, _DEEP),
    INDEXED: Kind("rgb", 1, frozenset({8})),
    RGB: Kind("rgb", 3, _DEEP),
    CMYK: Kind("cmyk", 4, _DEEP),
    DUOTONE: Kind("gray", 1, _DEEP, "The photo is a duotone; it was read as gray, without its inks."),
    LAB: Kind("rgb", 3, _DEEP, "The photo is in Lab; its colours were converted to sRGB."),
}


def pixels_of(planes: Sequence[NDArray[Any]] | NDArray[Any], mode: int, palette: bytes) -> Pixels:
    """Pixels (h, w, c) in the photo's convention of the colour planes (h, w) as stored, 8 or 16 bits.

    palette: the colour mode data, which an indexed picture's colours are in.
    """
    if mode == INDEXED:
        colours = np.frombuffer(palette[:768].ljust(768, b"\0"), np.uint8).reshape(3, 256).T
        return np.ascontiguousarray(colours[planes[0]])
    deep = planes[0].itemsize == 2
    dtype = np.dtype(np.uint16 if deep else np.uint8)
    pixels: NDArray[Any] = np.empty((*planes[0].shape, len(planes)), dtype)
    for channel, plane in enumerate(planes):
        pixels[..., channel] = plane
    if mode == CMYK:
        np.subtract(65535 if deep else 255, pixels, out=pixels)  # a PSD stores 0 as full ink
    if mode == LAB:
        _lab_to_srgb(pixels)
    return pixels


def clear_index(resources: Mapping[int, bytes]) -> int | None:
    """The colour of an indexed picture that is transparent, or None."""
    data = resources.get(_TRANSPARENT_INDEX, b"")
    return int.from_bytes(data[:2], "big") if len(data) >= 2 else None


def _lab_to_srgb(pixels: NDArray[Any]) -> None:
    """Stored Lab into sRGB of the same depth, in place; what sRGB does not hold is cut off.

    L 0..100 fills the range; a and b are offset by half of it and go from -128.
    """
    top = np.iinfo(pixels.dtype).max
    step = 257.0 if top == 65535 else 1.0
    for row in range(0, pixels.shape[0], _STRIP_ROWS):
        part = pixels[row : row + _STRIP_ROWS]
        light = part[..., 0] * (100.0 / top)
        f_y = (light + 16) / 116
        f_x = f_y + (part[..., 1] / step - 128) / 500
        f_z = f_y - (part[..., 2] / step - 128) / 200
        xyz = np.stack([_inverse(f_x), _inverse(f_y), _inverse(f_z)], axis=-1) * _D50
        linear = np.clip(xyz @ _TO_SRGB.T, 0, 1)
        shown = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
        part[...] = np.rint(shown * top)


def _inverse(values: NDArray[Any]) -> NDArray[Any]:
    """CIE's function of lightness, undone."""
    return np.where(values > 6 / 29, values**3, (values - 4 / 29) * (3 * (6 / 29) ** 2))
