"""A composition flattened: straight colours and one alpha, or an opaque picture.

Rows are worked on in strips, and only where something is neither clear nor solid, so that a large
photo costs little memory and opaque pixels keep their bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mattebox.core.patched import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mattebox.core.composition import Composition
    from mattebox.core.photo import ColourMode, Pixels

STRIP_PIXELS = 1 << 19


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """Straight colours (h, w, c) and alpha (h, w) of the photo's dtype; alpha None: all is opaque."""

    pixels: Pixels
    alpha: Pixels | None
    mode: ColourMode


def strips(width: int, height: int) -> Iterator[slice]:
    """The rows of a picture in strips of about STRIP_PIXELS pixels."""
    rows = max(1, STRIP_PIXELS // max(1, width))
    for top in range(0, height, rows):
        yield slice(top, min(height, top + rows))


def flatten(composition: Composition, *, clear_hidden: bool = True) -> Flat:
    """The whole picture flattened as `flat_rows` says."""
    pixels = np.empty_like(composition.original)
    alpha = None if composition.background is not None else np.empty_like(composition.alpha)
    for rows in strips(*composition.size):
        part = flat_rows(composition, rows, clear_hidden=clear_hidden)
        pixels[rows] = part.pixels
        if alpha is not None and part.alpha is not None:
            alpha[rows] = part.alpha
    return Flat(pixels, alpha, composition.mode)


def flat_rows(composition: Composition, rows: slice, *, clear_hidden: bool = True) -> Flat:
    """Some rows: subject over outline over shadow over background.

    Where the matte is full the colours are the composition's bit for bit. Without a background the
    result has alpha; `clear_hidden` then sets the colours under alpha 0 to 0, else the original's
    stand there. Straight alpha throughout: Porter and Duff 1984, "over".
    """
    pixels, alpha = rows_of(composition.colours, rows), composition.alpha[rows]
    if composition.background is not None:
        pixels = pixels.copy()
        _over_background(composition, pixels, rows)
        return Flat(pixels, None, composition.mode)
    if _below(composition):
        pixels, alpha = pixels.copy(), alpha.copy()
        _over_layers(composition, pixels, alpha, rows)
    hidden = None if clear_hidden else composition.original[rows].copy()
    visible = (alpha > 0).view(np.uint8)
    # Its masked copy is many times faster than an array's own choice of pixels.
    shown: NDArray[Any] = cv2.copyTo(pixels, visible, hidden)
    return Flat(shown.reshape(pixels.shape), alpha, composition.mode)


def _below(composition: Composition) -> list[tuple[Pixels, NDArray[np.float64]]]:
    """Opacity and colour of each layer below the subject, the uppermost first."""
    top = int(np.iinfo(composition.alpha.dtype).max)
    layers = []
    if composition.outline is not None:
        layers.append((composition.outline, np.array(composition.outline_colour, np.float64)))
    if composition.shadow is not None:
        layers.append((composition.shadow, np.array(black(composition.mode, top), np.float64)))
    return layers


def black(mode: ColourMode, top: int) -> tuple[int, ...]:
    """Black in the channel values of `mode`; CMYK black is the black ink alone."""
    return (0, 0, 0, top) if mode == "cmyk" else (0,) * (1 if mode == "gray" else 3)


def _over_background(composition: Composition, pixels: Pixels, rows: slice) -> None:
    top = int(np.iinfo(pixels.dtype).max)
    matte = composition.alpha[rows]
    soft = matte < top
    behind = _background(composition, rows, soft)
    for plane, colour in reversed(_below(composition)):
        behind = _mix(colour, behind, plane[rows][soft], top)
    mixed = _mix(pixels[soft].astype(np.float64), behind, matte[soft], top)
    pixels[soft] = np.rint(mixed).astype(pixels.dtype)


def _background(composition: Composition, rows: slice, where: NDArray[np.bool_]) -> NDArray[np.float64]:
    background = composition.background
    if isinstance(background, np.ndarray):
        return background[rows][where].astype(np.float64)
    return np.array(background, np.float64)


def _over_layers(composition: Composition, pixels: Pixels, alpha: Pixels, rows: slice) -> None:
    """The subject over the layers below it, with their joint alpha, in place in the rows' copies."""
    top = int(np.iinfo(pixels.dtype).max)
    layers = _below(composition)
    matte = composition.alpha[rows]
    shown = (matte < top) & np.any([plane[rows] > 0 for plane, _ in layers], axis=0)
    share: NDArray[Any] = matte[shown].astype(np.float64)[:, None] / top
    colours = pixels[shown] * share
    for plane, colour in layers:
        more = plane[rows][shown].astype(np.float64)[:, None] / top * (1 - share)
        colours = colours + colour * more
        share = share + more
    straight = colours / np.maximum(share, 1e-9)
    pixels[shown] = np.clip(np.rint(straight), 0, top).astype(pixels.dtype)
    alpha[shown] = np.rint(share[:, 0] * top).astype(alpha.dtype)


def _mix(above: NDArray[Any], below: NDArray[Any], opacity: NDArray[Any], top: int) -> NDArray[np.float64]:
    """`above` with an opacity of 0..top over `below`."""
    share = (opacity.astype(np.float64) / top)[:, None]
    return np.asarray(above * share + below * (1 - share))
