"""Pointing without a promptable network: closer looks with the salient one, and colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.segment.prediction import predict
from mattebox.core.segment.prompt.choose import clicked_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mattebox.core.network.segmenter import Segmenter
    from mattebox.core.segment.prediction import Frame
    from mattebox.core.segment.prompt.prompts import Click

    Map = NDArray[np.float32]
    View = NDArray[np.uint8]

# Halves of the boxes around a click that are looked at, in shares of the longer side, until one shows
# a thing.
_REACHES: Final = (0.3, 0.15)
# GrabCut (Rother et al., SIGGRAPH 2004) works on copies of at most so many pixels a side.
_SIDE: Final = 320
_ROUNDS: Final = 3
_TOUCH: Final = 3
_SURE: Final = 0.9


def found_alone(view: View, segmenter: Segmenter, salient: Map, clicks: Sequence[Click]) -> Map:
    """What is pointed at in a view (h, w, 3), as far as the salient map and colours tell: (h, w) in 0..1.

    salient: what the network says of the whole view. clicks: in pixels of the view. Raises InferenceError.
    """
    height, width = salient.shape
    level = np.zeros_like(salient) if any(click.inside for click in clicks) else salient.copy()
    for click in clicks:
        x, y = min(int(click.x), width - 1), min(int(click.y), height - 1)
        if click.inside and level[y, x] < 0.5:
            part = clicked_part(salient, x, y)
            level = np.maximum(level, _closer(view, segmenter, x, y) if part is None else part)
    cells = [(min(int(c.x), width - 1), min(int(c.y), height - 1), c.inside) for c in clicks]
    if all((level[y, x] >= 0.5) == inside for x, y, inside in cells):
        return level
    return _by_colours(view, level, cells)


def _closer(view: View, segmenter: Segmenter, x: int, y: int) -> Map:
    """The thing at a pixel as looks into boxes around it show it; an empty map where they show none."""
    height, width = view.shape[:2]
    for share in _REACHES:
        reach = round(share * max(height, width))
        frame: Frame = (max(0, x - reach), max(0, y - reach), min(width, x + reach), min(height, y + reach))
        part = clicked_part(predict(view, segmenter, frame), x, y)
        if part is not None:
            return part
    return np.zeros((height, width), np.float32)


def _by_colours(view: View, level: Map, cells: Sequence[tuple[int, int, bool]]) -> Map:
    """The map moved to where colours agree with the clicks that contradict it."""
    height, width = level.shape
    share = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(width * share)), max(1, round(height * share)))
    small = cv2.resize(view, size, interpolation=cv2.INTER_AREA)
    begun = cv2.resize(level, size, interpolation=cv2.INTER_AREA)
    labels = np.where(begun >= 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    for x, y, inside in cells:
        sure = cv2.GC_FGD if inside else cv2.GC_BGD
        cv2.circle(labels, (int(x * share), int(y * share)), _TOUCH, int(sure), cv2.FILLED)
    foreground = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if not foreground.any() or foreground.all():
        return level
    cv2.setRNGSeed(0)  # equal input, equal answer
    try:
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(np.asarray(small), labels, (0, 0, 1, 1), *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # too few pixels of one side for its mixtures
        return level
    found = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
