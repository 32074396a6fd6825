"""The small 8-bit sRGB copy that a network sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.photo.colour import in_depth, to_srgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Photo, Pixels

# The longer side of what networks see, in pixels.
LONGEST: Final = 1024
_CLOSE: Final = 512
_NEUTRAL: Final = 128
# So many pixels in one that a first halving shows nowhere.
_MANY: Final = 4


def small_copy(photo: Photo, longest: int = LONGEST) -> Pixels:
    """The photo's pixels at no more than `longest` a side, (h, w, c), in its own colours and depth."""
    scale = min(1.0, longest / max(photo.width, photo.height))
    return _resized(photo.pixels, (max(1, round(photo.width * scale)), max(1, round(photo.height * scale))))


def network_view(photo: Photo, small: Pixels | None = None, *, own_alpha: bool = True) -> NDArray[np.uint8]:
    """What a network sees of a photo: (h, w, 3) uint8 sRGB, of the size of its `small_copy`.

    Colours go through the photo's own profile, after the resize: the full pixels are not touched.
    With `own_alpha` what the photo hides is neutral gray, for the colours there are arbitrary.
    """
    own = small_copy(photo) if small is None else small
    small = in_depth(to_srgb(own, photo.mode, photo.icc), 8)
    if photo.alpha is not None and own_alpha:
        size = own.shape[1], own.shape[0]
        share: NDArray[Any] = in_depth(_resized(photo.alpha, size), 8).astype(np.uint32)
        small = ((small * share + _NEUTRAL * (255 - share) + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(small, np.uint8)


def close_up(photo: Photo, view: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The middle of a photo at its full resolution in gray, (h, w); None where its view shows as much.

    JPEG blocks are seen at full resolution only.
    """
    if view.shape[:2] == (photo.height, photo.width):
        return None
    top, left = (max(0, (length - _CLOSE) // 2) for length in (photo.height, photo.width))
    part: NDArray[Any] = photo.pixels[top : top + _CLOSE, left : left + _CLOSE]
    shown = in_depth(to_srgb(np.ascontiguousarray(part), photo.mode, None), 8)
    return np.asarray(cv2.cvtColor(np.asarray(shown, np.uint8), cv2.COLOR_RGB2GRAY), np.uint8)


def _resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """(h, w, c) pixels of another size, by area; halved first, which is many times quicker."""
    small: Any = pixels
    while min(small.shape[1] // size[0], small.shape[0] // size[1]) >= _MANY:
        even = small[: small.shape[0] // 2 * 2, : small.shape[1] // 2 * 2]
        small = cv2.resize(even, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    small = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    resized: Pixels = small.reshape(size[1], size[0], -1)
    return resized
