"""What stands in the layers palette: a composition as layers, from the bottom up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mattebox.core.patched import Patched, rows_of
from mattebox.core.write.psd.planes import (
    Box,
    Plane,
    constant_plane,
    covered_box,
    inverted,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.composition import Composition
    from mattebox.core.photo import ColourMode, Pixels
    from mattebox.core.settings import PsdOutput

Role = Literal["pixels", "group", "group-end"]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer; arrays have the canvas's size, `box` is the part of them that is stored.

    colours: (h, w, c) straight colours in the photo's mode and depth, or one colour.
    alpha: (h, w) transparency, None is opaque. mask: (h, w) the user mask, None is none.
    mask_box: the mask's stored part; outside it the mask hides.
    """

    name: str
    box: Box
    colours: tuple[int, ...] | Pixels | Patched = ()
    alpha: Pixels | None = None
    mask: Pixels | None = None
    mask_box: Box = field(default=Box(0, 0, 0, 0))
    multiply: bool = False
    visible: bool = True
    role: Role = "pixels"

    def colour_planes(self, mode: ColourMode, dtype: np.dtype[np.uint8 | np.uint16]) -> list[Plane]:
        """One plane a colour channel, cut to the box, as the file stores it."""
        box = self.box
        colours = self.colours
        if isinstance(colours, tuple):
            planes = [constant_plane(box.width, box.height, value, dtype) for value in colours]
        else:
            channels = colours.base.shape[2] if isinstance(colours, Patched) else colours.shape[2]
            planes = [_channel(colours, box, index, dtype) for index in range(channels)]
        return [inverted(plane) for plane in planes] if mode == "cmyk" else planes


def _channel(colours: Pixels | Patched, box: Box, index: int, dtype: np.dtype[np.uint8 | np.uint16]) -> Plane:
    """One channel in a box, computed where it is read."""

    def rows(part: slice) -> NDArray[Any]:
        asked = slice(box.top + part.start, box.top + part.stop)
        return rows_of(colours, asked)[:, box.left : box.right, index]

    return Plane(box.width, box.height, dtype, rows)


def layers_of(composition: Composition, options: PsdOutput) -> list[Layer]:
    """The layers of a composition, the lowest first."""
    names = options.names
    width, height = composition.size
    canvas = Box(0, 0, width, height)
    box = covered_box(composition.alpha)
    layers = []
    if options.original:
        layers.append(Layer(names.original, canvas, composition.original, visible=False))
    backdrop = _backdrop(composition, options)
    if backdrop is not None:
        layers.append(Layer(names.background, canvas, backdrop))
    if composition.shadow is not None:
        ink = black(composition.mode, _full(composition))
        layers.append(
            Layer(names.shadow, covered_box(composition.shadow), ink, composition.shadow, multiply=True)
        )
    if composition.outline is not None:
        line = composition.outline
        layers.append(Layer(names.outline, covered_box(line), composition.outline_colour, line))
    if options.clean and composition.colours is not composition.original:
        layers.append(Layer(names.clean, box, composition.colours, composition.alpha, visible=False))
    mask = None if options.mask == "alpha-channel" else composition.alpha
    if options.group:
        layers.append(Layer("</Layer group>", Box(0, 0, 0, 0), role="group-end"))
        layers.append(Layer(names.subject, canvas, composition.original))
        layers.append(Layer(names.group, Box(0, 0, 0, 0), mask=mask, mask_box=box, role="group"))
    else:
        layers.append(Layer(names.subject, canvas, composition.original, mask=mask, mask_box=box))
    return layers


def black(mode: ColourMode, full: int) -> tuple[int, ...]:
    """Black in the channel values of `mode`; CMYK black is the black ink alone."""
    return (0, 0, 0, full) if mode == "cmyk" else (0,) * (1 if mode == "gray" else 3)


def _full(composition: Composition) -> int:
    return int(np.iinfo(composition.alpha.dtype).max)


def _backdrop(composition: Composition, options: PsdOutput) -> tuple[int, ...] | Pixels | None:
    if composition.background is not None:
        return composition.background
    if options.backdrop == "none":
        return None
    full = _full(composition)
    return {"cmyk": (0, 0, 0, 0), "gray": (full,), "rgb": (full, full, full)}[composition.mode]
