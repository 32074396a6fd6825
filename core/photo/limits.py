"""The limits of a header, checked before anything is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattebox.core.errors import LimitError, PhotoError

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.settings import ReadLimits


def check_limits(path: Path, limits: ReadLimits, width: int, height: int, frames: int = 1) -> None:
    """Raise LimitError where a header asks for more than `limits`, PhotoError for an empty picture."""
    if width < 1 or height < 1:
        raise PhotoError(f"{path}: the picture is empty ({width} x {height} pixels).")
    if max(width, height) > limits.side:
        raise LimitError(
            f"{path}: {width} x {height} pixels; the longest side allowed is {limits.side}; "
            f"raise it with the setting cut.limits.side."
        )
    if width * height > limits.megapixels * 1e6:
        raise LimitError(
            f"{path}: {width} x {height} are {width * height / 1e6:,.1f} megapixels and the limit is "
            f"{limits.megapixels:,.1f}; raise it with the setting cut.limits.megapixels."
        )
    if frames > limits.frames:
        raise LimitError(
            f"{path}: {frames} pages or frames; the limit is {limits.frames}; "
            f"raise it with the setting cut.limits.frames."
        )
