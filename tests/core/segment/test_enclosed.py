"""An even backdrop: what of it the subject encloses goes, and only that."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from bench.product_scenes import Scene, scene
from pydantic import ValidationError

from mattebox.core.engine import Engine
from mattebox.core.errors import PhotoError, SettingsError
from mattebox.core.matting import SegmentedPhoto, cut_segmented
from mattebox.core.photo import Photo, read_photo
from mattebox.core.segment.backdrop import even_backdrop, linear_light
from mattebox.core.segment.enclosed import enclosed_backdrop
from mattebox.core.segment.prediction import Prediction
from mattebox.core.segment.segmentation import Segmentation
from mattebox.core.segment.view import small_copy
from mattebox.core.settings import CutSettings
from mattebox.core.settings.backdrop import LitBackdrop

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Map = NDArray[np.float32]

SIDE = 480
pytestmark = pytest.mark.slow
HOLLOW = ("frame", "bag", "ring", "mug", "chair", "letters")


@cache
def drawn(name: str, seed: int = 3) -> Scene:
    """A small drawn product."""
    return scene(name, seed, SIDE)


def silhouette(product: Scene) -> Map:
    """What a network that fills all that is enclosed says, soft as one is."""
    filled = np.maximum(product.alpha, product.enclosed)
    return np.asarray(cv2.GaussianBlur(filled.astype(np.float32), (0, 0), 1.5), np.float32)


def segmented(
    product: Scene, settings: CutSettings, pixels: NDArray[np.uint8] | None = None
) -> SegmentedPhoto:
    """The product as such a network leaves it."""
    photo = Photo(product.pixels if pixels is None else pixels, "rgb")
    told, frame = silhouette(product), (0, 0, SIDE, SIDE)
    looks = tuple(Prediction("drawn", way, told, frame) for way in ("whole", "mirrored"))
    small = small_copy(photo)
    view = np.asarray(small, np.uint8)
    return SegmentedPhoto(
        photo, settings, small, view, Segmentation(told, looks, 1.5), told, 1, "drawn", "cpu", (), {}
    )


def error(alpha: Any, product: Scene) -> float:
    """The mean error of alpha in what the product encloses and at its edge."""
    near = cv2.dilate(product.enclosed.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return float(np.abs(alpha / 255.0 - product.alpha)[near].mean())


@pytest.mark.parametrize("name", HOLLOW)
def test_what_is_enclosed_of_an_even_backdrop_goes(name: str) -> None:
    """A tenth of the error is left inside frames, handles, rings, chairs and letters, and none is added."""
    product = drawn(name)
    without = cut_segmented(segmented(product, CutSettings(backdrop="none", decontaminate=False)))
    with_it = cut_segmented(segmented(product, CutSettings(decontaminate=False)))
    assert error(with_it.alpha, product) < 0.1 * error(without.alpha, product)
    assert (with_it.alpha <= without.alpha).all()
    apart = np.abs(with_it.alpha.astype(float) - without.alpha)[product.alpha > 0.99]
    assert np.mean(apart > 25) < 0.002
    assert "encloses_background" not in with_it.report.warnings


def test_the_surface_of_a_sweep_is_found_behind_the_subject() -> None:
    """Where nothing was seen of it, the model is within two levels of the set photographed empty."""
    product = drawn("ring")
    found = even_backdrop(product.pixels, silhouette(product))
    assert found is not None
    behind = found.light((SIDE, SIDE), slice(0, SIDE), slice(0, SIDE))
    empty = cv2.blur(linear_light(product.empty), (9, 9))
    gain = float(np.median(behind / empty))
    hidden = product.alpha > 0.99
    assert np.abs(behind / (empty * gain) - 1)[hidden].max() < 0.03


@pytest.mark.parametrize("seed", range(4))
def test_a_backdrop_with_things_in_it_is_not_even(seed: int) -> None:
    """Texture, patterns and other things leave no even backdrop, so that nothing at all is changed."""
    dice = np.random.default_rng(seed)
    rough = cv2.GaussianBlur(dice.normal(0, 1, (SIDE, SIDE, 3)), (0, 0), 6)
    rough = np.clip(128 + 40 * rough / rough.std(), 0, 255)
    product = drawn("ring")
    view = (product.alpha[..., None] * product.pixels + (1 - product.alpha[..., None]) * rough).astype(
        np.uint8
    )
    assert even_backdrop(view, silhouette(product)) is None
    settings = CutSettings(decontaminate=False)
    kept = cut_segmented(segmented(product, settings, view))
    other = cut_segmented(segmented(product, settings.model_copy(update={"backdrop": "none"}), view))
    assert np.array_equal(kept.alpha, other.alpha)
    assert replace(kept.report, seconds={}) == replace(other.report, seconds={})


@pytest.mark.parametrize("seed", range(3))
def test_a_subjects_own_shading_through_the_backdrops_light_stays(seed: int) -> None:
    """A white vase on a white sweep, whose light is somewhere just the sweep's, loses nothing."""
    across, down = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(-1, 1, SIDE))
    dice = np.random.default_rng(seed)
    behind = 205 - 8 * (across**2 + down**2)
    inside = (across / 0.45) ** 2 + (down / 0.6) ** 2 < 1
    shading = 205 + 30 * np.cos(3 * across + dice.uniform(-1, 1)) - 25 * down
    light = np.where(inside, shading, behind) + dice.normal(0, 1.2, (SIDE, SIDE))
    view = np.clip(np.rint(light), 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    told = np.asarray(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.5), np.float32)
    assert even_backdrop(view, told) is not None
    found = enclosed_backdrop(view, told)
    assert found is None or not found.open.any()


@pytest.mark.parametrize(("told", "goes"), [(0.7, True), (1.0, False)])
def test_before_a_clipped_white_the_network_has_to_doubt_too(told: float, *, goes: bool) -> None:
    """A white that is 255 everywhere may be print on the product; where the network is sure it is told."""
    product = drawn("frame")
    pixels = np.where(product.alpha[..., None] > 0.5, product.pixels, 255).astype(np.uint8)
    probability = np.where(product.enclosed, np.float32(told), silhouette(product))
    found = enclosed_backdrop(pixels, probability)
    assert found is not None
    assert bool(found.open.any()) == goes
    assert bool(found.doubtful) != goes


def test_what_only_looks_like_the_backdrop_is_kept_and_told() -> None:
    """A panel a few levels off the backdrop stays; the report says where it is and is less sure."""
    product = drawn("frame")
    pixels = product.pixels.copy()
    core = cv2.erode(product.enclosed.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    paler = np.clip(pixels.astype(np.int16) - 4, 0, 255).astype(np.uint8)
    pixels[product.enclosed] = paler[product.enclosed]
    settings = CutSettings(decontaminate=False)
    told = cut_segmented(segmented(product, settings, pixels))
    plain = cut_segmented(segmented(product, settings.model_copy(update={"backdrop": "none"}), pixels))
    assert told.alpha[core].min() > 240
    assert "encloses_background" in told.report.warnings
    assert told.report.confidence < 0.6 * plain.report.confidence


def _on_set(product: Scene, empty: NDArray[np.uint8], gain: float) -> NDArray[np.uint8]:
    """A drawn product before a photographed set, exposed otherwise."""
    share = product.alpha[..., None]
    light = share * linear_light(product.pixels) + (1 - share) * linear_light(empty) * gain
    srgb = (
        np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055) * 255
    )
    noise = np.random.default_rng(0).normal(0, 1.0, srgb.shape)
    return np.clip(np.rint(srgb + noise), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def patterned() -> NDArray[np.uint8]:
    """A set that no smooth surface describes."""
    dice = np.random.default_rng(5)
    rough = cv2.GaussianBlur(dice.normal(0, 1, (SIDE, SIDE, 3)), (0, 0), 9)
    return np.asarray(np.clip(150 + 25 * rough / rough.std(), 0, 255), np.uint8)


@pytest.mark.parametrize("gain", [0.8, 1.0, 1.15])
def test_a_photo_of_the_empty_set_tells_what_is_enclosed(
    tmp_path: Path, patterned: NDArray[np.uint8], gain: float
) -> None:
    """With it a patterned backdrop goes from a ring too, whatever the two exposures are."""
    product = drawn("ring")
    cv2.imwrite(str(tmp_path / "empty.png"), patterned[..., ::-1])
    view = _on_set(product, patterned, gain)
    settings = CutSettings(decontaminate=False)
    alone = cut_segmented(segmented(product, settings, view))
    told = settings.model_copy(update={"backdrop": tmp_path / "empty.png"})
    known = cut_segmented(segmented(product, told, view))
    assert error(known.alpha, product) < 0.1 * error(alone.alpha, product)
    assert not known.report.notes


@pytest.mark.parametrize("name", ["bottle", "mesh", "ring"])
def test_a_second_exposure_with_the_backdrop_lit_measures_the_silhouette(tmp_path: Path, name: str) -> None:
    """Meshes, and how much light comes through glass, come out to a hundredth, as the network cannot know."""
    product = drawn(name)
    cv2.imwrite(str(tmp_path / "photo_b.png"), product.lit[..., ::-1])
    paired = LitBackdrop(lit=tmp_path / "{stem}_b.png")
    settings = CutSettings(decontaminate=False)
    apart = []
    for told in (settings, settings.model_copy(update={"backdrop": paired})):
        found = segmented(product, told)
        found = replace(found, photo=replace(found.photo, source=tmp_path / "photo.jpg"))
        cutout = cut_segmented(found)
        assert not any("exposure" in note for note in cutout.report.notes)
        apart.append(float(np.abs(cutout.alpha / 255 - product.alpha).mean()))
    assert apart[1] < 0.006
    assert apart[1] < apart[0]


def test_a_lit_exposure_of_another_thing_is_told_and_not_used(tmp_path: Path) -> None:
    """A pair that does not belong together leaves the matte as it is; an unknown field is refused at once."""
    product, other = drawn("ring"), drawn("letters")
    cv2.imwrite(str(tmp_path / "other.png"), other.lit[..., ::-1])
    settings = CutSettings(decontaminate=False)
    told = settings.model_copy(update={"backdrop": LitBackdrop(lit=tmp_path / "other.png")})
    plain = settings.model_copy(update={"backdrop": "none"})
    found = cut_segmented(segmented(product, told))
    assert any("lit backdrop" in note for note in found.report.notes)
    assert (found.alpha <= cut_segmented(segmented(product, plain)).alpha).all()
    with pytest.raises(ValidationError, match="stem"):
        CutSettings.model_validate({"backdrop": {"lit": "./{name}_b.jpg"}})


def test_a_photo_of_another_set_is_told_and_not_used(tmp_path: Path, patterned: NDArray[np.uint8]) -> None:
    """What does not show the backdrop changes nothing and is named; one of another size is refused."""
    product = drawn("ring")
    cv2.imwrite(str(tmp_path / "other.png"), patterned[::-1])
    cv2.imwrite(str(tmp_path / "small.png"), patterned[:100, :100])
    view = _on_set(product, patterned, 1.0)
    settings = CutSettings(decontaminate=False)
    alone = cut_segmented(segmented(product, settings, view))
    other = settings.model_copy(update={"backdrop": tmp_path / "other.png"})
    found = cut_segmented(segmented(product, other, view))
    assert np.array_equal(found.alpha, alone.alpha)
    assert any("empty set" in note for note in found.report.notes)
    for name, kind in (("small.png", SettingsError), ("none.png", PhotoError)):
        with pytest.raises(kind, match=name):
            cut_segmented(segmented(product, settings.model_copy(update={"backdrop": tmp_path / name}), view))


@pytest.mark.network
def test_photos_without_an_even_backdrop_are_the_same_to_the_last_byte(
    shipped_photos: dict[str, Path],
) -> None:
    """Modelling the backdrop changes nothing of ordinary photos, neither matte nor report."""
    engine = Engine()
    for path in shipped_photos.values():
        settings = CutSettings(quality="fast", decontaminate=False)
        told = engine.segment(read_photo(path), settings)
        plain = settings.model_copy(update={"backdrop": "none"})
        one, other = (cut_segmented(each) for each in (told, replace(told, settings=plain)))
        assert np.array_equal(one.alpha, other.alpha), path
        assert replace(one.report, seconds={}) == replace(other.report, seconds={}), path
