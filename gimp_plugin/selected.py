"""Only inside the selection: which answer is meant, and what of it lies in the selection's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mattebox.core.photo.own_alpha import multiplied

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mattebox.core.cutout import Cutout

_WITHIN: Final = 0.5  # a selection that is filled with so much of the subject lies inside of it
_HOLDS: Final = 0.9  # a selection that holds so much of the subject was drawn around it
_MORE: Final = 1.5  # a second look must find so much more in the selection to be what was meant


def inside(selection: NDArray[Any], whole: Cutout, look_again: Callable[[], Cutout]) -> Cutout:
    """The cutout that a selection (h, w, of any depth) means, not yet cut to its shape.

    A selection inside of the subject, or around all of it, means the subject of the whole picture. Else
    `look_again` looks in the selection's box alone: for a subject that the whole picture's answer does not
    hold, such as the person beside the main one.
    """
    chosen = _weight(whole.alpha, selection)
    top = float(np.iinfo(selection.dtype).max)
    area = float(selection.sum(dtype=np.float64)) / top
    subject = float(whole.alpha.sum(dtype=np.float64)) / float(np.iinfo(whole.alpha.dtype).max)
    if chosen >= _WITHIN * area or (chosen > 0 and chosen >= _HOLDS * subject):
        return whole
    again = look_again()
    return again if _weight(again.alpha, selection) > _MORE * chosen else whole


def holds(selection: NDArray[Any], matte: NDArray[Any]) -> bool:
    """Whether a pixel that is at least half subject lies in the selection."""
    return bool(np.any((matte > np.iinfo(matte.dtype).max // 2) & (selection > 0)))


def shaped(matte: NDArray[Any], selection: NDArray[Any]) -> NDArray[Any]:
    """A matte times the selection (h, w, of its dtype): 0 outside of the shape, feathered as it is."""
    return multiplied(matte, selection)


def _weight(matte: NDArray[Any], selection: NDArray[Any]) -> float:
    """How many pixels of the matte lie in the selection."""
    top = float(np.iinfo(matte.dtype).max) * float(np.iinfo(selection.dtype).max)
    return float(np.einsum("ij,ij->", matte, selection, dtype=np.float64)) / top
