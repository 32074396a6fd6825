"""Composites of generated subjects over generated scenes, with exact alpha and a coarse answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from bench.refiner.coarse import coarse_answer

if TYPE_CHECKING:
    from bench.refiner.shapes import Matte
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

NEARLY_EXACT = 0.85  # share of the drawn answers; with less of it, edges that were right get worse
ASKED = 0.3  # share of the samples whose coarse answer a real network gave, where the bank has some
_ASTRAY = 0.12  # a crop whose answer is off by more than this on average is about another subject


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Composites a real network was asked about, uint8: images (n, s, s, 3), alphas and answers (n, s, s).

    scale: their pixels per pixel of that network's input.
    """

    images: Bytes
    alphas: Bytes
    answers: Bytes
    scale: float


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Drawn once, used many times: mattes (n, s, s) and textures (m, t, t, 3), uint8."""

    mattes: Bytes
    textures: Bytes
    asked: Answers | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One crop: image (c, c, 3), alpha and coarse (c, c), float32 0..1; scale: pixels per coarse pixel."""

    image: NDArray[np.float32]
    alpha: Matte
    coarse: Matte
    scale: float


def scene(rng: np.random.Generator, bank: Bank, side: int) -> NDArray[np.float32]:
    """A texture, or a collage of several whose inner edges are not the subject's, (side, side, 3)."""
    picture = _piece(rng, bank.textures, side)
    if rng.random() < 0.7:
        for _ in range(int(rng.integers(1, 4))):
            mask = _piece(rng, bank.mattes, side)[..., None]
            if rng.random() < 0.6:
                other = _piece(rng, bank.textures, side)
            else:
                shift = rng.normal(0, 0.1, 3).astype(np.float32)
                other = np.clip(picture * np.float32(rng.uniform(0.3, 1.6)) + shift, 0, 1)
            picture += (other - picture) * mask
    return picture


def compose(rng: np.random.Generator, bank: Bank, alpha: Matte) -> tuple[NDArray[np.float32], Matte]:
    """A photo of a subject with that alpha, and its alpha after the lens: (s, s, 3) and (s, s) float32."""
    side = len(alpha)
    front, back = scene(rng, bank, side), scene(rng, bank, side)
    if rng.random() < 0.2:  # the subject's own colours stand behind it too
        mask = _piece(rng, bank.mattes, side)[..., None]
        back += (front[::-1, ::-1] - back) * mask
    if rng.random() < 0.3:
        tint = np.float32(0.4 * rng.uniform(0, 1, 3))
        dim = np.float32(rng.uniform(0.1, 0.6))
        front = front * np.float32(0.6) + tint if rng.random() < 0.5 else front * dim
    if rng.random() < 0.45:
        back = cv2.GaussianBlur(back, (0, 0), rng.uniform(1, 10))
    if rng.random() < 0.15:
        near = front.mean(axis=(0, 1)) + rng.normal(0, 0.12, 3)
        back = back * np.float32(0.4) + np.float32(0.6 * near)
    image = back + (front - back) * alpha[..., None]
    if rng.random() < 0.35:
        sigma = rng.uniform(0.3, 1.1)
        image, alpha = cv2.GaussianBlur(image, (0, 0), sigma), cv2.GaussianBlur(alpha, (0, 0), sigma)
    if rng.random() < 0.5:
        image = image + rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(0, 0.035))
    image = np.clip(image, 0, 1)
    if rng.random() < 0.4:
        quality = int(rng.integers(50, 98))
        _, packed = cv2.imencode(
            ".jpg", (image * 255 + 0.5).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality]
        )
        image = cv2.imdecode(packed, cv2.IMREAD_COLOR).astype(np.float32) / 255
    return image, alpha


def sample(rng: np.random.Generator, bank: Bank, crop: int) -> Sample:
    """One training crop with an edge in it, `crop` pixels a side."""
    if bank.asked is not None and rng.random() < ASKED:
        return _asked(rng, bank.asked, crop)
    side = bank.mattes.shape[1]
    for _ in range(10):
        index = int(rng.integers(len(bank.mattes)))
        window = int(np.clip(crop * rng.choice([1.0, 1.0, 0.7, 1.5, 2.0]), 64, side))
        y, x = int(rng.integers(side - window + 1)), int(rng.integers(side - window + 1))
        piece = bank.mattes[index, y : y + window, x : x + window]
        if ((piece > 8) & (piece < 247)).mean() > 0.01:
            break
    turns, mirror = int(rng.integers(4)), bool(rng.integers(2))
    image, alpha = compose(rng, bank, _as_crop(piece, crop, turns, mirror))
    fine = rng.random() < 0.35  # a network that saw about as much as the photo holds
    scale = rng.uniform(0.8, 1.5) if fine else rng.uniform(1.5, 4.0)
    strength = 0.0 if rng.random() < NEARLY_EXACT else rng.uniform(0.1, 1)
    return Sample(image, alpha, coarse_answer(rng, alpha, scale, strength), scale)


def _asked(rng: np.random.Generator, asked: Answers, crop: int) -> Sample:
    """A crop around an edge of a composite, with what a real network made of it."""
    side = asked.alphas.shape[1]
    window = int(np.clip(crop * rng.choice([1.0, 1.0, 0.75, 1.4]), 64, side))
    for _ in range(20):
        index = int(rng.integers(len(asked.alphas)))
        y, x = (int(rng.integers(side - window + 1)) for _ in range(2))
        part = (index, slice(y, y + window), slice(x, x + window))
        true, answer = asked.alphas[part], asked.answers[part]
        edge = ((true > 8) & (true < 247)).mean() > 0.01
        if edge and np.abs(true.astype(np.float32) - answer).mean() < 255 * _ASTRAY:
            break
    turns, mirror = int(rng.integers(4)), bool(rng.integers(2))
    image, alpha, coarse = (
        _as_crop(each, crop, turns, mirror) for each in (asked.images[part], true, answer)
    )
    if rng.random() < 0.5:  # other light and other colours than the network saw
        gain = rng.uniform(0.7, 1.2, 3) if rng.random() < 0.5 else rng.uniform(0.5, 1.2)
        image = np.clip(image ** np.float32(rng.uniform(0.7, 1.4)) * np.float32(gain), 0, 1)
    if rng.random() < 0.3:
        image = image[..., rng.permutation(3)]
    return Sample(np.ascontiguousarray(image), alpha, coarse, asked.scale * crop / window)


def _as_crop(piece: Bytes, crop: int, turns: int, mirror: bool) -> NDArray[np.float32]:
    piece = np.rot90(piece, turns)
    piece = np.ascontiguousarray(piece[:, ::-1] if mirror else piece)
    how = cv2.INTER_AREA if len(piece) > crop else cv2.INTER_LINEAR
    return cv2.resize(piece, (crop, crop), interpolation=how).astype(np.float32) / 255


def _piece(rng: np.random.Generator, bank: Bytes, side: int) -> NDArray[np.float32]:
    """A turned crop of a random member, enlarged where the member is smaller than `side`."""
    whole = bank[int(rng.integers(len(bank)))]
    size = min(side, len(whole))
    y, x = int(rng.integers(len(whole) - size + 1)), int(rng.integers(len(whole) - size + 1))
    return _as_crop(whole[y : y + size, x : x + size], side, int(rng.integers(4)), bool(rng.integers(2)))
