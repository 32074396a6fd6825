"""Compositions for the PSD writer's tests, and readers of what it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mattebox.core.composition import Composition
from mattebox.core.photo import Photo

if TYPE_CHECKING:
    from collections.abc import Callable

CHANNELS = {"gray": 1, "rgb": 3, "cmyk": 4}


def build(
    mode: str = "rgb",
    bits: int = 8,
    size: tuple[int, int] = (61, 47),
    *,
    clean: bool = False,
    shadow: bool = False,
    **further: Any,
) -> Composition:
    """A noisy picture with a soft round matte off its middle; further fields go to photo or composition."""
    width, height = size
    rng = np.random.default_rng(7)
    dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
    full = int(np.iinfo(dtype).max)
    pixels = rng.integers(0, full + 1, (height, width, CHANNELS[mode]), dtype)
    rows, columns = np.mgrid[0:height, 0:width]
    away = np.hypot((rows - height * 0.45) / height, (columns - width * 0.4) / width)
    alpha = (np.clip((0.35 - away) * 12, 0, 1) * full).astype(dtype)
    photo_fields = {key: further.pop(key) for key in list(further) if key in Photo.__dataclass_fields__}
    photo = Photo(pixels, mode=mode, **photo_fields)  # type: ignore[arg-type]
    return Composition(
        photo=photo,
        original=pixels,
        colours=np.where(alpha[..., None] < full, pixels // 2, pixels) if clean else pixels,
        alpha=alpha,
        shadow=np.roll(alpha // 2, 5, axis=1) if shadow else None,
        **further,
    )


@pytest.fixture
def composition_of() -> Callable[..., Composition]:
    """Builds compositions."""
    return build
