"""A finished picture for formats that know no CMYK, or no 16 bits, given strip by strip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from mattebox.core.photo.colour import has_usable_profile, in_depth, srgb_profile, to_srgb
from mattebox.core.write.flatten import flat_rows, strips

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mattebox.core.composition import Composition


@dataclass(frozen=True, slots=True)
class Sheet:
    """A gray or RGB picture that is computed where it is read.

    channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. icc: the profile that the colours are in.
    rows: gives some rows as (h, w, channels) in uint8 or uint16.
    """

    size: tuple[int, int]
    channels: int
    bits: int
    icc: bytes | None
    rows: Callable[[slice], NDArray[Any]]


def sheet_of(composition: Composition, *, clear_hidden: bool = True) -> Sheet:
    """A composition as gray or RGB with straight alpha; CMYK is converted to sRGB by its profile."""
    photo = composition.photo
    inks = composition.mode == "cmyk"

    def rows(part: slice) -> NDArray[Any]:
        flat = flat_rows(composition, part, clear_hidden=clear_hidden)
        shown = to_srgb(flat.pixels, flat.mode, photo.icc) if inks else flat.pixels
        return shown if flat.alpha is None else _with_alpha(shown, flat.alpha)

    colours = 1 if composition.mode == "gray" else 3
    icc = srgb_profile() if inks else _profile_for(colours, photo.icc)
    clear = composition.background is None
    return Sheet(composition.size, colours + clear, photo.bits, icc, rows)


def changes(composition: Composition, name: str, *, bits: int = 16) -> tuple[str, ...]:
    """What a format called `name`, of RGB and at most `bits` a channel, makes of the colours: sentences."""
    photo, told = composition.photo, []
    if composition.mode == "cmyk":
        way = (
            "its profile"
            if has_usable_profile("cmyk", photo.icc)
            else "its inks alone, for it has no profile"
        )
        told.append(f"{name} holds no CMYK: the photo was converted to sRGB by {way}; TIFF and PSD keep it.")
    if photo.bits > bits:
        told.append(f"{name} holds {bits} bits a channel: the photo's {photo.bits} were rounded.")
    return tuple(told)


def _with_alpha(pixels: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    if pixels.shape[2] != 3:
        return np.concatenate([pixels, alpha[..., None]], axis=2)
    joined = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA))
    joined[..., 3] = alpha
    return joined


def _profile_for(colours: int, icc: bytes | None) -> bytes | None:
    """A profile, where it is one for that many colours: a gray PNG must hold no RGB profile.

    ICC.1:2022 section 7.2.6; some cameras and programs tag gray pictures with sRGB.
    """
    fits = {1: b"GRAY", 3: b"RGB "}[colours]
    return icc if icc and icc[16:20] == fits else None


def as_image(sheet: Sheet) -> Image.Image:
    """An 8-bit Pillow image of a sheet."""
    image = Image.new({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[sheet.channels], sheet.size)
    for rows in strips(*sheet.size):
        part = in_depth(sheet.rows(rows), 8)
        image.paste(Image.fromarray(part[..., 0] if sheet.channels == 1 else part), (0, rows.start))
    return image
