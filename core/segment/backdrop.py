"""A backdrop as light with its noise: modelled from a photo with the subject, or known from one without.

The light of a sweep falls off smoothly, so that a cubic surface in linear light, fitted to what is surely
outside of the subject by least squares that lose interest in what does not fit (iteratively reweighted;
Holland and Welsch, Communications in Statistics 6(9), 1977), says what is behind the subject too. Of a set
that was photographed empty, or learnt from many photos, only the exposure is fitted, as a gain that may slope
across the photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

import cv2
import numpy as np

from mattebox.core.photo import Photo
from mattebox.core.photo.colour import in_depth, to_srgb
from mattebox.core.segment.image_measures import median

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Numbers = NDArray[np.float64]

_DEGREE: Final = 3
_PAIRS: Final = [(down, across) for down in range(_DEGREE + 1) for across in range(_DEGREE + 1 - down)]
# The terms of an exposure: even, or sloping to one side.
_SLOPING: Final = [place for place, powers in enumerate(_PAIRS) if sum(powers) <= 1]
# So many places a side are looked at; a surface of ten terms asks for no more.
_PLACES: Final = 96
_ROUNDS: Final = 8
_SOON: Final = 2
# Keeps the fit steady where the outside is seen on one side alone.
_RIDGE: Final = 1e-6
# Not of the outside is what the map leaves possible, and what is as near to the subject as this share of the
# diagonal.
_OUTSIDE: Final = 0.05
_CLEAR: Final = 0.01
_LEAST_PLACES: Final = 200
# An even backdrop: so much of the outside is so near to the surface, in levels of 255.
EVEN: Final = 0.85
NEAR: Final = 8.0
# An exposure changes a learnt set's light by no more than this; more is another backdrop, or lamp.
EXPOSURE: Final = (0.8, 1.25)
# A level of 255 is the finest that 8 bits tell.
_FINEST: Final = 0.7
MAD_TO_SIGMA: Final = 1.4826


class KnownSet(Protocol):
    """A set whose light was learnt; `photos` is from how many (core.segment.learnt_set)."""

    @property
    def photos(self) -> int:
        """From how many photos it was learnt."""

    def light(self, size: tuple[int, int], rows: slice, columns: slice) -> Map:
        """Its linear light, (h, w, 3) float32, in a part of a picture of `size` (height, width)."""

    def spread(self, size: tuple[int, int], rows: slice, columns: slice) -> Map:
        """The standard deviation of that light from photo to photo, (h, w, 3) float32."""

    def slack(self, size: tuple[int, int], rows: slice, columns: slice) -> Map:
        """How far from that light it may lie beside an edge of the set, (h, w, 3) float32."""

    def seen(self, size: tuple[int, int]) -> NDArray[np.bool_]:
        """Where of a picture of `size` enough photos have shown it, (h, w)."""


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """A backdrop: `terms` (4, 4, 3), its light's coefficients over x and y of -1..1 across the photo.

    noise: the standard deviation of a pixel's light about it, (3,) in linear light of 0..1. even: the share
    of the outside that it explains, 0..1. empty: the photo of the empty set, or the set that was learnt,
    whose gain the terms are.
    """

    terms: Numbers
    noise: Numbers
    even: float
    empty: Photo | KnownSet | None = None

    @property
    def learnt_from(self) -> int:
        """From how many photos the set was learnt; 0 where it was not."""
        return 0 if self.empty is None or isinstance(self.empty, Photo) else self.empty.photos

    def light(self, size: tuple[int, int], rows: slice, columns: slice) -> Map:
        """Its linear light, (h, w, 3) float32, in a part of a picture of `size` (height, width)."""
        down = _powers(size[0], rows).astype(np.float32)
        across = _powers(size[1], columns).astype(np.float32)
        planes = [down @ self.terms[..., channel].astype(np.float32) @ across.T for channel in range(3)]
        surface = np.asarray(cv2.merge(planes), np.float32)
        return surface if self.empty is None else surface * _light_of_set(self.empty, size, rows, columns)

    def known_in(self, size: tuple[int, int], rows: slice, columns: slice) -> NDArray[np.bool_] | None:
        """Where of a part of a picture its light is known, (h, w); None where all of it is.

        A learnt set is only continued to where no photo has shown it.
        """
        if self.empty is None or isinstance(self.empty, Photo):
            return None
        return self.empty.seen(size)[rows, columns]

    def apart(self, light: Map, behind: Map, size: tuple[int, int], rows: slice, columns: slice) -> Map:
        """How far light is from what is behind it in a part of a picture, in sigmas, (h, w, 3) float32."""
        off = light - behind
        if self.empty is not None and not isinstance(self.empty, Photo):
            beyond = np.abs(off) - self.empty.slack(size, rows, columns)
            off = np.sign(off) * np.maximum(beyond, 0)
        return np.asarray(off / self.noise_in(size, rows, columns), np.float32)

    def noise_in(self, size: tuple[int, int], rows: slice, columns: slice) -> Map:
        """The standard deviation of a pixel's light in a part of a picture, (3,) or (h, w, 3) float32."""
        if self.empty is None or isinstance(self.empty, Photo):
            return self.noise.astype(np.float32)
        spread = self.empty.spread(size, rows, columns)
        return np.asarray(np.sqrt(spread * spread + np.square(self.noise.astype(np.float32))), np.float32)


def linear_light(pixels: NDArray[np.uint8]) -> Map:
    """SRGB levels (h, w, c) of 8 bits as linear light, float32 in 0..1 (IEC 61966-2-1)."""
    return np.asarray(_curve()[pixels], np.float32)


def srgb_levels(light: Map) -> Map:
    """Linear light of 0..1 in sRGB, float32 in 0..1: the inverse of `linear_light`."""
    steady = np.clip(light, 0, 1)
    bent = 1.055 * steady ** np.float32(1 / 2.4) - 0.055
    return np.asarray(np.where(steady <= 0.0031308, 12.92 * steady, bent), np.float32)


def even_backdrop(
    view: NDArray[np.uint8], probability: Map, empty: Photo | KnownSet | None = None
) -> Backdrop | None:
    """The even backdrop of a view (h, w, 3) uint8 sRGB around the subject of `probability`, or None.

    None where less than 85 % of the outside is within a few levels of a smooth surface, or where too little
    of it is seen: then nothing is known of what is behind the subject. empty: a photo of the set without the
    subject, of the photo's size, or what was learnt of the set; then the backdrop need not be even, but the
    same.
    """
    height, width = probability.shape
    step = max(1, -(-max(height, width) // _PLACES))
    reach = max(1, round(_CLEAR * float(np.hypot(height, width)) / step))
    # The least likely neighbour is no witness: what lies between two places counts with both.
    likely = cv2.dilate(probability, np.ones((step, step), np.uint8))[step // 2 :: step, step // 2 :: step]
    around = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    outside = np.asarray(cv2.dilate(np.ascontiguousarray(likely), around)) < _OUTSIDE
    learnt = None if isinstance(empty, Photo) else empty
    if learnt is not None:
        outside &= learnt.seen((height, width))[step // 2 :: step, step // 2 :: step]
    if np.count_nonzero(outside) < _LEAST_PLACES:
        return None

    def asked(picture: NDArray[np.uint8]) -> Numbers:
        return linear_light(picture[step // 2 :: step, step // 2 :: step][outside]).astype(np.float64)

    light, places = asked(view), _terms(height, width, step)[outside]
    known: Numbers | None = None
    if learnt is not None:
        whole = learnt.light((height, width), slice(0, height), slice(0, width))
        known = whole[step // 2 :: step, step // 2 :: step][outside].astype(np.float64)
    elif isinstance(empty, Photo):
        known = asked(view_of(empty, (height, width)))
    if known is not None:
        places = places[:, _SLOPING]
    fit, even = _fitted(places, light, known)
    if even < EVEN or (learnt is not None and not _is_exposure(fit)):
        return None
    apart = np.abs(_expected(places, fit, known) - light)
    noise = np.asarray([MAD_TO_SIGMA * median(apart[:, channel]) for channel in range(3)])
    slope = level_of(np.asarray(light.mean(axis=0)))
    pairs = _PAIRS if known is None else [_PAIRS[place] for place in _SLOPING]
    return Backdrop(_square(fit, pairs), np.maximum(noise, _FINEST * slope), even, empty)


def _fitted(places: Numbers, light: Numbers, known: Numbers | None) -> tuple[Numbers, float]:
    """Coefficients (terms, 3) of the surface, or of a gain; the share of places that are near to it."""
    near = NEAR * level_of(light)
    fit: NDArray[Any] = np.zeros((places.shape[1], 3))
    weight: Numbers = np.ones(len(light))
    even = 0.0
    for done in range(_ROUNDS):
        fit = _solved(places, light, weight, known)
        off = np.asarray((np.abs(_expected(places, fit, known) - light) / near).max(axis=1), np.float64)
        even = float(np.mean(off < 1))
        if done == _SOON and even < EVEN / 2:
            break  # no few rounds more would make that one even
        weight = np.asarray(1 / (1 + (2 * off) ** 4), np.float64)
    return fit, even


def _solved(places: Numbers, light: Numbers, weight: Numbers, known: Numbers | None) -> Numbers:
    """Least squares, weighed: (terms, 3)."""
    ridge = _RIDGE * np.eye(places.shape[1])
    if known is None:
        weighed = places * weight[:, None]
        return np.asarray(np.linalg.solve(weighed.T @ places + ridge, weighed.T @ light), np.float64)
    columns = []
    for channel in range(3):
        own = places * known[:, channel, None]
        weighed = own * weight[:, None]
        columns.append(np.linalg.solve(weighed.T @ own + ridge, weighed.T @ light[:, channel]))
    return np.stack(columns, axis=-1)


def _expected(places: Numbers, fit: Numbers, known: Numbers | None) -> Numbers:
    surface = places @ fit
    return np.asarray(surface if known is None else surface * known, np.float64)


def _is_exposure(fit: Numbers) -> bool:
    """Whether a sloping gain (3 terms, 3) stays an exposure's from corner to corner."""
    reach = np.abs(fit[1:]).sum(axis=0)
    return bool((fit[0] - reach).min() > EXPOSURE[0] and (fit[0] + reach).max() < EXPOSURE[1])


def _light_of_set(empty: Photo | KnownSet, size: tuple[int, int], rows: slice, columns: slice) -> Map:
    if isinstance(empty, Photo):
        return light_of(empty, size, rows, columns)
    return empty.light(size, rows, columns)


def view_of(photo: Photo, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A photo at a view's size (height, width), (h, w, 3) uint8 sRGB."""
    small: Any = cv2.resize(photo.pixels, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(in_depth(to_srgb(small.reshape(*size, -1), photo.mode, photo.icc), 8), np.uint8)


def light_of(photo: Photo, size: tuple[int, int], rows: slice, columns: slice) -> Map:
    """The linear light of a part of a photo, at its own size or at a view's."""
    if size != (photo.height, photo.width):
        return linear_light(view_of(photo, size)[rows, columns])
    part: Any = np.ascontiguousarray(photo.pixels[rows, columns])
    return linear_light(np.asarray(in_depth(to_srgb(part, photo.mode, photo.icc), 8), np.uint8))


def level_of(light: Numbers) -> Numbers:
    """How much linear light a level of 255 is, at that light."""
    steady = np.clip(light, 0.002, 1)
    return np.asarray(2.4 / 1.055 * steady ** (1 - 1 / 2.4) / 255)


@cache
def _curve() -> Map:
    level = np.arange(256) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _powers(length: int, part: slice) -> Numbers:
    place = (2 * np.arange(part.start, part.stop) + 1) / length - 1
    return np.asarray(place[:, None] ** np.arange(_DEGREE + 1))


def _terms(height: int, width: int, step: int) -> Numbers:
    """Of every place the terms of the surface, (rows, columns, 10)."""
    down = _powers(height, slice(0, height))[step // 2 :: step]
    across = _powers(width, slice(0, width))[step // 2 :: step]
    return np.stack([down[:, i, None] * across[None, :, j] for i, j in _PAIRS], axis=-1)


def _square(fit: Numbers, pairs: list[tuple[int, int]]) -> Numbers:
    """Coefficients by the powers of y and x, (4, 4, 3)."""
    square: NDArray[Any] = np.zeros((_DEGREE + 1, _DEGREE + 1, 3))
    for (down, across), value in zip(pairs, fit, strict=True):
        square[down, across] = value
    return square
