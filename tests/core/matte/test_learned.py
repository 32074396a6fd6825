"""The learned refiner: only the unknown band changes, without seams, equally on any number of cores."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mattebox.core.errors import InferenceError
from mattebox.core.matte.learned import LearnedRefiner, shipped_refiner
from mattebox.core.matte.trimap import unknown_band, unsure_band
from mattebox.core.parallel import lanes, limit_lanes

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


def random_pixels(height: int, width: int) -> NDArray[np.uint8]:
    """A picture without any order."""
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_only_the_band_changes(tmp_path: Path) -> None:
    """With a network that answers the picture's brightness, what is sure stays and the edge follows it."""
    refiner = LearnedRefiner(write_refiner(tmp_path / "r.onnx", share=1.0))
    coarse = disc(300, 100)
    band = unknown_band(coarse, 6)
    alpha = refiner.refine(np.full((300, 300, 3), 255, np.uint8), coarse, band)
    assert np.array_equal(alpha[~band], coarse[~band])
    assert (alpha[band] > 0.99).all()


@pytest.mark.parametrize("shape", [(257, 257), (1000, 140), (96, 96), (40, 500), (90, 7)])
def test_tiles_cover_the_band_without_seams(tmp_path: Path, shape: tuple[int, int]) -> None:
    """What each pixel is answered does not depend on where tiles meet, at any size of the picture."""
    refiner = LearnedRefiner(write_refiner(tmp_path / "r.onnx", share=0.5))
    pixels = random_pixels(*shape)
    coarse = np.random.default_rng(2).random(shape).astype(np.float32)
    alpha = refiner.refine(pixels, coarse, np.ones(shape, bool))
    np.testing.assert_allclose(alpha, pixels.mean(axis=2) / 510 + coarse / 2, atol=1e-5)


def test_tiles_lie_along_the_band_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short edge in a large picture costs one tile, and none costs nothing."""
    refiner = LearnedRefiner(write_refiner(tmp_path / "r.onnx", share=0.5))
    runs: list[tuple[int, ...]] = []
    run = LearnedRefiner._run
    monkeypatch.setattr(
        LearnedRefiner,
        "_run",
        lambda self, image, coarse: runs.append(coarse.shape) or run(self, image, coarse),
    )
    band = np.zeros((700, 900), bool)
    coarse = np.zeros(band.shape, np.float32)
    assert (refiner.refine(random_pixels(*band.shape), coarse, band) == 0).all()
    assert not runs
    band[330:350, 640:660] = True
    refiner.refine(random_pixels(*band.shape), coarse, band)
    assert runs == [(TILE, TILE)]


def test_lanes_change_no_bit() -> None:
    """The shipped refiner gives the same bytes in one lane and in three, and again the next time."""
    coarse = disc(420, 150, 12)
    pixels = random_pixels(420, 420)
    usual, answers = lanes(), []
    try:
        for count in (1, 3, 3):
            limit_lanes(count)
            answers.append(shipped_refiner().refine(pixels, coarse, unknown_band(coarse, 9)))
    finally:
        limit_lanes(usual)
    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(answers[1], answers[2])


def test_a_file_that_is_no_refiner_is_one_sentence(tmp_path: Path) -> None:
    """Broken weights are an error of ours that names the file."""
    (tmp_path / "r.onnx").write_bytes(b"no graph")
    with pytest.raises(InferenceError, match=r"r\.onnx: the learned refiner cannot be loaded"):
        LearnedRefiner(tmp_path / "r.onnx")


def test_the_band_is_as_wide_as_asked() -> None:
    """A hard edge gets a band of the asked reach at both sides; an unsure area belongs to it."""
    step = np.zeros((40, 60), np.float32)
    step[:, 30:] = 1
    assert np.flatnonzero(unknown_band(step, 4)[20]).tolist() == list(range(26, 34))
    assert unknown_band(np.full((20, 20), 0.4, np.float32), 2).all()


def test_the_unsure_band_holds_what_is_not_sure_and_its_surroundings() -> None:
    """A crisp step gets the asked reach at both sides; beyond a haze of one half all within reach of it."""
    step = np.zeros((40, 60), np.float32)
    step[:, 30:] = 1
    assert np.flatnonzero(unsure_band(step, 4)[20]).tolist() == list(range(26, 34))
    step[:, 28:32] = 0.5
    assert np.flatnonzero(unsure_band(step, 4)[20]).tolist() == list(range(24, 36))
