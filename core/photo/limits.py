"""The limits of a header, checked before anything is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mattebox.core.errors import LimitError, PhotoError

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.settings import ReadLimits

# CMYK with alpha; what has more samples a pixel counts as so many more pixels.
_SAMPLES: Final = 5
# Deflate packs no more than 1,032 to 1 and LZW no more than 2,731, bilevel pixels eight in a byte: what says
# more of a large picture is empty, and takes gigabytes to find out.
_LARGE: Final = 64_000_000
_PIXELS_A_BYTE: Final = 10_000


def check_limits(
    path: Path,
    limits: ReadLimits,
    width: int,
    height: int,
    frames: int = 1,
    *,
    samples: int = 1,
    size: int | None = None,
) -> None:
    """Raise LimitError where a header asks for more than `limits`, PhotoError for an empty picture.

    samples: of each pixel. size: the file's, in bytes, where it is known.
    """
    if width < 1 or height < 1:
        raise PhotoError(f"{path}: the picture is empty ({width} x {height} pixels).")
    if max(width, height) > limits.side:
        raise LimitError(
            f"{path}: {width} x {height} pixels; the longest side allowed is {limits.side}; "
            f"raise it with the setting cut.limits.side."
        )
    megapixels = width * height * max(1.0, samples / _SAMPLES) / 1e6
    if megapixels > limits.megapixels:
        of = f" of {samples:,} channels" if samples > _SAMPLES else ""
        raise LimitError(
            f"{path}: {width} x {height}{of} are {megapixels:,.1f} megapixels and the limit is "
            f"{limits.megapixels:,.1f}; raise it with the setting cut.limits.megapixels."
        )
    if size is not None and width * height > max(_LARGE, size * _PIXELS_A_BYTE):
        raise LimitError(
            f"{path}: a file of {size:,} bytes says that it holds {width} x {height} pixels, which no photo "
            "does; it is empty, or made to fill the memory."
        )
    if frames > limits.frames:
        raise LimitError(
            f"{path}: {frames} pages or frames; the limit is {limits.frames}; "
            f"raise it with the setting cut.limits.frames."
        )
