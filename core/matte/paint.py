"""Strokes and former mattes at full resolution: exact where a person was exact, solved only where asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.matte.closed_form import closed_form
from mattebox.core.matte.refine import levels, refine_matte
from mattebox.core.segment.view import small_copy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Photo, Pixels
    from mattebox.core.segment.prompt.prompts import Prompts, Strokes

    Map = NDArray[np.float32]

# How firmly what is unsure is held to what it was before, beside a Laplacian whose own is about 7.
_HELD: Final = 0.001


def painted(photo: Photo, alpha: Pixels, prompts: Prompts, changed: Map | None, mode: str) -> Pixels:
    """The matte (h, w) with what a person drew: the former one where nothing changed, and strokes.

    changed: (h, w) of any size in 0..1, where the answer differs from the former matte. mode: how edges are
    refined where a stroke says that they are unsure. Same size and depth as `alpha`.
    """
    if prompts.former is not None:
        alpha = _kept(alpha, prompts.former, changed)
    strokes = prompts.strokes
    if strokes is None:
        return alpha
    if strokes.unsure.any():
        result = _solved(photo, alpha, strokes, mode)
        np.copyto(result, alpha, where=~strokes.unsure)
    else:
        result = alpha.copy()
    result[strokes.inside] = np.iinfo(alpha.dtype).max
    result[strokes.outside] = 0
    return result


def _kept(alpha: Pixels, former: Map, changed: Map | None) -> Pixels:
    own = levels(former, alpha.dtype)
    if changed is None:
        return own
    size = (alpha.shape[1], alpha.shape[0])
    share = np.asarray(cv2.resize(changed, size, interpolation=cv2.INTER_LINEAR))
    mixed: NDArray[Any] = own + (alpha.astype(np.float32) - own) * share
    np.copyto(own, np.rint(mixed).astype(own.dtype), where=share > 0)
    return own


def _solved(photo: Photo, alpha: Pixels, strokes: Strokes, mode: str) -> Pixels:
    """The matte anew, as colours and the refiner have it given what lies around the unsure strokes."""
    small = small_copy(photo)
    height, width = small.shape[:2]
    size = (width, height)
    unknown = cv2.resize(strokes.unsure.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    unknown = np.asarray(cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    full = alpha.copy()
    full[strokes.inside], full[strokes.outside] = np.iinfo(alpha.dtype).max, 0
    level = (
        cv2.resize(full, size, interpolation=cv2.INTER_AREA).astype(np.float32) / np.iinfo(alpha.dtype).max
    )
    sure = cv2.resize((strokes.inside | strokes.outside).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    unknown &= sure == 0
    picture = np.asarray(small, np.float32) / np.float32(np.iinfo(small.dtype).max)
    held = np.full(level.shape, _HELD, np.float32)
    found = closed_form(picture, np.asarray(level, np.float32), unknown, held)
    return refine_matte(photo, np.clip(found, 0, 1).astype(np.float32), mode, 1.0, small)
