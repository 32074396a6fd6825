"""Colours for formats that know no CMYK: converted to sRGB through the embedded profile."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Pixels
    from mattebox.core.write.flatten import Flat

_STRIP_ROWS: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Gray or RGB pixels (h, w, 1 or 3), alpha (h, w) or None, and the profile they are in."""

    pixels: Pixels
    alpha: Pixels | None
    icc: bytes | None


@cache
def srgb_profile() -> bytes:
    """The sRGB profile that converted pictures get."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def as_rgb(flat: Flat, icc: bytes | None) -> Shown:
    """A flat picture as it is, or CMYK converted to sRGB by `icc` (or plainly, where there is none)."""
    if flat.mode != "cmyk":
        return Shown(flat.pixels, flat.alpha, icc)
    return Shown(cmyk_to_srgb(flat.pixels, icc), flat.alpha, srgb_profile())


def cmyk_to_srgb(pixels: Pixels, icc: bytes | None) -> Pixels:
    """CMYK (h, w, 4), 0 = no ink, as sRGB (h, w, 3) of the same dtype.

    By the profile with relative colorimetric intent and black point compensation; without a usable
    one each ink takes its share of light away.
    """
    height, width = pixels.shape[:2]
    out: NDArray[Any] = np.empty((height, width, 3), pixels.dtype)
    for top in range(0, height, _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        out[rows] = _by_profile(pixels[rows], icc) if icc else _plainly(pixels[rows])
    return out


def _by_profile(pixels: Pixels, icc: bytes) -> NDArray[Any]:
    try:
        converted: NDArray[Any] = np.asarray(
            imagecodecs.cms_transform(
                np.ascontiguousarray(pixels),
                icc,
                srgb_profile(),
                colorspace="cmyk",
                outcolorspace="rgb",
                intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
                flags=imagecodecs.CMS.FLAGS.BLACKPOINTCOMPENSATION,
            )
        )
    except imagecodecs.CmsError:
        converted = _plainly(pixels)  # a damaged profile, or one of another colour space
    return converted


def _plainly(pixels: Pixels) -> NDArray[Any]:
    top = int(np.iinfo(pixels.dtype).max)
    light: NDArray[Any] = top - pixels.astype(np.uint64)
    shown: NDArray[Any] = (light[..., :3] * light[..., 3:] + top // 2) // top
    return shown.astype(pixels.dtype)


def in_depth(pixels: Pixels, bits: int | str) -> Pixels:
    """Pixels in 8 or 16 bits, rounded; "auto" leaves them."""
    if bits == "auto" or bits == 8 * pixels.itemsize:
        return pixels
    if bits == 16:
        return pixels.astype(np.uint16) * np.uint16(257)
    out = np.empty(pixels.shape, np.uint8)
    for top in range(0, pixels.shape[0], _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        out[rows] = (pixels[rows].astype(np.uint32) + 128) // 257
    return out


def as_image(shown: Shown) -> Image.Image:
    """An 8-bit Pillow image of a flat picture."""
    pixels = in_depth(shown.pixels, 8)
    gray = pixels.shape[2] == 1
    if shown.alpha is None:
        return Image.fromarray(np.ascontiguousarray(pixels[..., 0]) if gray else pixels)
    alpha = in_depth(shown.alpha, 8)
    return Image.fromarray(np.concatenate([pixels, alpha[..., None]], axis=2))
