"""A finished picture in 8 or 16 bits, for programs that read the other depth badly."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mattebox.core.patched import Patched
from mattebox.core.photo.colour import in_depth

if TYPE_CHECKING:
    from mattebox.core.composition import Composition
    from mattebox.core.photo import Pixels


def with_depth(composition: Composition, bits: int) -> Composition:
    """The composition with all its samples in `bits` a channel, rounded; itself where they are."""
    if composition.photo.bits == bits:
        return composition
    original = in_depth(composition.original, bits)
    background = composition.background
    return replace(
        composition,
        photo=replace(composition.photo, pixels=in_depth(composition.photo.pixels, bits)),
        original=original,
        colours=original
        if composition.colours is composition.original
        else _colours(composition.colours, original, composition.original, bits),
        alpha=in_depth(composition.alpha, bits),
        shadow=_plane(composition.shadow, bits),
        outline=_plane(composition.outline, bits),
        outline_colour=_values(composition.outline_colour, bits),
        background=_values(background, bits) if isinstance(background, tuple) else _plane(background, bits),
    )


def _colours(colours: Pixels | Patched, original: Pixels, before: Pixels, bits: int) -> Pixels | Patched:
    if not isinstance(colours, Patched):
        return in_depth(colours, bits)
    base = original if colours.base is before else in_depth(colours.base, bits)
    patches = [replace(patch, colours=in_depth(patch.colours, bits)) for patch in colours.patches]
    return Patched(base, patches)


def _plane(plane: Pixels | None, bits: int) -> Pixels | None:
    return None if plane is None else in_depth(plane, bits)


def _values(values: tuple[int, ...], bits: int) -> tuple[int, ...]:
    """Channel values of one colour."""
    return tuple(value * 257 if bits == 16 else (value + 128) // 257 for value in values)
