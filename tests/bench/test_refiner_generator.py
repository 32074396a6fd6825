"""The refiner's generator: exact ranges, equal seeds, the edges that it promises."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from bench.refiner import answers, composites, mattes, textures
from bench.refiner.bank import load
from bench.refiner.coarse import coarse_answer
from bench.refiner.composites import Bank, compose, sample
from bench.refiner.shapes import body, outline
from bench.refiner.strands import grow, hair_coat

if TYPE_CHECKING:
    from pathlib import Path

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


@pytest.mark.slow
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


class _Nearsighted:
    """Stands where a Segmenter stands: it knows every composite's alpha, and sees it at 48 pixels."""

    network = SimpleNamespace(input_size=48)

    def __init__(self, bank: Bank, count: int, *, blind: int) -> None:
        self._known = [answers.composite(bank, index) for index in range(count)]
        self._blind = blind

    def probability(self, view: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The alpha of the composite that the view is or mirrors; of the blind spot the opposite."""
        for index, (picture, alpha) in enumerate(self._known):
            for shown, true in ((picture, alpha), (picture[:, ::-1], alpha[:, ::-1])):
                if np.array_equal(shown, view):
                    small = cv2.resize(true.copy(), (48, 48), interpolation=cv2.INTER_AREA)
                    answer = cv2.resize(small, view.shape[1::-1])
                    return 1 - answer if index == self._blind else answer
        raise AssertionError("a picture that was never composed")


def test_a_networks_answers_become_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a network was asked is kept where it saw the subject, and crops of it are trained on."""
    bank = _bank()
    for name, drawn in (("mattes", bank.mattes), ("textures", bank.textures)):
        np.save(tmp_path / f"{name}.npy", drawn)
    assert load(tmp_path).asked is None
    seen = _Nearsighted(bank, 6, blind=2)
    assert 3 <= answers.collect(bank, seen, 6, tmp_path) < 6
    asked = load(tmp_path).asked
    assert asked is not None
    assert asked.scale == SIDE / 48
    errors = np.abs(asked.answers.astype(float) - asked.alphas).mean(axis=(1, 2))
    assert (errors < 40).all()
    assert not np.array_equal(asked.answers, asked.alphas)
    monkeypatch.setattr(composites, "ASKED", 1.0)
    crops = [
        sample(np.random.default_rng(seed), Bank(bank.mattes, bank.textures, asked), 64) for seed in range(9)
    ]
    for one in crops:
        assert one.image.shape == (64, 64, 3)
        assert one.alpha.shape == one.coarse.shape == (64, 64)
        assert 0 <= one.image.min() <= one.image.max() <= 1
    assert {round(one.scale, 3) for one in crops} <= {2.0, round(2 * 64 / 89, 3)}


def test_a_network_that_understands_nothing_is_one_sentence(tmp_path: Path) -> None:
    """Where no composite was understood nothing is written, and a sentence says so."""
    bank = _bank()
    with pytest.raises(SystemExit, match="none of 1 composites"):
        answers.collect(bank, _Nearsighted(bank, 1, blind=0), 1, tmp_path)
    assert not list(tmp_path.iterdir())
