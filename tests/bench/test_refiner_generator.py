"""The refiner's generator: exact ranges, equal seeds, the edges that it promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from bench.refiner import mattes, textures
from bench.refiner.coarse import coarse_answer
from bench.refiner.composites import Bank, compose, sample
from bench.refiner.shapes import body, outline
from bench.refiner.strands import grow, hair_coat

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 96
SOFT_KINDS = ["hair", "curls", "fur", "motion", "lens", "smoke", "glass"]


def _bank(mattes_: int = 12, textures_: int = 6) -> Bank:
    drawn = np.stack([mattes.matte(seed, SIDE) for seed in range(mattes_)])
    scenes = np.stack([textures.texture(seed, 64) for seed in range(textures_)])
    return Bank(drawn, scenes)


def _soft_share(alpha: NDArray[np.uint8]) -> float:
    return float(((alpha > 5) & (alpha < 250)).mean())


@pytest.mark.parametrize("kind", mattes.KINDS)
def test_a_seed_gives_one_matte(kind: str) -> None:
    """Each kind draws the same bytes for the same seed, others for another, in the asked size."""
    first, again, other = (mattes.matte(seed, SIDE, kind) for seed in (3, 3, 4))
    assert first.shape == (SIDE, SIDE)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", SOFT_KINDS)
def test_soft_kinds_are_softer_than_hard_ones(kind: str) -> None:
    """Hair, fur, blur, smoke and glass have at least twice the soft pixels of hard shapes."""
    soft = np.mean([_soft_share(mattes.matte(seed, SIDE, kind)) for seed in range(8)])
    hard = np.mean([_soft_share(mattes.matte(seed, SIDE, "hard")) for seed in range(8)])
    assert soft > 2 * hard


def test_hard_shapes_are_antialiased_by_one_pixel() -> None:
    """A hard shape is 0 or 255 except along its outline."""
    for seed in range(8):
        alpha = mattes.matte(seed, SIDE, "hard")
        assert _soft_share(alpha) < 0.12
        assert {0, 255} <= set(np.unique(alpha).tolist())


def test_shares_of_kinds_add_up_to_one() -> None:
    """The shares by which mattes and textures are drawn are whole distributions."""
    assert sum(share for share, _ in mattes.KINDS.values()) == pytest.approx(1)
    assert sum(share for share, _ in textures.KINDS.values()) == pytest.approx(1)


def test_hair_only_adds_to_its_body() -> None:
    """Strands grow outwards and never eat into the body."""
    rng = np.random.default_rng(5)
    shape = body(rng, 128)
    hairy = grow(rng, shape, hair_coat(rng, 1.0))
    assert (hairy >= shape - 1e-6).all()
    assert hairy.sum() > shape.sum()


def test_normals_point_out_of_the_shape() -> None:
    """From a disc's outline the normals lead away from its centre."""
    y, x = np.mgrid[:80, :80]
    points, normals = outline((np.hypot(x - 40, y - 40) < 20).astype(np.float32))
    assert (((points - 40) * normals).sum(axis=1) > 0).all()
    assert outline(np.zeros((80, 80), np.float32))[0].shape == (0, 2)


def test_every_photo_texture_names_a_free_licence() -> None:
    """Only photos in the public domain or under CC0 become textures."""
    assert all(licence.startswith(("CC0", "public domain")) for licence, _ in textures.PHOTOS.values())


def test_textures_are_photos_and_more() -> None:
    """Equal seeds give equal textures, and textures differ from each other."""
    drawn = [textures.texture(seed, 48) for seed in range(12)]
    assert all(one.shape == (48, 48, 3) and one.dtype == np.uint8 for one in drawn)
    assert np.array_equal(drawn[7], textures.texture(7, 48))
    assert len({one.tobytes() for one in drawn}) == 12


def test_composites_hold_the_subject_where_alpha_says() -> None:
    """Two composites of one alpha over one seed's scenes differ nowhere; alpha stays within 0 and 1."""
    bank = _bank()
    alpha = bank.mattes[2].astype(np.float32) / 255
    image, seen = compose(np.random.default_rng(9), bank, alpha)
    again, _ = compose(np.random.default_rng(9), bank, alpha)
    assert np.array_equal(image, again)
    assert image.shape == (SIDE, SIDE, 3)
    assert image.dtype == seen.dtype == np.float32
    assert 0 <= image.min() <= image.max() <= 1
    assert 0 <= seen.min() <= seen.max() <= 1


def test_a_nearly_exact_answer_is_nearer_than_a_wrong_one() -> None:
    """Strength 0 keeps the edge; strength 1 makes the mistakes of a salient object network."""
    alpha = mattes.matte(1, 192, "hair").astype(np.float32) / 255
    errors = {
        strength: np.mean(
            [
                np.abs(coarse_answer(np.random.default_rng(seed), alpha, 2.5, strength) - alpha).mean()
                for seed in range(12)
            ]
        )
        for strength in (0.0, 1.0)
    }
    assert errors[0.0] < 0.7 * errors[1.0]
    assert errors[0.0] < 0.05


def test_samples_are_crops_with_an_edge() -> None:
    """A sample has the crop's size, floats in 0..1, and repeats with its seed."""
    bank = _bank()
    for seed in range(6):
        one, again = (sample(np.random.default_rng(seed), bank, 64) for _ in range(2))
        assert one.image.shape == (64, 64, 3)
        assert one.alpha.shape == one.coarse.shape == (64, 64)
        assert one.scale >= 0.8
        for plane in (one.image, one.alpha, one.coarse):
            assert plane.dtype == np.float32
            assert 0 <= plane.min() <= plane.max() <= 1
        assert np.array_equal(one.coarse, again.coarse)
        assert np.array_equal(one.image, again.image)
