"""finish: the canvas, the placed subject, its shadow, outline and background."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mattebox.core.composition import Composition
from mattebox.core.finish.background import background_of
from mattebox.core.finish.enhance import enhanced
from mattebox.core.finish.kept_shadow import kept_shadow
from mattebox.core.finish.layout import FineBox, Placement, place, solid_box, visible_box
from mattebox.core.finish.outline import outline_of
from mattebox.core.finish.resample import colours_on_canvas, on_canvas
from mattebox.core.finish.shadow import drawn_shadow
from mattebox.core.patched import whole
from mattebox.core.photo.colour import colour_from_srgb, srgb_profile, to_srgb
from mattebox.core.settings.limits import ReadLimits

if TYPE_CHECKING:
    from mattebox.core.cutout import Cutout
    from mattebox.core.patched import Patched
    from mattebox.core.photo import Photo, Pixels
    from mattebox.core.settings import FinishSettings

_DEFAULT_LIMITS = ReadLimits()


def finish(cutout: Cutout, settings: FinishSettings, limits: ReadLimits = _DEFAULT_LIMITS) -> Composition:
    """The finished picture of `cutout`. Without settings its arrays are the cutout's own.

    limits: how large a background image may be. Raises SettingsError (no room on the canvas), PhotoError
    (a bad background image), LimitError.
    """
    photo, colours = cutout.photo, cutout.shown
    if photo.mode == "gray" and _has_colour(settings):
        photo, colours = _in_colour(photo, colours)
    if settings.dpi is not None:
        photo = replace(photo, dpi=(settings.dpi, settings.dpi))
    notes: list[str] = []
    placement = _placement(cutout.alpha, settings, notes)
    made = _placed(photo, colours, cutout.alpha, placement)
    if settings.enhance == "auto":
        better, note = enhanced(whole(made.colours), made.alpha, made.mode)
        made = replace(made, colours=better)
        notes.append(note)
    made = _with_outline(made, settings)
    shadow = _shadow(made, cutout, settings, placement, notes)
    background = background_of(settings.background, photo, made.original, made.alpha, limits)
    if photo.mode != cutout.photo.mode:
        # Said at the end: what is sRGB already needs no transform before.
        made = replace(made, photo=replace(made.photo, icc=srgb_profile()))
    return replace(made, shadow=shadow, background=background, notes=tuple(notes))


def _placement(alpha: Pixels, settings: FinishSettings, notes: list[str]) -> Placement:
    frame: FineBox = (0.0, 0.0, float(alpha.shape[1]), float(alpha.shape[0]))
    if settings.crop == "subject":
        # A canvas asks for the same place every time, a mere crop for everything that is visible.
        box: FineBox | None = visible_box(alpha) if settings.canvas is None else solid_box(alpha)
        if box is None:
            notes.append("There is no subject to crop to; the whole photo was taken.")
        frame = box or frame
    return place(frame, settings)


def _placed(photo: Photo, colours: Pixels | Patched, alpha: Pixels, placement: Placement) -> Composition:
    """The photo's planes on the canvas; the very same arrays where the canvas is the photo."""
    frame = (0.0, 0.0, float(photo.width), float(photo.height))
    if (placement.source, placement.target, *placement.canvas) == (frame, frame, photo.width, photo.height):
        return Composition(photo, photo.pixels, colours, alpha)
    original = on_canvas(photo.pixels, placement)
    untouched = colours is photo.pixels
    shown = original if untouched else colours_on_canvas(whole(colours), alpha, original, placement)
    return Composition(photo, original, shown, on_canvas(alpha, placement))


def _with_outline(made: Composition, settings: FinishSettings) -> Composition:
    box = visible_box(made.alpha) if settings.outline is not None else None
    if settings.outline is None or box is None:
        return made
    width = settings.outline.width.pixels(max(box[2] - box[0], box[3] - box[1]))
    line = outline_of(made.alpha, width)
    return replace(made, outline=line, outline_colour=colour_from_srgb(settings.outline.colour, made.photo))


def _shadow(
    made: Composition, cutout: Cutout, settings: FinishSettings, placement: Placement, notes: list[str]
) -> Pixels | None:
    kind = settings.shadow.kind
    box = visible_box(made.alpha) if kind != "none" else None
    if box is None:
        return None
    if kind == "keep":
        own, plain = kept_shadow(cutout.photo, cutout.alpha)
        if not plain:
            notes.append("The backdrop is not plain: the shadow that was kept may hold more than the shadow.")
        return on_canvas(own, placement)
    shape = made.alpha if made.outline is None else np.maximum(made.alpha, made.outline)
    return drawn_shadow(shape, box, settings.shadow)


def _has_colour(settings: FinishSettings) -> bool:
    """Whether the settings bring colour into the picture, which a gray one could not hold."""
    background = settings.background
    colours = [background.colour, settings.outline.colour if settings.outline else None]
    return background.image is not None or any(len(set(colour)) > 1 for colour in colours if colour)


def _in_colour(photo: Photo, colours: Pixels | Patched) -> tuple[Photo, Pixels]:
    """A gray photo as sRGB."""
    pixels = to_srgb(photo.pixels, photo.mode, photo.icc)
    shown = pixels if colours is photo.pixels else to_srgb(whole(colours), photo.mode, photo.icc)
    return replace(photo, pixels=pixels, mode="rgb", icc=None), shown
