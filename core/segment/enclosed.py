"""What of an even backdrop a subject encloses: inside a frame, a handle, a ring, between a chair's slats.

Physics decides, not the network: a part is backdrop that has the backdrop's light where it lies, its noise
and no more texture, and a step all around. A subject's own shading that passes through the backdrop's light
has no step there, and what has its colour but not its light is only doubted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mattebox.core.segment.backdrop import even_backdrop, level_of, linear_light
from mattebox.core.segment.boxes import mask_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mattebox.core.segment.backdrop import Backdrop
    from mattebox.core.segment.prediction import Frame

    Map = NDArray[np.float32]
    Mask = NDArray[np.bool_]
    Numbers = NDArray[np.float64]

_CLAIMED: Final = 0.1
_MARGIN: Final = 12
# In sigmas of a pixel's noise, over 3 x 3 pixels of it: what is at most so far from the backdrop may be it.
_ALIKE: Final = (2.0, 5.0)
# A shadow on the backdrop takes light of all colours alike, and leaves at least this share of it.
_SHADE: Final = (0.55, 1.04)
# It is soft: the share of light changes by no more than this from a pixel to the next.
_SOFT: Final = 0.012
# So much of a part has to have the backdrop's full light, as a share.
_LIT: Final = 0.3
# A step at a part's border: this many times what is alike, and this many levels of 255.
_STEP: Final = 4.0
_STEP_LEVELS: Final = 10.0
_REACH: Final = 4
_WALL: Final = 2
# So few pixels beside each other that are neither alike nor a step are noise.
_GRAIN: Final = 24
# The share of its border that has a step: of backdrop that is seen through, and of what is doubted.
_STEPPED: Final = 0.9
_PERHAPS: Final = 0.6
# A part's smallest area in pixels of the view, and beyond which share of the subject's it is doubted aloud.
_LEAST: Final = 24
_WORTH_A_WORD: Final = 0.01
# How far, in levels of 255, the light of what is fully lit may be from the backdrop's on average.
_TRUE: Final = 1.5
# Linear light beyond which, about level 250, white is clipped; and what a network that doubts says.
_WHITE: Final = 0.955
_DOUBTED: Final = 0.9
# So many like parts are a mesh; its other meshes are no larger than that many times the usual one, and are
# found from one to the next, up to so many.
_MESHES: Final = 6
_ALIKE_IN_SIZE: Final = 4.0
_RINGS: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Enclosed:
    """What a subject encloses, in pixels of the view, all (h, w).

    backdrop: what is behind the subject. open: where it is seen though the map takes it for subject. shade:
    the share of its light that is left there, float32 in 0..1; 1 elsewhere. doubtful: boxes (left, top,
    right, bottom) of what may be backdrop and stays.
    """

    backdrop: Backdrop
    open: Mask
    shade: Map
    doubtful: tuple[Frame, ...]

    def out_of(self, probability: Map) -> Map:
        """The map (h, w) without what is open."""
        return np.asarray(np.where(self.open, 0, probability), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """A part of a view compared with its backdrop, all (h, w).

    lit: how far its light is from the backdrop's, in sigmas; share: how much of that light there is; alike:
    up to how many sigmas it may be the backdrop; level: how many sigmas a level of 255 is. off: how much more
    light there is than of the backdrop, in levels of 255, (h, w, 3). clipped: whether the backdrop is so
    bright that a photo does not tell it from another white. unknown: where the backdrop's light is only
    continued, which speaks neither for nor against it, short of a step; None where it is known all over.
    """

    lit: Map
    share: Map
    shaded: Mask
    alike: float
    level: float
    off: Map
    clipped: bool
    unknown: Mask | None = None

    @property
    def fully(self) -> Mask:
        """Where the backdrop's full light is seen."""
        lit = self.lit < self.alike
        return np.asarray(lit if self.unknown is None else lit & ~self.unknown)

    @property
    def perhaps(self) -> Mask:
        """Where it is seen, in the shade too, or where nothing speaks against it."""
        found = self.shaded | (self.lit < self.alike)
        return np.asarray(
            found if self.unknown is None else found | (self.unknown & (self.lit <= _step(self)))
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Connected parts: labels (h, w) int32 of 0 to count - 1, and what OpenCV tells of each."""

    labels: NDArray[np.int32]
    facts: NDArray[np.int32]

    @property
    def area(self) -> Numbers:
        return self.facts[:, cv2.CC_STAT_AREA].astype(np.float64)

    def mean(self, values: Map | Mask, labels: NDArray[np.int32] | None = None) -> Numbers:
        """The mean of values (h, w) in each part, or in what other labels give to it."""
        where = (self.labels if labels is None else labels).ravel()
        total = np.bincount(where, np.asarray(values, np.float64).ravel(), minlength=len(self.facts))
        return np.asarray(total / np.maximum(np.bincount(where, minlength=len(self.facts)), 1))


def enclosed_backdrop(
    view: NDArray[np.uint8], probability: Map, backdrop: Backdrop | None = None
) -> Enclosed | None:
    """What of the backdrop the subject of `probability` (h, w) encloses in a view (h, w, 3) uint8 sRGB.

    backdrop: what is behind the subject, where it is known; else its own, if that is even. None where it is
    not, or where nothing is enclosed.
    """
    box = mask_box(probability >= _CLAIMED, _MARGIN)
    if box is None:
        return None
    backdrop = even_backdrop(view, probability) if backdrop is None else backdrop
    if backdrop is None:
        return None
    claim = probability[box]
    looked = _compared(linear_light(view[box]), backdrop, claim, probability.shape, box)
    alike = _without_grains(looked.perhaps, looked)
    _, labels, facts, _ = cv2.connectedComponentsWithStats(alike.astype(np.uint8), connectivity=4)
    parts = _Parts(np.asarray(labels, np.int32), np.asarray(facts, np.int32))
    certain, doubted = _judged(parts, looked, claim)
    if not certain.any() and not doubted.any():
        return None
    seen, shade = np.zeros(probability.shape, bool), np.ones(probability.shape, np.float32)
    seen[box] = certain[parts.labels]
    shade[box] = np.where(seen[box], np.clip(looked.share, _SHADE[0], 1), 1)
    return Enclosed(backdrop, seen, shade, tuple(_frames(parts.facts[doubted], box)))


def _compared(
    light: Map, backdrop: Backdrop, claim: Map, size: tuple[int, ...], box: tuple[slice, slice]
) -> _Looked:
    behind = backdrop.light((size[0], size[1]), *box)
    noise = backdrop.noise_in((size[0], size[1]), *box)
    part = (light * behind).sum(axis=2) / np.maximum((behind * behind).sum(axis=2), 1e-6)
    share = np.asarray(cv2.blur(part.astype(np.float32), (3, 3)), np.float32)
    whole, apart = (size[0], size[1]), light - behind
    lit, tinted = (
        _sigmas(backdrop.apart(light, expected, whole, *box))
        for expected in (behind, behind * share[..., None])
    )
    alike = _alike(lit, claim)
    slope = np.hypot(*(cv2.Sobel(share, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1))))
    shaded = (tinted < alike) & (share > _SHADE[0]) & (share < _SHADE[1]) & (slope < _SOFT)
    usual = behind.reshape(-1, 3).mean(axis=0, dtype=np.float64)
    level, clipped = level_of(usual).astype(np.float32), bool(usual.min() > _WHITE)
    sigmas = float((level / noise).mean())
    known = backdrop.known_in(whole, *box)
    unknown = None if known is None or known.all() else ~known
    return _Looked(lit, share, np.asarray(shaded), alike, sigmas, apart / level, clipped, unknown)


def _without_grains(alike: Mask, looked: _Looked) -> Mask:
    """The mask with the few pixels in it closed that noise, or a JPEG's ringing at edges, has thrown out."""
    weak = (~alike & (looked.lit <= _step(looked))).astype(np.uint8)
    _, labels, facts, _ = cv2.connectedComponentsWithStats(weak, connectivity=8)
    grain = facts[:, cv2.CC_STAT_AREA] <= _GRAIN
    grain[0] = False
    return np.asarray(alike | grain[labels])


def _step(looked: _Looked) -> float:
    """How many sigmas of difference are a step."""
    return max(_STEP * looked.alike, _STEP_LEVELS * looked.level)


def _judged(parts: _Parts, looked: _Looked, claim: Map) -> tuple[Mask, Mask]:
    """Which parts are backdrop that is seen through for certain, and which may be."""
    labels, area = parts.labels, parts.area
    # Enclosed is what light itself cuts off from the backdrop around, whatever the map says.
    asked = (area >= _LEAST) & (parts.mean(claim >= _CLAIMED) > 0)
    asked[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1], [0]])] = False
    around = np.ones((2 * _REACH + 1, 2 * _REACH + 1), np.uint8)
    edge = cv2.dilate(looked.lit, around) > _step(looked)
    ring = cv2.dilate(labels.astype(np.float32), np.ones((3, 3), np.uint8)) * (labels == 0)
    stepped = np.maximum(parts.mean(np.asarray(edge), np.asarray(ring, np.int32)), _walled(parts, looked))
    fully = looked.fully
    lit = parts.mean(fully)
    off = [parts.mean(np.asarray(looked.off[..., channel] * fully)) for channel in range(3)]
    true = np.abs(off).max(axis=0) < _TRUE * lit
    certain = asked & (stepped >= _STEPPED) & (lit >= _LIT) & true
    if looked.clipped:
        # Print and labels may be just as white; here the network's doubt is asked for too.
        certain &= parts.mean(claim) < _DOUBTED
    certain |= _like_neighbours(parts, certain, asked & (stepped >= _STEPPED))
    subject = float(np.count_nonzero(claim >= 0.5))
    doubted = asked & ~certain & (stepped >= _PERHAPS) & (area >= _WORTH_A_WORD * subject)
    return certain, doubted & (parts.mean(claim) >= 0.5)


def _walled(parts: _Parts, looked: _Looked) -> Numbers:
    """How much of what steps wall in with each part is like the backdrop, 0..1; 0 where there is a gap.

    A JPEG's ringing beside an edge hides the step from the part, but not the wall.
    """
    within = (looked.lit <= _step(looked)).astype(np.uint8)
    _, labels, facts, _ = cv2.connectedComponentsWithStats(within, connectivity=4)
    rooms = _Parts(np.asarray(labels, np.int32), np.asarray(facts, np.int32))
    walls = np.ones((2 * _WALL + 1, 2 * _WALL + 1), np.uint8)
    inner = rooms.labels * (cv2.erode(within, walls, borderValue=1) > 0)
    alike = rooms.mean(
        looked.fully if looked.unknown is None else looked.fully | looked.unknown, np.asarray(inner, np.int32)
    )
    each = rooms.labels
    alike[np.concatenate([each[0], each[-1], each[:, 0], each[:, -1], [0]])] = 0
    return parts.mean(np.asarray(alike[each], np.float32))


def _like_neighbours(parts: _Parts, certain: Mask, asked: Mask) -> Mask:
    """Which of the parts asked about are meshes like certain ones around them, but in the shade."""
    if np.count_nonzero(certain) < _MESHES:
        return np.zeros_like(certain)
    usual = float(np.median(parts.area[certain]))
    asked = asked & (parts.area < _ALIKE_IN_SIZE * usual)
    reach = 2 * round(np.sqrt(usual)) + 1
    found = certain
    for _ in range(_RINGS):
        near = cv2.dilate(found[parts.labels].astype(np.uint8), np.ones((reach, reach), np.uint8))
        more = found | (asked & (parts.mean(near > 0) > 0.5))
        if np.array_equal(more, found):
            break
        found = more
    return found


def _sigmas(apart: Map) -> Map:
    """How far light is from what was expected, over 3 x 3 pixels, in sigmas of one: (h, w)."""
    each = cv2.blur(apart, (3, 3))
    return np.asarray(np.sqrt((each * each).mean(axis=2)), np.float32)


def _alike(lit: Map, claim: Map) -> float:
    """At most so far is the backdrop around from its own surface, in sigmas."""
    around = lit[claim < _CLAIMED]
    usual = float(np.partition(around, 3 * around.size // 4)[3 * around.size // 4]) if around.size else 1.0
    return float(np.clip(2 * usual, *_ALIKE))


def _frames(facts: NDArray[np.int32], box: tuple[slice, slice]) -> list[Frame]:
    found = []
    for left, top, width, height, _ in facts.tolist():
        x, y = left + box[1].start, top + box[0].start
        found.append((x, y, x + width, y + height))
    return found
