"""Refining is never worse than not refining, on drawn scenes with right, coarse and wrong answers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import pytest

from mattebox.core.matte.refine import refine_matte
from mattebox.core.photo import Photo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

pytestmark = pytest.mark.slow

SIDE: Final = 256
FINE: Final = 4
SCENES: Final = 5
# What one scene may lose, of an edge error of about .1; all scenes of a kind together may lose nothing.
LEEWAY: Final = 0.006


def _wavy(random: np.random.Generator, cells: int, spread: float) -> Map:
    """A smooth random picture around 0, (SIDE, SIDE, 3)."""
    grid = random.normal(0, spread, (cells, cells, 3)).astype(np.float32)
    return np.asarray(cv2.resize(grid, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.float32)


def _subject(random: np.random.Generator, strands: int) -> Map:
    """A lobed body with exact coverage, and as many strands below a pixel's width around it."""
    large = np.zeros((SIDE * FINE, SIDE * FINE), np.uint8)
    angles = np.linspace(0, 2 * np.pi, 120)
    lobes = sum(random.uniform(0, 0.15) * np.cos(k * angles + random.uniform(0, 6)) for k in (2, 3, 5))
    reach = SIDE * (0.27 + 0.1 * lobes)
    centre = SIDE / 2
    body = np.stack([centre + reach * np.cos(angles), centre + reach * np.sin(angles)], axis=1)
    cv2.fillPoly(large, [np.asarray(body * FINE, np.int32)], 255)
    for angle in random.uniform(0, 2 * np.pi, strands):
        steps = np.linspace(0.8, 1.0 + random.uniform(0.1, 0.35), 10)
        bend = angle + random.normal(0, 0.3) * (steps - 0.8)
        out = SIDE * 0.27 * steps
        path = np.stack([centre + out * np.cos(bend), centre + out * np.sin(bend)], axis=1) * FINE
        cv2.polylines(large, [path.astype(np.int32)], isClosed=False, color=255, thickness=3)
    return cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


@cache
def _scene(seed: int, strands: int, scale: float, mistake: str) -> tuple[Photo, Map, Map]:
    """A photo, its true alpha, and what a network with 1/scale of its side answers."""
    random = np.random.default_rng([seed, strands])
    truth = _subject(random, strands)
    front = random.uniform(0.2, 0.8, 3) + _wavy(random, 8, 0.08) + _wavy(random, 60, 0.05)
    behind = random.uniform(0.2, 0.8, 3) + _wavy(random, 5, 0.12) + _wavy(random, 60, 0.05)
    # A thing behind with hard edges of its own.
    bar = int(random.integers(20, SIDE - 60))
    behind[:, bar : bar + 40] = random.uniform(0.1, 0.9, 3)
    picture = truth[..., None] * front + (1 - truth[..., None]) * behind
    picture += random.normal(0, 0.015, picture.shape)
    photo = Photo((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8), "rgb")
    answer = truth
    if mistake == "lost":
        # A part of the subject is not seen, with a soft border.
        answer = answer * np.clip((np.arange(SIDE) - SIDE * 0.35) / 12, 0, 1).astype(np.float32)
    elif mistake == "shadow":
        # A shadow source_window is taken for subject.
        shadow = np.roll(truth, SIDE // 12, axis=0) * np.float32(0.75)
        answer = np.maximum(truth, cv2.GaussianBlur(shadow, (0, 0), 4))
    elif mistake == "moved":
        answer = np.roll(truth, 3, axis=1)
    size = round(SIDE / scale)
    small = cv2.GaussianBlur(
        cv2.resize(answer, (size, size), interpolation=cv2.INTER_AREA),
        (0, 0),
        0.3 if mistake == "crisp" else 0.8,
    )
    return (
        photo,
        truth,
        np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.float32),
    )


def _edge_error(matte: NDArray[np.uint8], truth: Map) -> float:
    near = cv2.dilate(((truth > 0.02) & (truth < 0.98)).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return float(np.abs(matte / np.float32(255) - truth)[near].mean())


def _losses(mistake: str, strands: int, scale: float, mode: str, *, learned: bool = True) -> list[float]:
    """How much larger the edge error of each scene is refined than unrefined."""
    lost = []
    for seed in range(SCENES):
        photo, truth, answer = _scene(seed, strands, scale, mistake)
        plain = _edge_error(refine_matte(photo, answer, "none", scale), truth)
        lost.append(_edge_error(refine_matte(photo, answer, mode, scale, learned=learned), truth) - plain)
    return lost


@pytest.mark.parametrize(("scale", "mode"), [(1.0, "auto"), (3.0, "auto"), (3.0, "hair")])
@pytest.mark.parametrize("strands", [0, 120], ids=["hard", "hairy"])
@pytest.mark.parametrize("mistake", ["none", "lost", "shadow", "moved"])
def test_refining_is_never_worse(mistake: str, scale: float, strands: int, mode: str) -> None:
    """No scene loses more than its leeway to refining, and all scenes of a kind together lose nothing."""
    lost = _losses(mistake, strands, scale, mode)
    assert max(lost) <= LEEWAY
    assert np.mean(lost) <= 0


@pytest.mark.parametrize("strands", [0, 120], ids=["hard", "hairy"])
@pytest.mark.parametrize("mistake", ["none", "lost", "shadow", "moved"])
def test_colour_alone_is_never_worse(mistake: str, strands: int) -> None:
    """Without the learned refiner, as the quality fast works, the same holds."""
    lost = _losses(mistake, strands, 3.0, "auto", learned=False)
    assert max(lost) <= LEEWAY
    assert np.mean(lost) <= 0


@pytest.mark.parametrize("learned", [True, False], ids=["learned", "colour"])
@pytest.mark.parametrize("strands", [0, 120], ids=["hard", "hairy"])
def test_a_crisp_answer_is_not_spoilt(strands: int, *, learned: bool) -> None:
    """An answer that is right and crisp at the network's own size becomes better, not worse."""
    assert max(_losses("crisp", strands, 3.0, "auto", learned=learned)) <= 0


@pytest.mark.parametrize("strands", [0, 120], ids=["hard", "hairy"])
def test_an_exact_answer_is_nearly_kept(strands: int) -> None:
    """An answer as fine as the photo and right to a level or two loses a hundredth at most."""
    assert max(_losses("crisp", strands, 1.0, "auto")) <= 0.01
