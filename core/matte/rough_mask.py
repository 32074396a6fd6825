"""A rough mask by hand: an outline that is nearly right, or no more than a shape around the subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from mattebox.core.segment.boxes import mask_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import Photo
    from mattebox.core.settings import CutSettings

# A drawn shape is plain where it shares this much with a rectangle or an ellipse: the tools that editors
# have for "somewhere in here". Outlines of real things stay far below.
_PLAIN: Final = 0.98


def search_settings(photo: Photo, settings: CutSettings, rough: NDArray[np.float32]) -> CutSettings | None:
    """The settings that look for a subject inside a plain rough shape; None where the shape is an outline.

    rough: (h, w) float32 in 0..1, of any size. A shape over the whole photo says nothing of where.
    """
    mask = rough >= 0.5
    box = mask_box(mask)
    if box is None or settings.refine == "none":
        return None
    part = mask[box]
    plain = _alike(part, np.ones_like(part)) or _alike(part, _ellipse(*part.shape))
    if part.size == mask.size or not plain:
        return None
    rows, columns = box
    across, down = photo.width / mask.shape[1], photo.height / mask.shape[0]
    edges = (columns.start * across, rows.start * down, columns.stop * across, rows.stop * down)
    return settings.model_copy(update={"subject": edges})


def _alike(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    return bool(np.count_nonzero(one & other) >= _PLAIN * np.count_nonzero(one | other))


def _ellipse(height: int, width: int) -> NDArray[np.bool_]:
    """The ellipse that fills a box."""
    down = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(height / 2) - 1
    across = (np.arange(width, dtype=np.float32) + np.float32(0.5)) / np.float32(width / 2) - 1
    return np.asarray(down[:, None] ** 2 + across[None, :] ** 2 <= 1)
