"""PagePrompts: what a person pointed at and painted in the browser, checked, as prompts for the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import cv2
import numpy as np
from pydantic import Field, ValidationError

from mattebox.core.errors import SettingsError
from mattebox.core.segment.prompt.prompts import Click, Prompts, Strokes
from mattebox.core.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Labels = NDArray[np.uint8]

# Pixels of a photo, as far as any photo goes; a stroke may leave it.
_Number = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
_Point = tuple[_Number, _Number]
_LABELS: Final = {"in": 1, "out": 2, "unsure": 3}


class Stroke(Settings):
    """One stroke of the brush: its width and its points, in pixels of the photo."""

    kind: Literal["in", "out", "unsure"]
    size: float = Field(ge=0.5, le=20000)
    points: tuple[_Point, ...] = Field(min_length=1, max_length=20000)


class PagePrompts(Settings):
    """All that was said of one photo so far, in its pixels. anew: the matte that was there does not count."""

    clicks: tuple[tuple[_Number, _Number, bool], ...] = Field((), max_length=200)
    box: tuple[_Number, _Number, _Number, _Number] | None = None
    strokes: tuple[Stroke, ...] = Field((), max_length=500)
    anew: bool = False


def read_page_prompts(data: Any) -> PagePrompts:
    """What a page sent. Raises SettingsError where it is no such thing."""
    try:
        return PagePrompts.model_validate(data)
    except ValidationError as error:
        raise SettingsError("What was drawn cannot be read; reload the page and draw it again.") from error


def labels_of(said: PagePrompts, width: int, height: int) -> Labels | None:
    """The strokes painted over each other, (h, w) uint8: 1 subject, 2 not, 3 unsure, 0 nothing; or None."""
    if not said.strokes:
        return None
    labels = np.zeros((height, width), np.uint8)
    for stroke in said.strokes:
        points = np.rint(np.clip(stroke.points, -30000, 30000)).astype(np.int32).reshape(-1, 1, 2)
        thickness = max(1, round(min(stroke.size, 2 * max(width, height))))
        if len(points) == 1:
            x, y = points[0, 0]
            cv2.circle(labels, (int(x), int(y)), max(1, thickness // 2), _LABELS[stroke.kind], cv2.FILLED)
        else:
            cv2.polylines(
                labels, [points], isClosed=False, color=_LABELS[stroke.kind], thickness=min(thickness, 32767)
            )
    return labels


def prompts_from(said: PagePrompts, width: int, height: int, former: Map | None) -> Prompts:
    """What was said as prompts for a photo of that size; points beside it are at its edge."""
    labels = labels_of(said, width, height)
    strokes = None if labels is None else Strokes(labels == 1, labels == 2, labels == 3)
    clicks = tuple(
        Click(min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0), inside)
        for x, y, inside in said.clicks
    )
    return Prompts(clicks, _box(said, width, height), strokes, None if said.anew else former)


def _box(said: PagePrompts, width: int, height: int) -> tuple[float, float, float, float] | None:
    if said.box is None:
        return None
    left, right = sorted(min(max(x, 0.0), float(width)) for x in said.box[::2])
    top, bottom = sorted(min(max(y, 0.0), float(height)) for y in said.box[1::2])
    return (left, top, right, bottom) if right - left >= 1 and bottom - top >= 1 else None
