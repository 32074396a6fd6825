"""Straight foreground colours for soft edges (decontamination)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Pixels

_PASSES: Final = (45, 5)
_EPSILON: Final = 1e-5


def straight_foreground(pixels: Pixels, alpha: Pixels) -> Pixels:
    """The subject's own colour in every partially transparent pixel.

    pixels: (h, w, c), alpha: (h, w), equal dtype uint8 or uint16. Returns (h, w, c) of that dtype;
    where alpha is 0 or full the input stands bit for bit. Two-pass blur fusion: Forte, "Approximate
    Fast Foreground Colour Estimation", ICIP 2021, equations 4-7.
    """
    top = np.iinfo(pixels.dtype).max
    partial = (alpha > 0) & (alpha < top)
    if not partial.any():
        return pixels
    image = pixels.astype(np.float32) / np.float32(top)
    matte = (alpha.astype(np.float32) / np.float32(top))[..., None]
    subject, behind = image, image
    for width in _PASSES:
        subject, behind = _fuse(image, subject, behind, matte, width)
    result = pixels.copy()
    result[partial] = (np.clip(subject[partial], 0.0, 1.0) * top + 0.5).astype(pixels.dtype)
    return result


def _fuse(
    image: NDArray[np.float32],
    subject: NDArray[np.float32],
    behind: NDArray[np.float32],
    matte: NDArray[np.float32],
    width: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    share = _blur(matte, width)
    mean_subject = _blur(subject * matte, width) / (share + _EPSILON)
    mean_behind = _blur(behind * (1 - matte), width) / (1 - share + _EPSILON)
    fused = mean_subject + matte * (image - matte * mean_subject - (1 - matte) * mean_behind)
    return np.clip(fused, 0.0, 1.0), mean_behind


def _blur(picture: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(picture, (width, width)), np.float32).reshape(picture.shape)
