"""From a small probability map to alpha at the photo's full resolution."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from mattebox.core.matte.band_tiles import along_band
from mattebox.core.matte.closed_form import closed_form
from mattebox.core.matte.colour_projection import colour_model, local_colours, project
from mattebox.core.matte.enlarge import enlarged, enlarged_smooth, reached, source_window, tiles
from mattebox.core.matte.evidence import (
    accept_refined,
    accept_solved,
    data_weight,
    haze_mask,
    softness,
    stretched,
)
from mattebox.core.matte.learned import shipped_refiner
from mattebox.core.matte.solid import solid
from mattebox.core.matte.trimap import trimap, unknown_band, unsure_band
from mattebox.core.parallel import both, side_by_side
from mattebox.core.segment.boxes import mask_box
from mattebox.core.segment.view import network_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.matte.learned import LearnedRefiner
    from mattebox.core.photo import Photo, Pixels

    Map = NDArray[np.float32]
    Box = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What colour has to show before it may change an edge.

    reach: the band's half width, in pixels of the map that is asked about. contrast: the squared distance
    of the two sides' colours at which it has half a weight. tolerance: how far its alpha, averaged over a
    pixel of that map, may leave the map; beyond it has no weight.
    """

    reach: float
    contrast: float
    tolerance: float


@dataclass(frozen=True, slots=True, eq=False)
class ColourModel:
    """Alpha by colour (`colour_model` of matte.colour_projection), and its weight, (h, w) in 0..1."""

    model: Map
    weight: Map


# Measured on labelled photos (bench/edges.py): looser evidence gains on real hair and loses on hard edges.
_EVIDENCE: Final = {
    "auto": Evidence(2.0, 0.1, 0.15),
    "hard": Evidence(2.0, 0.1, 0.15),
    "hair": Evidence(4.0, 0.02, 0.4),
}
# Half the width of the band that the learned refiner may change, in pixels of the network's input.
_REACH: Final = 3.0
# The same of the band that is solved for, beyond what is unsure.
_UNSURE_REACH: Final = 1.6
_SOLVED_TILE: Final = 192
# A map with more pixels than this for each of the network's is first brought to _WORTH of them: refining
# costs half, and edges come out as well (labelled photos enlarged to 1200 to 1600 pixels, one prediction at
# 1024: .2074, .1365 and .1235 either way; with the map averaged instead, .2075, .1376 and .1242).
_FINE: Final = 2.8
_WORTH: Final = 2.0
# A hard edge becomes this many pixels wide.
_HARD_WIDTH: Final = 1.5
# A rough matte's edge may be anywhere within its reach, so nothing is asked of colour but contrast.
_ROUGH: Final = Evidence(4.0, 0.002, np.inf)
_WORKING_SIDE: Final = 1024


def refine_matte(
    photo: Photo,
    probability: Map,
    mode: str = "auto",
    detail: float = 1.0,
    small: Pixels | None = None,
    *,
    learned: bool = True,
    refiner: LearnedRefiner | None = None,
) -> Pixels:
    """Alpha of the photo's size and depth, (h, w) uint8 or uint16, from a map of any smaller size.

    mode: auto, none, hair or hard. detail: pixels of the map per pixel of the network's input. small: the
    photo's pixels at the map's size, where somebody has them. learned: whether the learned refiner and the
    solver are asked, which takes half as long as a network's prediction; `refiner` is another than the
    shipped one. Within the unknown band they and then, at the photo's own scale, colour decide as far as the
    evidence goes; elsewhere the map stands, solid where it is sure.
    """
    if mode == "none":
        return _full_size(photo, solid(probability, detail), None, 1.0)
    small = _at_size(photo, probability) if small is None else small
    if detail > _FINE:
        small, probability = _shrunk(small, probability, _WORTH / detail)
        detail = _WORTH
    level = solid(probability, detail)
    scale = detail
    if learned:
        view = network_view(photo, small, own_alpha=False)
        level = _refined(refiner or shipped_refiner(), view, small, level, detail)
        scale = 1.0
    colour = _colour_model(small, level, _EVIDENCE[mode], scale)
    if colour is not None:
        colour = replace(colour, weight=colour.weight * softness(level, scale))
    steepness = 1.0
    if mode == "hard":
        steepness = max(1.0, detail * photo.width / level.shape[1] / _HARD_WIDTH)
    return _full_size(photo, level, colour, steepness)


def _refined(
    refiner: LearnedRefiner, view: NDArray[np.uint8], small: Pixels, level: Map, detail: float
) -> Map:
    """The map with its soft edge as the learned refiner and then a solver draw it, as far as is believed."""
    band = unknown_band(level, _REACH * detail) & (softness(level, detail) > 0)
    box = mask_box(band, ceil(2 * detail) + 2)
    if box is None:
        return level
    picture = _unit(small)
    colours, refined = both(
        lambda: local_colours(picture, trimap(level, _EVIDENCE["auto"].reach * detail), detail, box),
        lambda: refiner.refine(view, level, band),
    )
    found = level.copy()
    found[box] = accept_refined(level[box], refined[box], picture[box], colours, detail)
    screen = np.ones_like(level)
    screen[box] = data_weight(colours, detail)
    unknown = unsure_band(level, _UNSURE_REACH * detail)
    asked = band & (softness(found, detail) > 0)
    asked[box] |= haze_mask(found[box], detail)
    asked &= unknown
    if not asked.any():
        return found
    begun = np.where(unknown, stretched(found, detail), found)
    solved = along_band(
        lambda tile: closed_form(picture[tile], begun[tile], unknown[tile], screen[tile]),
        found,
        asked,
        _SOLVED_TILE,
    )
    found[box] = accept_solved(found[box], solved[box], colours, detail)
    return found


def refine_rough(photo: Photo, rough: Map, mode: str = "auto", reach: float = 0.015) -> Pixels:
    """Alpha from a rough matte (h, w) in 0..1 whose edge is off by up to `reach` of the diagonal.

    For selections, old masks and boxes drawn by hand, of any size. Same size and depth as the photo. With
    mode none the rough matte itself, resized.
    """
    if mode == "none":
        whole = cv2.resize(rough, (photo.width, photo.height), interpolation=cv2.INTER_LINEAR)
        return levels(np.asarray(whole, np.float32), photo.pixels.dtype)
    shrink = min(1.0, _WORKING_SIDE / max(photo.width, photo.height))
    size = (max(1, round(photo.width * shrink)), max(1, round(photo.height * shrink)))
    level = np.asarray(cv2.resize(rough, size, interpolation=cv2.INTER_AREA), np.float32)
    detail = max(1.0, reach * float(np.hypot(*level.shape)) / _ROUGH.reach)
    steepness = max(1.0, detail / shrink / _HARD_WIDTH) if mode == "hard" else 1.0
    colour = _colour_model(_at_size(photo, level), level, _ROUGH, detail)
    return _full_size(photo, level, colour, steepness)


def levels(alpha: Map, dtype: np.dtype[Any]) -> Pixels:
    """Alpha of 0..1 as whole levels of uint8 or uint16, rounded."""
    top = np.iinfo(dtype).max
    scaled = np.clip(alpha * np.float32(top) + np.float32(0.5), 0, top)
    return np.asarray(scaled, dtype)


def _at_size(photo: Photo, level: Map) -> Pixels:
    height, width = level.shape
    small: Any = cv2.resize(photo.pixels, (width, height), interpolation=cv2.INTER_AREA)
    resized: Pixels = small.reshape(height, width, -1)
    return resized


def _shrunk(small: Pixels, probability: Map, share: float) -> tuple[Pixels, Map]:
    """A picture (h, w, c) and its map (h, w) at that share of their size.

    The map holds no more than fewer pixels do, so that averaging would only soften it.
    """
    height, width = (max(1, round(length * share)) for length in probability.shape)
    fewer: Any = cv2.resize(small, (width, height), interpolation=cv2.INTER_AREA)
    found = cv2.resize(probability, (width, height), interpolation=cv2.INTER_CUBIC)
    return fewer.reshape(height, width, -1), np.asarray(np.clip(found, 0.0, 1.0), np.float32)


def _colour_model(small: Pixels, level: Map, evidence: Evidence, detail: float) -> ColourModel | None:
    """Both sides' colours and their weight; None where nothing is unknown."""
    parts = trimap(level, evidence.reach * detail)
    sigma = max(1.0, detail)
    # Two blurs in a row, each of which looks four of its sigmas away.
    box = mask_box(parts.unknown, 2 * ceil(4 * sigma) + 2)
    if box is None:
        return None
    picture = _unit(small)
    colours = local_colours(picture, parts, detail, box)
    model = colour_model(colours)
    found = project(picture[box], model)
    contrast = colours.contrast
    weight = contrast / (contrast + np.float32(evidence.contrast)) * colours.known
    if np.isfinite(evidence.tolerance):
        apart = np.abs(cv2.GaussianBlur(found - level[box], (0, 0), sigma))
        weight *= np.clip(1 - apart / np.float32(evidence.tolerance), 0, 1)
        weight = cv2.GaussianBlur(np.asarray(weight, np.float32), (0, 0), sigma)
    weight = _placed(np.asarray(weight, np.float32), box, level.shape) * parts.unknown
    return ColourModel(_placed(model, box, level.shape), weight)


def _placed(part: Map, box: Box, shape: tuple[int, ...]) -> Map:
    """A part in a map of zeros."""
    whole = np.zeros((*shape, *part.shape[2:]), np.float32)
    whole[box] = part
    return whole


def _full_size(photo: Photo, level: Map, colour: ColourModel | None, steepness: float) -> Pixels:
    size = (photo.height, photo.width)
    alpha: Pixels = np.empty(size, photo.pixels.dtype)

    def fill(tile: tuple[slice, slice]) -> None:
        below = level[source_window(level.shape, size, *tile)]
        asked = None if colour is None else reached(colour.weight, size, *tile)
        if asked is None and below.min() == below.max():
            # Most of a photo is far from every edge.
            alpha[tile] = levels(below[:1, :1], photo.pixels.dtype)
            return
        part = np.clip(enlarged(level, size, *tile, cubic=True), 0.0, 1.0)
        if colour is not None and asked is not None:
            inner = tuple(
                slice(side.start - whole.start, side.stop - whole.start)
                for side, whole in zip(asked, tile, strict=True)
            )
            _blend_colour(photo, part[inner], colour, asked)
        if steepness > 1:
            part = np.clip((part - np.float32(0.5)) * np.float32(steepness) + np.float32(0.5), 0.0, 1.0)
        alpha[tile] = levels(np.asarray(part, np.float32), photo.pixels.dtype)

    deque(side_by_side(fill, tiles(*size)), maxlen=0)
    return alpha


def _blend_colour(photo: Photo, part: Map, colour: ColourModel, tile: tuple[slice, slice]) -> None:
    """Move `part`, a tile of the matte, towards what colour says, by its weight; in place."""
    size = (photo.height, photo.width)
    found = project(photo.pixels[tile], enlarged_smooth(colour.model, size, *tile))
    found -= part
    found *= enlarged_smooth(colour.weight, size, *tile)
    part += found


def _unit(pixels: Pixels) -> Map:
    return np.asarray(pixels, np.float32) / np.float32(np.iinfo(pixels.dtype).max)
