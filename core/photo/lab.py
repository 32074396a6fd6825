"""CIE L*a*b* pixels of TIFFs as RGB that holds all of their colours.

TIFF 6.0, section 23; CIE 15:2018, section 8.2.1; ISO 22028-2 (ROMM RGB, known as ProPhoto RGB).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mattebox.core.photo.icc import Primaries, parametric, profile

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOTE: Final = "The TIFF's Lab colours were converted to 16-bit ProPhoto RGB, which holds them all."
_D50: Final = np.array([0.9642, 1.0, 0.8249], np.float32)
_TO_ROMM: Final = np.array(
    [[1.3460, -0.2556, -0.0511], [-0.5446, 1.5082, 0.0205], [0.0, 0.0, 1.2123]], np.float32
)
_GAMMA: Final = 1.8
_BEND: Final = 6 / 29
_ROWS: Final = 256


@cache
def romm_profile() -> bytes:
    """The profile of what `from_lab` gives."""
    primaries = Primaries((0.3457, 0.3585), (0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))
    return profile("ProPhoto RGB", primaries, parametric(_GAMMA))


def from_lab(stored: NDArray[Any], bits: int, *, signed: bool) -> NDArray[np.uint16]:
    """Pixels (h, w, 3) of 8 or 16 bits, a and b signed or, as in ICC profiles, offset by half, as ROMM."""
    out = np.empty(stored.shape, np.uint16)
    for top in range(0, stored.shape[0], _ROWS):
        rows = slice(top, top + _ROWS)
        out[rows] = _converted(stored[rows], bits, signed=signed)
    return out


def _converted(stored: NDArray[Any], bits: int, *, signed: bool) -> NDArray[np.uint16]:
    step = 1 << (bits - 8)
    lightness = stored[..., 0].astype(np.float32) * (100 / ((1 << bits) - 1))
    pair = stored[..., 1:]
    if signed:
        sides = pair.view(np.int8 if bits == 8 else np.int16).astype(np.float32) / step
    else:
        sides = pair.astype(np.float32) / step - 128
    middle = (lightness + 16) / 116
    roots = np.stack([middle + sides[..., 0] / 500, middle, middle - sides[..., 1] / 200], axis=-1)
    xyz = np.where(roots > _BEND, roots**3, (roots - 4 / 29) * (3 * _BEND**2)) * _D50
    light = np.clip(xyz @ _TO_ROMM.T, 0, 1)
    return np.asarray(np.rint(light ** (1 / _GAMMA) * 65535), np.uint16)
