"""The learned refiner's tiles: only the unknown band changes, without seams, equally each time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from bench.refiner.tiles import LearnedRefiner, trusted, unknown_band
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TILE = 96


def write_refiner(path: Path, *, share: float) -> Path:
    """A graph whose alpha is share x mean colour + (1 - share) x coarse."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, TILE, TILE])
    coarse = helper.make_tensor_value_info("coarse", TensorProto.FLOAT, [1, 1, TILE, TILE])
    alpha = helper.make_tensor_value_info("alpha", TensorProto.FLOAT, [1, 1, TILE, TILE])
    weights = numpy_helper.from_array(np.full((1, 3, 1, 1), share / 3, np.float32), "w")
    keep = numpy_helper.from_array(np.float32([1 - share]), "keep")
    nodes = [
        helper.make_node("Conv", ["image", "w"], ["colour"]),
        helper.make_node("Mul", ["coarse", "keep"], ["kept"]),
        helper.make_node("Add", ["colour", "kept"], ["alpha"]),
    ]
    graph = helper.make_graph(nodes, "tiny", [image, coarse], [alpha], [weights, keep])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, os.fspath(path))
    return path


def disc(side: int, radius: float, softness: float = 3.0) -> NDArray[np.float32]:
    """A disc in the middle with a soft edge."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.clip((radius - np.hypot(x, y)) / softness + 0.5, 0, 1).astype(np.float32)


def test_only_the_unknown_band_changes(tmp_path: Path) -> None:
    """With a network that answers the picture's brightness, what is sure stays and the edge follows it."""
    refiner = LearnedRefiner(write_refiner(tmp_path / "r.onnx", share=1.0), threads=1)
    coarse = disc(300, 100)
    pixels = np.full((300, 300, 3), 255, np.uint8)
    alpha = refiner.refine(pixels, coarse, seen=150)
    band = unknown_band(coarse, 6)
    assert np.array_equal(alpha[~band], coarse[~band])
    assert (alpha[band] >= coarse[band]).all()
    assert (alpha > coarse + 0.1).any()


def test_tiles_leave_no_seams(tmp_path: Path) -> None:
    """A network that answers the coarse value again gives the coarse value in every tile's overlap."""
    refiner = LearnedRefiner(write_refiner(tmp_path / "r.onnx", share=0.0), threads=1)
    coarse = disc(257, 90, 60)
    alpha = refiner.refine(np.zeros((257, 257, 3), np.uint8), coarse, seen=200)
    assert np.abs(alpha - coarse).max() < 1e-5


@pytest.mark.parametrize("shape", [(40, 500), (500, 40), (90, 7), (96, 96)])
def test_any_shape_is_refined(tmp_path: Path, shape: tuple[int, int]) -> None:
    """Photos smaller than a tile and long ones get alpha of their own size, within 0 and 1."""
    refiner = LearnedRefiner(write_refiner(tmp_path / "r.onnx", share=0.5), threads=1)
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    alpha = refiner.refine(pixels, disc(64, 20), seen=64)
    assert alpha.shape == shape
    assert alpha.dtype == np.float32
    assert 0 <= alpha.min() <= alpha.max() <= 1


def test_a_map_without_edges_is_left_alone(tmp_path: Path) -> None:
    """No unknown band means no work and no change."""
    refiner = LearnedRefiner(write_refiner(tmp_path / "r.onnx", share=1.0), threads=1)
    pixels = np.full((200, 200, 3), 90, np.uint8)
    for level in (0.0, 1.0):
        assert (refiner.refine(pixels, np.full((50, 50), level, np.float32), seen=50) == level).all()


def test_a_photo_no_finer_than_the_map_keeps_it(tmp_path: Path) -> None:
    """Where the network saw as much as the photo holds, its own edge stands."""
    refiner = LearnedRefiner(write_refiner(tmp_path / "r.onnx", share=1.0), threads=1)
    coarse = disc(120, 40)
    alpha = refiner.refine(np.full((120, 120, 3), 255, np.uint8), coarse, seen=120)
    assert np.abs(alpha - coarse).max() < 1e-6


def test_answers_repeat(tmp_path: Path) -> None:
    """The same photo gives the same bytes twice, also over several sizes."""
    refiner = LearnedRefiner(write_refiner(tmp_path / "r.onnx", share=0.7), threads=1)
    pixels = np.random.default_rng(2).integers(0, 256, (400, 500, 3), dtype=np.uint8)
    first = refiner.refine(pixels, disc(40, 12), seen=40)
    assert np.array_equal(first, refiner.refine(pixels, disc(40, 12), seen=40))


def test_the_band_is_as_wide_as_asked() -> None:
    """A hard edge gets a band of the asked reach at both sides; an unsure area belongs to it."""
    step = np.zeros((40, 60), np.float32)
    step[:, 30:] = 1
    assert np.flatnonzero(unknown_band(step, 4)[20]).tolist() == list(range(26, 34))
    assert unknown_band(np.full((20, 20), 0.4, np.float32), 2).all()


def test_a_change_of_the_mean_is_not_trusted() -> None:
    """Fine detail around the mean passes whole, a part that disappears mostly does not."""
    half = np.full((60, 60), 0.5, np.float32)
    stripes = half + np.float32(0.4) * (np.arange(60) % 2 * 2 - 1).astype(np.float32)
    assert np.abs(trusted(half, stripes, 5.0) - stripes)[10:-10, 10:-10].max() < 0.05
    ones = np.ones((60, 60), np.float32)
    assert trusted(ones, np.zeros_like(ones), 2.5).min() > 0.9
