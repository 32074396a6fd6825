"""A composition flattened: straight colours and one alpha, or an opaque picture.

Rows are worked on in strips, and only where something is neither clear nor solid, so that a large
photo costs little memory and opaque pixels keep their bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mattebox.core.composition import Composition
    from mattebox.core.photo import ColourMode, Pixels

_STRIP_PIXELS: Final = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """Straight colours (h, w, c) and alpha (h, w) of the photo's dtype; alpha None: all is opaque."""

    pixels: Pixels
    alpha: Pixels | None
    mode: ColourMode


def flatten(composition: Composition, *, clear_hidden: bool = True) -> Flat:
    """Subject over shadow over background.

    Where the matte is full the colours are the composition's bit for bit. Without a background the
    result has alpha; `clear_hidden` then sets the colours under alpha 0 to 0, else the original's
    stay there. Black shadow and straight alpha: Porter and Duff 1984, "over".
    """
    opaque = composition.background is not None
    pixels = composition.colours.copy()
    alpha = None if opaque or composition.shadow is None else composition.alpha.copy()
    for rows in _strips(*composition.alpha.shape):
        if opaque:
            _over_background(composition, pixels, rows)
        elif alpha is not None:
            _over_shadow(composition, pixels, alpha, rows)
    if opaque:
        return Flat(pixels, None, composition.mode)
    shown = composition.alpha if alpha is None else alpha
    for rows in _strips(*shown.shape):
        hidden = shown[rows] == 0
        pixels[rows][hidden] = 0 if clear_hidden else composition.original[rows][hidden]
    return Flat(pixels, shown, composition.mode)


def black(mode: ColourMode, top: int) -> tuple[int, ...]:
    """Black in the channel values of `mode`; CMYK black is the black ink alone."""
    return (0, 0, 0, top) if mode == "cmyk" else (0,) * (1 if mode == "gray" else 3)


def _strips(height: int, width: int) -> Iterator[slice]:
    rows = max(1, _STRIP_PIXELS // max(1, width))
    for top in range(0, height, rows):
        yield slice(top, min(height, top + rows))


def _over_background(composition: Composition, pixels: Pixels, rows: slice) -> None:
    top = int(np.iinfo(pixels.dtype).max)
    matte = composition.alpha[rows]
    soft = matte < top
    share: NDArray[Any] = matte[soft].astype(np.int64)[:, None]
    behind = _background(composition, rows, soft)
    if composition.shadow is not None:
        dark: NDArray[Any] = composition.shadow[rows][soft].astype(np.int64)[:, None]
        ink = np.array(black(composition.mode, top), np.int64)
        behind = _mix(ink, behind, dark, top)
    pixels[rows][soft] = _mix(pixels[rows][soft].astype(np.int64), behind, share, top).astype(pixels.dtype)


def _background(composition: Composition, rows: slice, where: NDArray[np.bool_]) -> NDArray[np.int64]:
    background = composition.background
    if isinstance(background, tuple):
        return np.array(background, np.int64)
    assert background is not None  # noqa: S101 - only asked where there is one
    return background[rows][where].astype(np.int64)


def _over_shadow(composition: Composition, pixels: Pixels, alpha: Pixels, rows: slice) -> None:
    assert composition.shadow is not None  # noqa: S101 - only asked where there is one
    top = int(np.iinfo(pixels.dtype).max)
    matte, shadow = composition.alpha[rows], composition.shadow[rows]
    both = (matte < top) & (shadow > 0)
    share: NDArray[Any] = matte[both].astype(np.int64)
    dark = shadow[both].astype(np.int64) * (top - share)
    whole = share * top + dark  # the joint opacity, in units of top squared
    ink = np.array(black(composition.mode, top), np.int64)
    colour = pixels[rows][both].astype(np.int64) * (share * top)[:, None] + ink * dark[:, None]
    divisor = np.maximum(whole, 1)[:, None]
    pixels[rows][both] = ((colour + divisor // 2) // divisor).astype(pixels.dtype)
    alpha[rows][both] = ((whole + top // 2) // top).astype(alpha.dtype)


def _mix(
    above: NDArray[np.int64], below: NDArray[np.int64], share: NDArray[np.int64], top: int
) -> NDArray[np.int64]:
    """`above` with the opacity share / top over `below`, rounded."""
    return (above * share + below * (top - share) + top // 2) // top
