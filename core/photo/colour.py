"""Colours taken from one space to another through ICC profiles, by Little CMS."""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo.model import ColourMode, Photo, Pixels

_STRIP_ROWS: Final = 256


@cache
def srgb_profile() -> bytes:
    """The sRGB profile that converted pictures get: the same bytes at any time.

    Little CMS writes the moment into each profile that it makes (ICC.1:2022, 7.2: bytes 24 to 35, six
    numbers), and equal photos would become unequal files.
    """
    from PIL import ImageCms  # noqa: PLC0415 - a library of its own, only where profiles matter

    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + made[36:]


def to_srgb(pixels: Pixels, mode: ColourMode, icc: bytes | None) -> Pixels:
    """Pixels (h, w, c) of any mode as sRGB (h, w, 3) of the same dtype.

    By the embedded profile with relative colorimetric intent and black point compensation. Without a
    usable one RGB is taken for sRGB, gray for its gray, and each ink takes its share of light away.
    """
    if mode == "rgb" and not icc:
        return pixels
    height, width = pixels.shape[:2]
    out: NDArray[Any] = np.empty((height, width, 3), pixels.dtype)
    for top in range(0, height, _STRIP_ROWS):
        part: NDArray[Any] = np.ascontiguousarray(pixels[top : top + _STRIP_ROWS])
        done = _transformed(part, mode, icc, "rgb", srgb_profile()) if icc else None
        out[top : top + _STRIP_ROWS] = _plainly_to_rgb(part, mode) if done is None else done
    return out


def has_usable_profile(mode: ColourMode, icc: bytes | None) -> bool:
    """Whether `icc` is a sound profile of that mode, so that `to_srgb` goes by it."""
    channels = {"gray": 1, "rgb": 3, "cmyk": 4}[mode]
    sample: NDArray[Any] = np.zeros((1, 1, channels), np.uint8)
    return icc is not None and _transformed(sample, mode, icc, "rgb", srgb_profile()) is not None


def from_srgb(pixels: Pixels, mode: ColourMode, icc: bytes | None) -> Pixels:
    """SRGB pixels (h, w, 3) in another mode and profile, (h, w, c) of the same dtype."""
    if mode == "rgb" and not icc:
        return pixels
    height, width = pixels.shape[:2]
    channels = {"gray": 1, "rgb": 3, "cmyk": 4}[mode]
    out: NDArray[Any] = np.empty((height, width, channels), pixels.dtype)
    for top in range(0, height, _STRIP_ROWS):
        part: NDArray[Any] = np.ascontiguousarray(pixels[top : top + _STRIP_ROWS])
        done = _transformed(part, "rgb", srgb_profile(), mode, icc) if icc else None
        out[top : top + _STRIP_ROWS] = _plainly_from_rgb(part, mode) if done is None else done
    return out


def colour_from_srgb(colour: tuple[int, int, int], photo: Photo) -> tuple[int, ...]:
    """An 8-bit sRGB colour as channel values of `photo`; white and RGB's black are exact."""
    top = int(np.iinfo(photo.pixels.dtype).max)
    if colour == (255, 255, 255):
        return {"gray": (top,), "rgb": (top,) * 3, "cmyk": (0,) * 4}[photo.mode]
    if colour == (0, 0, 0) and photo.mode == "rgb":
        return colour
    sample: NDArray[Any] = (np.array([[colour]]) * (top // 255)).astype(photo.pixels.dtype)
    return tuple(int(value) for value in from_srgb(sample, photo.mode, photo.icc)[0, 0])


def in_depth(pixels: Pixels, bits: int) -> Pixels:
    """Pixels in 8 or 16 bits, rounded."""
    if bits == 8 * pixels.itemsize:
        return pixels
    if bits == 16:
        return pixels.astype(np.uint16) * np.uint16(257)
    out = np.empty(pixels.shape, np.uint8)
    for top in range(0, pixels.shape[0], _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        out[rows] = (pixels[rows].astype(np.uint32) + 128) // 257
    return out


def _transformed(
    pixels: NDArray[Any], mode: ColourMode, icc: bytes, to_mode: ColourMode, to_icc: bytes
) -> NDArray[Any] | None:
    """Pixels through two profiles, or None where one is damaged or belongs to another colour space."""
    import imagecodecs  # noqa: PLC0415 - a library of its own, only where profiles matter

    flat = pixels[..., 0] if mode == "gray" else pixels
    flags = int(imagecodecs.CMS.FLAGS.BLACKPOINTCOMPENSATION)
    if pixels.dtype == np.uint16 and "cmyk" not in {mode, to_mode}:
        # Little CMS joins curves and matrices of 16 bits to a coarse table: dark colours of Display P3 were
        # off by up to 15 levels of 255, without it by .2 (.7 megapixels: .03 and .18 seconds).
        flags |= int(imagecodecs.CMS.FLAGS.NOOPTIMIZE)
    try:
        done = imagecodecs.cms_transform(
            np.ascontiguousarray(flat),
            icc,
            to_icc,
            colorspace=mode,
            outcolorspace=to_mode,
            intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
            flags=flags,
        )
    except (imagecodecs.CmsError, ValueError):
        return None
    return np.asarray(done).reshape(*pixels.shape[:2], -1)


def _plainly_to_rgb(pixels: NDArray[Any], mode: ColourMode) -> NDArray[Any]:
    if mode == "gray":
        return np.repeat(pixels, 3, axis=2)
    if mode == "rgb":
        return pixels
    top = int(np.iinfo(pixels.dtype).max)
    light: NDArray[Any] = top - pixels.astype(np.uint64)
    shown: NDArray[Any] = (light[..., :3] * light[..., 3:] + top // 2) // top
    return shown.astype(pixels.dtype)


def _plainly_from_rgb(pixels: NDArray[Any], mode: ColourMode) -> NDArray[Any]:
    """The inverse of `_plainly_to_rgb`; gray by Rec. 709 luma, black ink for the common part."""
    if mode == "rgb":
        return pixels
    wide: NDArray[Any] = pixels.astype(np.float64)
    if mode == "gray":
        luma = wide @ np.array([0.2126, 0.7152, 0.0722])
        gray: NDArray[Any] = np.rint(luma)[..., None].astype(pixels.dtype)
        return gray
    top = int(np.iinfo(pixels.dtype).max)
    brightest = wide.max(axis=2, keepdims=True)
    inks = (brightest - wide) / np.maximum(brightest, 1) * top
    ink: NDArray[Any] = np.rint(np.concatenate([inks, top - brightest], axis=2)).astype(pixels.dtype)
    return ink
