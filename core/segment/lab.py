"""CIE Lab in 8 bits: what OpenCV's cvtColor gives, without the tenth of a second that its first call takes.

It fills tables then for conversions of floats, which nobody here asks for. This is its fixed-point
arithmetic: sRGB to linear light (IEC 61966-2-1), to XYZ under D65 (ITU-R BT.709), to Lab (CIE 15).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Table = NDArray[np.int32]

# Bits after the point: of light, of a share of it, and of what Lab is made of.
_LIGHT: Final = 3
_SHARE: Final = 12
_FINE: Final = 15
# So many steps of light, for the tones' shares may exceed the white's by half.
_STEPS: Final = 256 * 3 // 2 << _LIGHT
_TO_XYZ: Final = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_WHITE: Final = np.array([0.950456, 1.0, 1.088754])
_LIGHTEST: Final = 255
_MIDDLE: Final = 128


def rgb_to_lab(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An sRGB picture (h, w, 3) uint8 in Lab: L times 2.55, a and b from 128 on; (h, w, 3) uint8."""
    light, root, shares = _tables()
    x, y, z = (root[_rounded(light[picture] @ share, _SHARE)] for share in shares)
    lightness = (116 * _LIGHTEST + 50) // 100 * y - (16 * _LIGHTEST * (1 << _FINE) + 50) // 100
    middle = _MIDDLE << _FINE
    parts = (lightness, 500 * (x - y) + middle, 200 * (y - z) + middle)
    return np.stack([_rounded(part, _FINE).clip(0, 255) for part in parts], axis=-1).astype(np.uint8)


def _rounded(numbers: Table, bits: int) -> Table:
    return (numbers + (1 << bits - 1)) >> bits


@cache
def _tables() -> tuple[Table, Table, Table]:
    """Linear light by sRGB level; Lab's root by light; the tones' shares in X, Y and Z over the white's."""
    level = np.arange(256) / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    step = np.arange(_STEPS) / (_LIGHTEST << _LIGHT)
    root = np.where(step < 216 / 24389, step * 841 / 108 + 16 / 116, np.cbrt(step))
    # Rounded from single precision, as there: two entries lie next to a half.
    rounded = np.rint(root.astype(np.float32) * np.float32(1 << _FINE))
    return (
        np.rint((_LIGHTEST << _LIGHT) * light).astype(np.int32),
        rounded.astype(np.int32),
        np.rint((1 << _SHARE) * _TO_XYZ / _WHITE[:, None]).astype(np.int32),
    )
