"""Gentle levels and white balance of the visible subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.photo import ColourMode, Pixels

_STRIP_ROWS: Final = 256
_SAMPLES: Final = 200_000
_DARKEST: Final = 0.08  # the black point moves no further up, the white point no further down
_BRIGHTEST: Final = 0.85
_TINT: Final = 0.06  # the strongest correction of a channel
_NEAR_GRAY: Final = 0.12
_LEAST_GRAY: Final = 0.02  # of the subject, below which its colours tell nothing about the light


def enhanced(colours: Pixels, alpha: Pixels, mode: ColourMode) -> tuple[Pixels, str]:
    """Colours with stretched levels and a neutral balance, and the sentence about what was done.

    Levels from the 0.5 and 99.5 percentiles of the subject's light, balance from its bright, nearly
    gray pixels; both bounded, so that a dark subject stays dark and a red one red. CMYK stays as it is.
    """
    if mode == "cmyk":
        return colours, "Enhance: CMYK colours were left as they are."
    top = int(np.iinfo(colours.dtype).max)
    ys, xs = np.nonzero(alpha > top // 2)
    if ys.size == 0:
        return colours, "Enhance: there is no subject to measure."
    step = max(1, ys.size // _SAMPLES)
    sample = colours[ys[::step], xs[::step]].astype(np.float64) / top
    light = sample.mean(axis=1)
    low = min(_DARKEST, float(np.percentile(light, 0.5)))
    high = max(_BRIGHTEST, float(np.percentile(light, 99.5)))
    gains = _balance(sample, light)
    out: NDArray[Any] = np.empty_like(colours)
    ramp = np.arange(top + 1) / top
    for index in range(colours.shape[2]):
        curve = np.clip((ramp * gains[index] - low) / (high - low), 0, 1)
        table = np.rint(curve * top).astype(colours.dtype)
        for start in range(0, colours.shape[0], _STRIP_ROWS):
            rows = slice(start, start + _STRIP_ROWS)
            out[rows, :, index] = table[colours[rows, :, index]]
    balance = ", ".join(f"{gain:.3f}" for gain in gains)
    return out, f"Enhance: levels {low * 255:.0f} to {high * 255:.0f} of 255, channels times {balance}."


def _balance(sample: NDArray[np.float64], light: NDArray[np.float64]) -> NDArray[np.float64]:
    """A factor for each channel that makes the subject's bright grays neutral."""
    channels = sample.shape[1]
    spread = sample.max(axis=1) - sample.min(axis=1)
    gray = (spread < _NEAR_GRAY) & (light > np.median(light)) & (sample.max(axis=1) < 0.99)
    if channels == 1 or gray.mean() < _LEAST_GRAY:
        return np.ones(channels)
    means = sample[gray].mean(axis=0)
    gains: NDArray[Any] = np.clip(means.mean() / np.maximum(means, 1e-6), 1 - _TINT, 1 + _TINT)
    return gains
