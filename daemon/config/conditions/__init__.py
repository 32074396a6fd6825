"""The conditions of `when:`, one file each; this table is the registry."""

from __future__ import annotations

from typing import Final

from mattebox.daemon.config.conditions import (
    age,
    alpha,
    bits,
    colour,
    exif,
    extension,
    height,
    megapixels,
    name,
    orientation,
    path,
    profile,
    size,
    width,
    xmp,
)
from mattebox.daemon.config.conditions.base import Condition

# Cheap ones first: what a name decides needs no inspection of the file.
REGISTRY: Final[dict[str, Condition]] = {
    condition.name: condition
    for module in (
        extension,
        path,
        name,
        size,
        age,
        width,
        height,
        megapixels,
        orientation,
        colour,
        bits,
        alpha,
        profile,
        exif,
        xmp,
    )
    for condition in module.CONDITIONS
}
PAIRS: Final = ("size", "age", "width", "height", "megapixels")

__all__ = ["PAIRS", "REGISTRY", "Condition"]
