"""Drawn products on lit sweeps with exact alpha: light fall-off, soft shadows, noise, JPEG.

Light is mixed in linear light, edges are averaged from finer pixels. Everything comes from a seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Draw = Callable[[Map, float, np.random.Generator], None]

_FINER: Final = 3
# A few backdrops in linear light: paper, gray card, a pale blue, a rose, a warm one.
_BACKDROPS: Final = (
    (0.78, 0.78, 0.77),
    (0.35, 0.35, 0.36),
    (0.50, 0.58, 0.66),
    (0.66, 0.48, 0.46),
    (0.62, 0.60, 0.50),
)
_COLOURS: Final = ((0.30, 0.05, 0.04), (0.03, 0.06, 0.16), (0.16, 0.09, 0.04), (0.04, 0.14, 0.07))
_JPEG: Final = (90, 93, 95)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A drawn photo: pixels (h, w, 3) uint8 sRGB, its alpha (h, w) float32, and the same set lit from behind.

    empty: the set without the product, another exposure of other noise. lit: the backdrop lit alone, before
    it the product in the dark. shadow: how much of its light the backdrop has lost, (h, w) in 0..1. enclosed:
    what of the backdrop the product encloses, (h, w) bool. data: the photo as a JPEG.
    """

    name: str
    pixels: NDArray[np.uint8]
    data: bytes
    alpha: Map
    enclosed: NDArray[np.bool_]
    shadow: Map
    empty: NDArray[np.uint8]
    lit: NDArray[np.uint8]


def scene(name: str, seed: int, side: int = 1200) -> Scene:
    """One product of SHAPES on a sweep of its own."""
    dice = np.random.default_rng([seed, sum(map(ord, name))])
    large = np.zeros((side * _FINER, side * _FINER), np.float32)
    SHAPES[name](large, side * _FINER / 1000, dice)
    alpha = np.asarray(cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA), np.float32)
    down, across = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    fall = 1 - dice.uniform(0.02, 0.14) * (down**2 + across**2)
    fall += dice.uniform(-0.12, 0.12) * across + dice.uniform(-0.12, 0.12) * down
    behind = fall[..., None] * np.asarray(_BACKDROPS[dice.integers(len(_BACKDROPS))]) / fall.max()
    shadow = cast_shadow(alpha, side)
    front = painted(side, dice)
    mixed = alpha[..., None] * front + (1 - alpha[..., None]) * behind * (1 - shadow[..., None])
    noise = dice.uniform(0.6, 2.2)
    quality = int(dice.choice(_JPEG))
    pixels, data = exposed(mixed, noise, quality, dice)
    empty, _ = exposed(behind * dice.uniform(0.94, 1.05), noise, quality, dice)
    lit, _ = exposed((1 - alpha[..., None]) * np.minimum(behind * 1.2, 0.97), noise, quality, dice)
    return Scene(name, pixels, data, alpha, enclosed_by(alpha), shadow, empty, lit)


def painted(side: int, dice: np.random.Generator) -> NDArray[Any]:
    """A product's own light, (side, side, 3) linear, of one paint with relief and shading."""
    paint = np.asarray(_COLOURS[dice.integers(len(_COLOURS))])
    across = np.linspace(-1, 1, side)[None, :]
    relief = cv2.GaussianBlur(dice.normal(0, 1, (side, side)), (0, 0), side / 60)
    shade = 1 + 0.25 * across + 0.35 * relief / np.abs(relief).max()
    return np.asarray(np.clip(paint * shade[..., None], 0, 1))


def exposed(
    light: NDArray[Any], noise: float, quality: int, dice: np.random.Generator
) -> tuple[NDArray[np.uint8], bytes]:
    """Linear light as an 8-bit photo out of a JPEG, and that JPEG."""
    steady = np.clip(light, 0, 1)
    srgb = np.where(steady <= 0.0031308, 12.92 * steady, 1.055 * steady ** (1 / 2.4) - 0.055) * 255
    levels = np.clip(np.rint(srgb + dice.normal(0, noise, srgb.shape)), 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", levels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    found = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(found[..., ::-1]), data.tobytes()


def cast_shadow(alpha: Map, side: int) -> Map:
    """A soft shadow on the ground below the product."""
    solid = alpha > 0.5
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    ground = np.zeros_like(alpha)
    middle, reach = (int(columns[0]) + int(columns[-1])) // 2, (int(columns[-1]) - int(columns[0])) // 2
    cv2.ellipse(ground, (middle, int(rows[-1])), (reach, max(2, side // 30)), 0, 0, 360, 0.45, -1)
    return np.asarray(cv2.GaussianBlur(ground, (0, 0), side / 40), np.float32)


def enclosed_by(alpha: Map) -> NDArray[np.bool_]:
    """What of the backdrop hangs together with none of it around the product."""
    count, labels = cv2.connectedComponents((alpha < 0.1).astype(np.uint8))
    outside = np.zeros(count, bool)
    outside[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = True
    outside[0] = True
    return np.asarray(~outside[labels])


def _points(unit: float, *places: tuple[float, float]) -> NDArray[np.int32]:
    return np.asarray([[x * unit, y * unit] for x, y in places], np.int32)


def _frame(canvas: Map, unit: float, dice: np.random.Generator) -> None:
    wide, turn = dice.uniform(50, 90), dice.uniform(-4, 4)
    for grow, level in ((0.0, 1.0), (wide, 0.0)):
        box = ((500 * unit, 500 * unit), ((620 - 2 * grow) * unit, (460 - 2 * grow) * unit), turn)
        cv2.fillPoly(canvas, [np.asarray(cv2.boxPoints(box), np.int32)], level)


def _bag(canvas: Map, unit: float, dice: np.random.Generator) -> None:
    body = _points(unit, (260, 430), (740, 430), (790, 820), (210, 820))
    cv2.fillPoly(canvas, [body], 1.0)
    axes = (int(150 * unit), int(dice.uniform(150, 230) * unit))
    cv2.ellipse(canvas, (int(500 * unit), int(435 * unit)), axes, 0, 180, 360, 1.0, int(36 * unit))


def _ring(canvas: Map, unit: float, dice: np.random.Generator) -> None:
    centre = (int(500 * unit), int(510 * unit))
    cv2.circle(canvas, centre, int(270 * unit), 1.0, -1)
    cv2.circle(canvas, centre, int(dice.uniform(170, 225) * unit), 0.0, -1)


def _mug(canvas: Map, unit: float, dice: np.random.Generator) -> None:
    axes = (int(115 * unit), int(dice.uniform(110, 140) * unit))
    cv2.ellipse(canvas, (int(640 * unit), int(530 * unit)), axes, 0, 0, 360, 1.0, int(42 * unit))
    cv2.rectangle(canvas, (int(300 * unit), int(330 * unit)), (int(640 * unit), int(740 * unit)), 1.0, -1)


def _chair(canvas: Map, unit: float, dice: np.random.Generator) -> None:
    thick = int(30 * unit)
    for start, end in (
        ((330, 150), (330, 850)), ((670, 150), (670, 850)),
        ((330, 160), (670, 160)), ((330, 430), (670, 430)),
    ):  # fmt: skip
        cv2.line(canvas, *(tuple(int(n * unit) for n in place) for place in (start, end)), 1.0, thick)
    for x in np.linspace(330, 670, int(dice.integers(4, 7)))[1:-1]:
        cv2.line(
            canvas, (int(x * unit), int(160 * unit)), (int(x * unit), int(430 * unit)), 1.0, thick * 2 // 3
        )
    cv2.fillPoly(canvas, [_points(unit, (300, 540), (700, 540), (730, 600), (270, 600))], 1.0)
    cv2.line(
        canvas, (int(330 * unit), int(720 * unit)), (int(670 * unit), int(720 * unit)), 1.0, thick * 2 // 3
    )


def _mesh(canvas: Map, unit: float, dice: np.random.Generator) -> None:
    apart, wire = dice.uniform(28, 44), max(1, int(dice.uniform(8, 11) * unit))
    inside = np.zeros_like(canvas)
    basket = _points(unit, (240, 300), (760, 300), (690, 790), (310, 790))
    for place in np.arange(-1000, 2000, apart):
        for slant in (-1, 1):
            start, end = (place, 0), (place + slant * 1000, 1000)
            cv2.line(inside, *(tuple(int(n * unit) for n in each) for each in (start, end)), 1.0, wire)
    shape = np.zeros(canvas.shape, np.uint8)
    cv2.fillPoly(shape, [basket], 1)
    canvas[shape > 0] = inside[shape > 0]
    cv2.polylines(canvas, [basket], isClosed=True, color=1.0, thickness=int(28 * unit))


def _letters(canvas: Map, unit: float, dice: np.random.Generator) -> None:
    word = str(dice.choice(["BOARD", "APPBO", "DROPA"]))
    drawn = np.zeros(canvas.shape, np.uint8)
    place, size = (int(90 * unit), int(580 * unit)), 8.6 * unit
    cv2.putText(drawn, word, place, cv2.FONT_HERSHEY_DUPLEX, size, 255, int(46 * unit))
    canvas[drawn > 0] = 1.0
    cv2.rectangle(canvas, (int(90 * unit), int(570 * unit)), (int(910 * unit), int(640 * unit)), 1.0, -1)


def _bottle(canvas: Map, unit: float, dice: np.random.Generator) -> None:
    glass = _points(
        unit, (450, 150), (550, 150), (550, 330), (640, 420), (640, 850), (360, 850), (360, 420), (450, 330)
    )
    cv2.fillPoly(canvas, [glass], float(dice.uniform(0.35, 0.6)))
    cv2.polylines(canvas, [glass], isClosed=True, color=0.85, thickness=int(16 * unit))
    cv2.rectangle(canvas, (int(445 * unit), int(110 * unit)), (int(555 * unit), int(190 * unit)), 1.0, -1)
    cv2.rectangle(canvas, (int(360 * unit), int(520 * unit)), (int(640 * unit), int(720 * unit)), 1.0, -1)


SHAPES: Final[dict[str, Draw]] = {
    "frame": _frame,
    "bag": _bag,
    "ring": _ring,
    "mug": _mug,
    "chair": _chair,
    "mesh": _mesh,
    "letters": _letters,
    "bottle": _bottle,
}
