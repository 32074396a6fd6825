"""ICC profiles of a curve and three primaries written, and small facts of any profile read.

ICC.1:2022 (profile version 4.4): section 7.2 header, 9.2.17 cicpTag, 10.6 curveType, 10.18 parametric
curves; annex E for chromatic adaptation.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo.model import ColourMode

SPACES: Final[dict[ColourMode, bytes]] = {"gray": b"GRAY", "rgb": b"RGB ", "cmyk": b"CMYK"}
_D50: Final = np.array([0.9642, 1.0, 0.8249])
# The cone responses that white points are adapted in (Bradford; ICC.1:2022, annex E.3).
_BRADFORD: Final = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_HEADER: Final = 128
_TAG: Final = 12
_MOST_TAGS: Final = 200

XY = tuple[float, float]
CodePoints = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Primaries:
    """Chromaticities x, y (CIE 1931) of the white point and of what each channel shows alone."""

    white: XY
    red: XY
    green: XY
    blue: XY

    def near(self, other: Primaries, apart: float = 0.002) -> bool:
        """Whether both show the same colours, as far as files write them down."""
        pairs = zip(
            (*self.white, *self.red, *self.green, *self.blue),
            (*other.white, *other.red, *other.green, *other.blue),
            strict=True,
        )
        return all(abs(one - two) <= apart for one, two in pairs)


def parametric(*values: float) -> bytes:
    """A curve's element: one value is a gamma, five are g, a, b, c and d of function type 3."""
    kind = {1: 0, 5: 3}[len(values)]
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(_fixed(value) for value in values)


def sampled(curve: NDArray[np.float64]) -> bytes:
    """A curve's element of light 0..1 at evenly spaced values 0..1."""
    stored = np.rint(np.clip(curve, 0, 1) * 65535).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", stored.size) + stored.tobytes()


def profile(
    name: str, primaries: Primaries, curve: bytes, mode: ColourMode = "rgb", cicp: CodePoints | None = None
) -> bytes:
    """A display profile of RGB or gray: `curve` to light, then the primaries' colours.

    cicp: the code points of ITU-T H.273 that say the same, for readers that go by them.
    Raises ValueError where the primaries span no triangle.
    """
    adapted = _adaptation(primaries.white)
    tags: dict[bytes, bytes] = {
        b"desc": _text(name),
        b"cprt": _text("No copyright"),
        b"wtpt": _xyz(_D50),
        b"chad": b"sf32\0\0\0\0" + b"".join(_fixed(value) for value in adapted.ravel()),
    }
    if mode == "gray":
        tags[b"kTRC"] = curve
    else:
        columns = (adapted @ _to_xyz(primaries)).T
        for letter, column in zip((b"r", b"g", b"b"), columns, strict=True):
            tags[letter + b"XYZ"] = _xyz(column)
            tags[letter + b"TRC"] = curve
    if cicp is not None:
        tags[b"cicp"] = b"cicp\0\0\0\0" + bytes(cicp)
    return _assembled(tags, SPACES[mode])


def colour_space(icc: bytes) -> bytes | None:
    """The four letters of a profile's colour space (b"RGB ", ...); None where it is no profile."""
    return icc[16:20] if len(icc) > _HEADER + 4 and icc[36:40] == b"acsp" else None


def code_points(icc: bytes | None) -> CodePoints | None:
    """The code points of ITU-T H.273 that a profile tells, where it tells any."""
    told = tag(icc, b"cicp") if icc else None
    return (told[8], told[9], told[10], told[11]) if told and len(told) >= 12 else None


def tag(icc: bytes, name: bytes) -> bytes | None:
    """The element of a profile's tag; None where it has none or lies outside of the profile."""
    count = int.from_bytes(icc[_HEADER : _HEADER + 4])
    for index in range(min(count, _MOST_TAGS)):
        entry = icc[_HEADER + 4 + _TAG * index :][:_TAG]
        if entry[:4] == name:
            start, length = int.from_bytes(entry[4:8]), int.from_bytes(entry[8:12])
            return icc[start : start + length] if start + length <= len(icc) else None
    return None


def gray_of(icc: bytes) -> bytes | None:
    """The gray profile of an RGB one whose three curves are equal; None where there is none.

    Cameras and programs tag gray pictures with the RGB profile that they show them by.
    """
    curves = [tag(icc, letter + b"TRC") for letter in (b"r", b"g", b"b")]
    curve = curves[0]
    if curve is None or curves[1] != curve or curves[2] != curve:
        return None
    return _assembled(
        {
            b"desc": tag(icc, b"desc") or _text("Gray"),
            b"cprt": tag(icc, b"cprt") or _text("No copyright"),
            b"wtpt": _xyz(_D50),
            b"kTRC": curve,
        },
        b"GRAY",
    )


def _to_xyz(primaries: Primaries) -> NDArray[np.float64]:
    """The matrix from linear RGB to CIE XYZ, white with Y 1 (SMPTE RP 177)."""
    columns = np.stack([_xyz_of(xy) for xy in (primaries.red, primaries.green, primaries.blue)], axis=1)
    if abs(float(np.linalg.det(columns))) < 1e-6:
        raise ValueError("the primaries span no triangle")
    share = np.linalg.solve(columns, _xyz_of(primaries.white))
    return np.asarray(columns * share, np.float64)


def _adaptation(white: XY) -> NDArray[np.float64]:
    """The matrix that takes colours seen under `white` to those seen under D50."""
    scale: NDArray[Any] = (_BRADFORD @ _D50) / (_BRADFORD @ _xyz_of(white))
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD, np.float64)


def _xyz_of(xy: XY) -> NDArray[np.float64]:
    x, y = xy
    if not (0 <= x <= 1 and 0 < y <= 1):
        # 0, 0 is what imaginary blues are written as; it cannot be divided by.
        y = max(y, 1e-4)
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _xyz(value: Any) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(_fixed(float(part)) for part in value)


def _fixed(value: float) -> bytes:
    return struct.pack(">i", max(-(1 << 31), min((1 << 31) - 1, round(value * 65536))))


def _text(words: str) -> bytes:
    told = words.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(told), 28) + told


def _assembled(tags: dict[bytes, bytes], space: bytes) -> bytes:
    """A profile of elements; those that are equal are stored once, as section 7.3.1 allows."""
    start = _HEADER + 4 + _TAG * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    places: dict[bytes, int] = {}
    for name, element in tags.items():
        if element not in places:
            places[element] = start + len(body)
            body += element + bytes(-len(element) % 4)
        table += name + struct.pack(">II", places[element], len(element))
    head = struct.pack(
        ">I4xI4s4s4s6H4s24xI3I4x16x28x",
        start + len(body),
        0x04400000,
        b"mntr",
        space,
        b"XYZ ",
        *(2026, 1, 1, 0, 0, 0),
        b"acsp",
        1,  # relative colorimetric
        0xF6D6,
        0x10000,
        0xD32D,
    )
    return head + table + body
