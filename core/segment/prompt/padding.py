"""The embedding beyond a view: what the encoder would say of the padding that it was not shown.

The authors put a view into the upper left of a square of 1024 pixels and encode all of it; at 3 by 2 a third
is padding. Here the view is encoded with two patches of padding. What all of it would have said follows
nearly from what those say: fitted by bench/promptable/padding.py on 131 photos, every other photo left out,
the mean difference is .012 where the embedding's mean size is .075. Repeating the margin's last row instead
has .036 and more; the decoder without anything there took the wrong thing in one of 72 photos.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.segment.prompt.frame import MARGIN, PATCHES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Embedding = NDArray[np.float32]

_FILE: Final = "measured/mobile_sam_padding.npz"
_AROUND: Final = 15


@dataclass(frozen=True, slots=True, eq=False)
class Padding:
    """What padding says, for views that end below or, the other axes, beside.

    weights (d, 4): of the features, by the distance from the view in patches. near (d, c): a constant by that
    distance; far (y, c): one by the place in the square, of its last rows; along (c, 64): a profile along the
    edge, and amount (d,) of it.
    """

    weights: Embedding
    near: Embedding
    far: Embedding
    along: Embedding
    amount: Embedding

    def below(self, margin: Embedding, view: int) -> Embedding:
        """All below a view of so many rows of patches, (c, n, 64), from what its margin says, (c, 2, 64)."""
        places = np.arange(view, PATCHES)
        near = np.minimum(places - view, len(self.near) - 1)
        far = np.clip(places - PATCHES, -len(self.far), -1)
        constant = (self.near[near] + self.far[far])[:, :, None] + self.amount[near][
            :, None, None
        ] * self.along
        found = np.tensordot(self.weights[near], features(margin), 1) + constant
        return np.asarray(found.transpose(1, 0, 2), np.float32)


def features(margin: Embedding) -> Embedding:
    """What weights are of, (4, c, 64): a margin's rows (c, 2, 64), the blur of the last, its mean."""
    first, last = np.ascontiguousarray(margin[:, 0]), np.ascontiguousarray(margin[:, 1])
    blurred = np.asarray(cv2.blur(last, (_AROUND, 1), borderType=cv2.BORDER_REPLICATE), np.float32)
    return np.stack([first, last, blurred, np.broadcast_to(last.mean(1, keepdims=True), last.shape)])


def squared(embedding: Embedding) -> Embedding:
    """The embedding of the whole square, (1, c, 64, 64), from (1, c, rows, columns) of what was shown.

    Its last rows or columns are a margin of padding.
    """
    _, channels, rows, columns = embedding.shape
    if rows == columns == PATCHES:
        return embedding
    square = np.empty((1, channels, PATCHES, PATCHES), np.float32)
    square[:, :, :rows, :columns] = embedding
    below, beside = fitted()
    if rows < PATCHES:
        square[0, :, rows - MARGIN :] = below.below(embedding[0, :, -MARGIN:], rows - MARGIN)
    else:
        turned = embedding[0, :, :, -MARGIN:].transpose(0, 2, 1)
        beyond = beside.below(turned, columns - MARGIN)
        square[0, :, :, columns - MARGIN :] = beyond.transpose(0, 2, 1)
    return square


@cache
def fitted() -> tuple[Padding, Padding]:
    """The shipped tables: padding below a view, and beside it."""
    with np.load(BytesIO(files("mattebox.models").joinpath(_FILE).read_bytes())) as kept:
        tables: dict[str, Any] = {name: kept[name].astype(np.float32) for name in kept.files}
    below, beside = (Padding(**{name: table[place] for name, table in tables.items()}) for place in (0, 1))
    return below, beside
