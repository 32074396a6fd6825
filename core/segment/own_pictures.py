"""A user's own photos as pictures to calibrate and to check a quantised network on."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from mattebox.core.errors import MatteboxError, OptimizeError
from mattebox.core.network.pictures import CALIBRATE, CHECK, Pictures
from mattebox.core.photo import read_photo
from mattebox.core.segment.view import LONGEST, network_view

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_LEAST: Final = 8


def own_pictures(paths: Sequence[Path]) -> Pictures:
    """At most 24 of these photos to calibrate on, and at most 12 others to check on.

    The choice does not change when a photo is added: a photo's place follows from a hash of its name.
    Photos that cannot be read are passed over. Raises OptimizeError where fewer than 8 can be read.
    """
    order = sorted(paths, key=lambda path: hashlib.sha256(path.name.encode("utf-8", "replace")).digest())
    views: list[NDArray[np.uint8]] = []
    for path in order:
        if len(views) == CALIBRATE + CHECK:
            break
        try:
            views.append(network_view(read_photo(path, longest=LONGEST)))
        except MatteboxError:
            continue
    if len(views) < _LEAST:
        raise OptimizeError(
            f"Only {len(views)} of these {len(order)} photos can be read; optimising needs at least {_LEAST}."
        )
    kept = max(len(views) // 3, len(views) - CALIBRATE)
    return Pictures(views[kept:], views[:kept], f"{kept} of your photos")
