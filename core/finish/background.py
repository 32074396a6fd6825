"""What lies behind the subject: a colour, an image file, or the blurred original."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.photo import read_photo
from mattebox.core.photo.colour import colour_from_srgb, from_srgb, in_depth, to_srgb

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mattebox.core.photo import Photo, Pixels
    from mattebox.core.settings import ReadLimits
    from mattebox.core.settings.finish import BackgroundValue

# A blurred picture holds nothing finer than this, so it is made small and enlarged.
_BLUR_SIDE: Final = 512


def background_of(
    settings: BackgroundValue, photo: Photo, original: Pixels, alpha: Pixels, limits: ReadLimits
) -> tuple[int, ...] | Pixels | None:
    """A colour of channel values, or pixels of the canvas's size, in the photo's mode and profile.

    original, alpha: the photo and the matte on the canvas. Raises PhotoError for a bad image file,
    LimitError for one beyond `limits`.
    """
    if settings.colour is not None:
        return colour_from_srgb(settings.colour, photo)
    if settings.image is not None:
        return _image(settings.image, photo, (alpha.shape[1], alpha.shape[0]), limits)
    if settings.blur is not None:
        longest = max(alpha.shape)
        return _blurred(original, alpha, settings.blur.pixels(longest))
    return None


def _image(path: Path, photo: Photo, size: tuple[int, int], limits: ReadLimits) -> Pixels:
    """An image file that covers the canvas, its middle kept, in the photo's mode, depth and profile."""
    file = _on_white(read_photo(path, limits))
    scale = max(size[0] / file.width, size[1] / file.height)
    width, height = max(size[0], round(file.width * scale)), max(size[1], round(file.height * scale))
    filtering = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    covering: NDArray[Any] = cv2.resize(file.pixels, (width, height), interpolation=filtering)
    covering = covering.reshape(height, width, -1)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    covering = np.ascontiguousarray(covering[top : top + size[1], left : left + size[0]])
    deep = in_depth(covering, photo.bits)
    if file.mode == photo.mode and file.icc == photo.icc:
        return deep
    return from_srgb(to_srgb(deep, file.mode, file.icc), photo.mode, photo.icc)


def _on_white(file: Photo) -> Photo:
    """A picture without transparency: colours under it are arbitrary."""
    if file.alpha is None:
        return file
    top = int(np.iinfo(file.pixels.dtype).max)
    share = (file.alpha.astype(np.float32) / top)[..., None]
    white = 0 if file.mode == "cmyk" else top
    mixed: NDArray[Any] = np.rint(file.pixels * share + white * (1 - share)).astype(file.pixels.dtype)
    return replace(file, pixels=mixed, alpha=None)


def _blurred(original: Pixels, alpha: Pixels, radius: float) -> Pixels:
    """The original without its subject, blurred: where the subject stood its surroundings flow in."""
    height, width = alpha.shape
    scale = min(1.0, _BLUR_SIDE / max(height, width))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    colours: NDArray[Any] = cv2.resize(original, small, interpolation=cv2.INTER_AREA)
    colours = colours.reshape(small[1], small[0], -1).astype(np.float32)
    matte: NDArray[Any] = cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)
    # A little of the subject stays, so that a photo that is all subject has a background too.
    weight = 1.001 - matte.astype(np.float32) / np.iinfo(alpha.dtype).max
    sigma = max(0.8, radius * scale)
    mass = cv2.GaussianBlur(weight, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    product = cv2.GaussianBlur(
        colours * weight[..., None], (0, 0), sigma, borderType=cv2.BORDER_REPLICATE
    ).reshape(colours.shape)
    filled: NDArray[Any] = product / mass[..., None]
    large = cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC)
    top = np.iinfo(original.dtype).max
    out: NDArray[Any] = np.clip(np.rint(large), 0, top).astype(original.dtype)
    return out.reshape(height, width, -1)
