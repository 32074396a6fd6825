"""A flat picture for formats that know no CMYK, or no 16 bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from mattebox.core.colour import in_depth, srgb_profile, to_srgb

if TYPE_CHECKING:
    from mattebox.core.photo import Pixels
    from mattebox.core.write.flatten import Flat


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Gray or RGB pixels (h, w, 1 or 3), alpha (h, w) or None, and the profile they are in."""

    pixels: Pixels
    alpha: Pixels | None
    icc: bytes | None


def as_rgb(flat: Flat, icc: bytes | None) -> Shown:
    """A flat picture as it is, or CMYK converted to sRGB by `icc`."""
    if flat.mode != "cmyk":
        return Shown(flat.pixels, flat.alpha, icc)
    return Shown(to_srgb(flat.pixels, flat.mode, icc), flat.alpha, srgb_profile())


def as_image(shown: Shown) -> Image.Image:
    """An 8-bit Pillow image of a flat picture."""
    pixels = in_depth(shown.pixels, 8)
    gray = pixels.shape[2] == 1
    if shown.alpha is None:
        return Image.fromarray(np.ascontiguousarray(pixels[..., 0]) if gray else pixels)
    alpha = in_depth(shown.alpha, 8)
    return Image.fromarray(np.concatenate([pixels, alpha[..., None]], axis=2))
