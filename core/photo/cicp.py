"""Colour that a file tells by code points or by a gamma, said as an ICC profile that travels everywhere.

ITU-T H.273 (07/2024): table 2 primaries, table 3 transfer characteristics. PNG 3, sections 4.3 and 11.3.2.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from mattebox.core.photo.icc import CodePoints, Primaries, parametric, profile, sampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo.model import ColourMode

_D65: Final = (0.3127, 0.3290)
_C: Final = (0.310, 0.316)
SRGB_PRIMARIES: Final = Primaries(_D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_SMPTE_C: Final = Primaries(_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
_PRIMARIES: Final[dict[int, tuple[str, Primaries]]] = {
    1: ("sRGB", SRGB_PRIMARIES),
    4: ("NTSC 1953", Primaries(_C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08))),
    5: ("PAL", Primaries(_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06))),
    6: ("SMPTE C", _SMPTE_C),
    7: ("SMPTE C", _SMPTE_C),
    8: ("film", Primaries(_C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049))),
    9: ("BT.2020", Primaries(_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046))),
    10: ("XYZ", Primaries((1 / 3, 1 / 3), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0))),
    11: ("DCI-P3", Primaries((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060))),
    12: ("Display P3", Primaries(_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060))),
    22: ("EBU 3213", Primaries(_D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077))),
}
ADOBE_RGB: Final = Primaries(_D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
_SRGB_CURVE: Final = parametric(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
# BT.601, 709 and 2020 define a camera's curve; the pictures are graded on displays of about sRGB's, which
# is what stills with these code points are shown by.
_AS_SRGB: Final = frozenset({1, 6, 7, 11, 12, 13, 14, 15})
_UNSAID: Final = 2
_PQ, _HLG = 16, 18
_LINEAR: Final = 8
_GAMMAS: Final = {4: 2.2, 5: 2.8, _LINEAR: 1.0, 17: 2.6}
_SAMPLES: Final = 4096
# The light of white paper, and the brightest that is shown, in cd/m2 (ITU-R BT.2408-7, table 1).
_WHITE: Final = 203.0
_PEAK: Final = 1000.0
_GAMMA_OF_SRGB: Final = 0.45455
# Gammas nearer than this are what programs write for sRGB.
_ALIKE: Final = 0.012


class Told(NamedTuple):
    """What a file's words about its colours come to: a profile, where sRGB does not say it, and sentences."""

    icc: bytes | None = None
    notes: tuple[str, ...] = ()


def from_code_points(points: CodePoints, mode: ColourMode = "rgb") -> Told:
    """The profile of code points: primaries, transfer characteristics, matrix and range (H.273).

    None where they say sRGB or nothing. Of HDR (PQ and HLG) the profile's curve shows 1,000 cd/m2 in the
    range of a common display, for programs that do not go by the code points in it.
    """
    primaries, transfer = points[:2]
    if transfer == _UNSAID:
        transfer = 13
    if primaries == _UNSAID:
        primaries = 1
    if transfer in _AS_SRGB and (primaries == 1 or mode == "gray"):
        return Told()
    curve = _curve(transfer)
    if primaries not in _PRIMARIES or curve is None:
        said = f"{points[0]}/{points[1]}"
        note = f"The photo's colours are told by code points that are not known ({said}); taken for sRGB."
        return Told(notes=(note,))
    name, colours = _PRIMARIES[primaries]
    kind = {_PQ: " PQ", _HLG: " HLG", _LINEAR: " linear"}.get(transfer, "")
    # The pixels are RGB of full range by now, whatever the file stores.
    icc = profile(f"{name}{kind}", colours, curve, mode, (primaries, transfer, 0, 1))
    if transfer not in {_PQ, _HLG}:
        return Told(icc)
    hdr = (
        f"The photo's brightness is HDR ({name}{kind}): its pixels are kept, and a profile that says so "
        "travels with them; programs without HDR show them toned down."
    )
    return Told(icc, (hdr,))


def from_gamma(gamma: float | None, primaries: Primaries | None, mode: ColourMode = "rgb") -> Told:
    """The profile of PNG's gAMA (an exponent to store by, such as .45455) and cHRM; None where sRGB's."""
    as_srgb = gamma is None or abs(gamma - _GAMMA_OF_SRGB) <= _ALIKE
    known = primaries is None or primaries.near(SRGB_PRIMARIES)
    if as_srgb and (known or mode == "gray"):
        return Told()
    if gamma is not None and not 0.05 <= gamma <= 5:
        return Told(notes=("The photo tells a gamma that no picture has; it was taken for sRGB.",))
    curve = _SRGB_CURVE if gamma is None or as_srgb else parametric(1 / gamma)
    try:
        return Told(profile("As the PNG's gamma says", primaries or SRGB_PRIMARIES, curve, mode))
    except (ValueError, np.linalg.LinAlgError):
        return Told(notes=("The photo tells primaries that no display has; it was taken for sRGB.",))


@cache
def adobe_rgb() -> bytes:
    """A profile of what cameras call Adobe RGB and EXIF's interoperability index R03 stands for."""
    return profile("Compatible with Adobe RGB (1998)", ADOBE_RGB, parametric(563 / 256))


@cache
def linear_srgb(mode: ColourMode) -> bytes:
    """The profile of pixels that are proportional to light, with sRGB's primaries."""
    return profile("sRGB linear", SRGB_PRIMARIES, parametric(1.0), mode, (1, _LINEAR, 0, 1))


def _curve(transfer: int) -> bytes | None:
    """The element of a curve from stored values to light; None where the characteristics are not known."""
    if transfer in _AS_SRGB:
        return _SRGB_CURVE
    if transfer in _GAMMAS:
        return parametric(_GAMMAS[transfer])
    stored = np.linspace(0, 1, _SAMPLES)
    if transfer == _PQ:
        return sampled(_toned(_pq(stored)))
    return sampled(_toned(_hlg(stored))) if transfer == _HLG else None


def _pq(stored: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light in cd/m2 of perceptually quantised values (SMPTE ST 2084, equation 4.1)."""
    root = stored ** (32 / 2523)
    light: NDArray[np.float64] = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    return 10_000 * light ** (8192 / 1305)


def _hlg(stored: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light in cd/m2 of hybrid log-gamma values on a display of 1,000 (ITU-R BT.2100-2, table 5)."""
    scene = np.where(
        stored <= 0.5, stored**2 / 3, (np.exp((stored - 0.55991073) / 0.17883277) + 0.28466892) / 12
    )
    return _PEAK * np.asarray(scene) ** 1.2


def _toned(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light in cd/m2 as a share of a common display's: the peak is its white.

    Reinhard et al. 2002, "Photographic tone reproduction for digital images", equation 4.
    """
    scaled = light / _WHITE
    peak = _PEAK / _WHITE
    toned: NDArray[np.float64] = scaled * (1 + scaled / peak**2) / (1 + scaled)
    return np.minimum(toned, 1)
