"""Every kind of PSD that we write, as small files: for our readers and for the editors' rigs.

from tests.core.write.psd.samples import write_samples
for sample in write_samples(folder): sample.path, sample.composition, sample.options
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mattebox.core.composition import Composition
from mattebox.core.photo import Photo
from mattebox.core.settings import PsdNames, PsdOutput
from mattebox.core.write.psd import write

if TYPE_CHECKING:
    from pathlib import Path

CHANNELS = {"gray": 1, "rgb": 3, "cmyk": 4}


def build(
    mode: str = "rgb",
    bits: int = 8,
    size: tuple[int, int] = (61, 47),
    *,
    clean: bool = False,
    shadow: bool = False,
    outline: bool = False,
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
        outline=np.roll(alpha, -4, axis=0) if outline else None,
        outline_colour=tuple(range(full // 2, full // 2 + CHANNELS[mode])) if outline else (),
        **further,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One file: where it is, what it was made of, and with which options."""

    path: Path
    composition: Composition
    options: PsdOutput


_KINDS: Final[dict[str, dict[str, Any]]] = {
    "plain": {},
    "path": {"clipping_path": True},
    "zip": {"compression": "zip"},
    "group": {"group": True, "original": True},
    "channel": {"mask": "alpha-channel"},
    "both": {"mask": "both"},
    "clear": {"backdrop": "none"},
    "clear-both": {"backdrop": "none", "mask": "both", "group": True, "compression": "zip"},
    "named": {"names": PsdNames(subject="原写真", clean="Вырез", shadow="ظل", background="背景 🌸")},
}


def write_samples(folder: Path) -> list[Sample]:
    """Write each kind in each colour mode and depth, and a PSB; `folder` must exist."""
    samples = []
    for mode in CHANNELS:
        for bits in (8, 16):
            made = build(mode, bits, clean=True, shadow=True, dpi=(300.0, 240.0))
            for kind, fields in _KINDS.items():
                samples.append(_written(folder / f"{mode}-{bits}-{kind}.psd", made, fields))
    wide = build(size=(30_001, 2), clean=True, shadow=True, dpi=(300.0, 240.0))
    return [*samples, _written(folder / "wide.psb", wide, {})]


def _written(path: Path, made: Composition, fields: dict[str, Any]) -> Sample:
    options = PsdOutput(**fields)
    write(made, options, path)
    return Sample(path, made, options)
