"""What networks look at: a poor photo's copy made easier to see, any other as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from mattebox.core.photo import Photo
from mattebox.core.segment.image_measures import blockiness
from mattebox.core.segment.prepare import network_input, noise, prepared, tones
from mattebox.core.segment.view import network_view

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.photo import Pixels

NAMES = ("astronaut.png", "cat.png", "coffee.png", "flower.jpg")


def shipped(photos: dict[str, Path], name: str) -> np.ndarray:
    """A real photo's view, (h, w, 3)."""
    with Image.open(photos[name]) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("name", NAMES)
def test_a_sound_photo_stays_as_it_is(shipped_photos: dict[str, Path], name: str) -> None:
    """Nothing is done to a photo of full range and little noise."""
    view = shipped(shipped_photos, name)
    assert prepared(view) is view


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("slope", "shift"), [(0.25, 0), (0.3, 110)])
def test_a_dark_or_flat_photo_gets_its_range_back(
    shipped_photos: dict[str, Path], name: str, slope: float, shift: float
) -> None:
    """Stretched, its grays reach from black to white again, and the levels keep their order."""
    poor = np.rint(shipped(shipped_photos, name) * slope + shift).astype(np.uint8)
    kept = poor.copy()
    better = prepared(poor)
    low, high = tones(cv2.cvtColor(better, cv2.COLOR_RGB2GRAY))
    assert low <= 12
    assert high >= 240
    assert np.array_equal(poor, kept)
    middle = (better > 0) & (better < 255)
    assert (np.diff(better[middle][np.argsort(poor[middle], kind="stable")].astype(int)) >= 0).all()


@pytest.mark.parametrize("level", [0, 30, 128, 255])
def test_an_empty_picture_is_not_stretched_into_a_subject(level: int) -> None:
    """A plain picture with a sensor's noise or a soft light fall-off stays plain."""
    plain = np.random.default_rng(5).normal(level, 3, (200, 300, 3))
    plain += np.linspace(-4, 4, 300)[None, :, None]
    view = np.clip(np.rint(plain), 0, 255).astype(np.uint8)
    assert prepared(view) is view


def test_noise_is_told_and_reduced(shipped_photos: dict[str, Path]) -> None:
    """The measure is the noise's standard deviation within a fifth; preparing comes nearer to the photo."""
    view = shipped(shipped_photos, "astronaut.png")
    grain = np.random.default_rng(2).normal(0, 30, view.shape[:2])[..., None]
    noisy = np.clip(np.rint(view + grain), 0, 255).astype(np.uint8)
    assert noise(cv2.cvtColor(noisy, cv2.COLOR_RGB2GRAY)) == pytest.approx(30, rel=0.2)
    before, after = (np.abs(seen.astype(int) - view).mean() for seen in (noisy, prepared(noisy)))
    assert after < 0.7 * before


def test_noise_that_a_smaller_view_hides_is_reduced_in_it(shipped_photos: dict[str, Path]) -> None:
    """A photo is told to be noisy by its larger view; its smaller one comes nearer to the sound photo's."""
    sound = shipped(shipped_photos, "astronaut.png")
    noisy = np.clip(np.rint(sound + np.random.default_rng(2).normal(0, 25, sound.shape)), 0, 255)
    copy = network_input(Photo(noisy.astype(np.uint8), "rgb"), 300)
    expected = network_input(Photo(sound, "rgb"), 300)
    assert expected.enhanced is expected.view
    assert prepared(copy.view) is copy.view
    before, after = (np.abs(seen.astype(int) - expected.view).mean() for seen in (copy.view, copy.enhanced))
    assert after < 0.8 * before


@pytest.mark.parametrize("side", [384, 1024])
def test_nobody_makes_a_larger_view_of_a_sound_photo(
    shipped_photos: dict[str, Path], side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One view is made of a photo without noise, and of one that is shown whole with noise."""
    made = []

    def counted(photo: Photo, small: Pixels | None = None, *, own_alpha: bool = True) -> np.ndarray:
        made.append(photo)
        return network_view(photo, small, own_alpha=own_alpha)

    monkeypatch.setattr("mattebox.core.segment.prepare.network_view", counted)
    sound = shipped(shipped_photos, "astronaut.png")
    noisy = np.clip(sound + np.random.default_rng(2).normal(0, 30, sound.shape), 0, 255).astype(np.uint8)
    network_input(Photo(sound, "rgb"), side)
    assert len(made) == 1
    network_input(Photo(noisy, "rgb"), side)
    assert len(made) == (3 if side == 384 else 2)


def test_blocks_are_softened(shipped_photos: dict[str, Path]) -> None:
    """A copy of JPEG quality 6 has fewer blocks when it is prepared, and stays the same picture."""
    view = shipped(shipped_photos, "flower.jpg")
    _, packed = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, 6])
    pressed = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    better = prepared(pressed)
    grays = [cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY).astype(np.float32) for seen in (pressed, better)]
    assert blockiness(grays[1]) < 0.8 * blockiness(grays[0])
    assert np.abs(better.astype(int) - pressed).mean() < 8


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 5, 3), (1, 400, 3)])
def test_tiny_views_pass(shape: tuple[int, int, int]) -> None:
    """A view of few pixels is looked at as any other."""
    view = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    assert prepared(view).shape == shape
