"""Backgrounds, shadows, outlines and enhancement, as the flattened picture shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import imagecodecs
import numpy as np
import pytest
from bench.product_scenes import scene
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mattebox.core.composition import Composition
from mattebox.core.cutout import Cutout
from mattebox.core.errors import LimitError
from mattebox.core.finish import finish
from mattebox.core.finish.layout import visible_box
from mattebox.core.photo import Photo, ReadLimits
from mattebox.core.photo.colour import srgb_profile
from mattebox.core.report.cut_report import CutReport
from mattebox.core.segment.backdrop import linear_light, srgb_levels
from mattebox.core.settings import FinishSettings
from mattebox.core.write.flatten import flatten

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def finished(cut: Cutout, **data: object) -> Composition:
    """The cutout with some settings."""
    return finish(cut, FinishSettings.model_validate(data))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1 << 30), deep=st.booleans())
def test_the_subject_on_its_own_background_gives_the_photo_back(seed: int, deep: bool) -> None:
    """A mix of straight colours and background comes back within one level, of 8 bits or of 16."""
    random = np.random.default_rng(seed)
    kind = np.uint16 if deep else np.uint8
    top = int(np.iinfo(kind).max)
    front, behind = (random.integers(0, top + 1, (6, 7, 3)).astype(kind) for _ in range(2))
    alpha = random.integers(0, top + 1, (6, 7)).astype(kind)
    share = alpha[..., None].astype(np.float64) / top
    photo = np.rint(front * share + behind * (1 - share)).astype(kind)
    flat = flatten(Composition(Photo(photo, "rgb"), photo, front, alpha, background=behind))
    assert np.abs(flat.pixels.astype(np.int64) - photo).max() <= 1
    solid = alpha == top
    assert np.array_equal(flat.pixels[solid], front[solid])


@pytest.mark.parametrize(
    ("mode", "white"), [("gray", (255,)), ("rgb", (255, 255, 255)), ("cmyk", (0, 0, 0, 0))]
)
def test_white_is_the_white_of_every_mode(
    cutout: Callable[..., Cutout], mode: str, white: tuple[int, ...]
) -> None:
    """A white background is paper white exactly: RGB 255, or no ink."""
    cut = cutout(mode=mode)
    flat = flatten(finished(cut, background="white"))
    assert (flat.pixels[cut.alpha == 0] == white).all()
    assert np.array_equal(flat.pixels[cut.alpha == 255], cut.photo.pixels[cut.alpha == 255])


def test_a_colour_looks_the_same_in_any_profile(cutout: Callable[..., Cutout]) -> None:
    """SRGB green is converted into the photo's own profile, and back it is green again."""
    cut = cutout()
    adobe = imagecodecs.cms_profile("adobergb")
    made = finished(replace(cut, photo=replace(cut.photo, icc=adobe)), background="#30c040")
    assert isinstance(made.background, tuple)
    assert made.background != (0x30, 0xC0, 0x40)
    stored = np.array([[made.background]], np.uint8)
    seen = imagecodecs.cms_transform(
        stored, adobe, imagecodecs.cms_profile("srgb"), colorspace="rgb", outcolorspace="rgb", intent=1
    )
    assert np.abs(seen[0, 0].astype(int) - (0x30, 0xC0, 0x40)).max() <= 2


def test_a_gray_photo_on_a_coloured_background_becomes_rgb(cutout: Callable[..., Cutout]) -> None:
    """Red behind a gray photo is red; its own pixels stay gray values, and the profile says sRGB."""
    cut = cutout(mode="gray")
    made = finished(cut, background="red")
    flat = flatten(made)
    assert flat.mode == "rgb"
    assert made.photo.icc == srgb_profile()
    assert finished(cut, background="white").photo.icc == cut.photo.icc
    assert (flat.pixels[cut.alpha == 0] == (255, 0, 0)).all()
    solid = cut.alpha == 255
    assert np.array_equal(flat.pixels[solid], np.repeat(cut.photo.pixels[solid], 3, axis=1))


def test_an_image_covers_the_canvas(cutout: Callable[..., Cutout], tmp_path: Path) -> None:
    """A background file is scaled to cover the canvas and cut at its middle."""
    picture = np.zeros((50, 200, 3), np.uint8)
    picture[:, 100:] = 255
    Image.fromarray(picture).save(tmp_path / "b.png")
    cut = cutout()
    cut.alpha[...] = 0
    flat = flatten(finished(cut, background=str(tmp_path / "b.png"), canvas=[100, 100]))
    assert (flat.pixels[:, :45] < 5).all()
    assert (flat.pixels[:, 55:] > 250).all()


def test_a_transparent_image_stands_on_white(cutout: Callable[..., Cutout], tmp_path: Path) -> None:
    """What a background file hides is white, whatever colours lie under its transparency."""
    hidden = np.zeros((60, 60, 4), np.uint8)
    hidden[..., 0] = 200
    Image.fromarray(hidden).save(tmp_path / "b.png")
    cut = cutout()
    cut.alpha[...] = 0
    assert (flatten(finished(cut, background=str(tmp_path / "b.png"))).pixels == 255).all()


def test_a_background_image_is_limited_as_a_photo_is(cutout: Callable[..., Cutout], tmp_path: Path) -> None:
    """A background beyond the limits is refused with the setting that raises them, and taken when raised."""
    Image.new("RGB", (300, 20)).save(tmp_path / "b.png")
    wanted = FinishSettings.model_validate({"background": str(tmp_path / "b.png")})
    with pytest.raises(LimitError, match=r"cut\.limits\.side"):
        finish(cutout(), wanted, ReadLimits(side=200))
    assert finish(cutout(), wanted, ReadLimits(side=300)).background is not None


def test_a_blurred_background_holds_nothing_of_the_subject(cutout: Callable[..., Cutout]) -> None:
    """Around a white subject on black the blurred original stays black: no glow."""
    cut = cutout()
    cut.photo.pixels[...] = np.where(cut.alpha[..., None] > 0, 255, 0)
    made = finished(cut, background="blur")
    assert isinstance(made.background, np.ndarray)
    assert made.background[cut.alpha == 0].mean() < 12


@pytest.mark.parametrize("kind", ["drop", "contact", "both"])
def test_a_shadow_darkens_beside_the_subject_and_never_on_it(
    cutout: Callable[..., Cutout], kind: str
) -> None:
    """On white the shadow falls away from the light, below the subject; solid pixels keep their bits."""
    cut = cutout()
    plain = flatten(finished(cut, background="white")).pixels
    shaded = flatten(finished(cut, background="white", shadow={"kind": kind, "opacity": 60})).pixels
    solid = cut.alpha == 255
    assert np.array_equal(shaded[solid], cut.photo.pixels[solid])
    assert (shaded.astype(int) <= plain.astype(int) + 1).all()
    darker = (plain.astype(int) - shaded).sum(axis=2)
    below, above = darker[121:130, 100:140].sum(), darker[50:59, 100:140].sum()
    assert below > 5 * max(1, above)


def test_a_shadow_without_a_background_is_in_the_alpha(cutout: Callable[..., Cutout]) -> None:
    """Over white the transparent picture with its shadow looks as the opaque one does, within a level."""
    cut = cutout()
    data = {"shadow": "both", "outline": {"width": "4px", "colour": "red"}}
    clear = flatten(finished(cut, **data))
    opaque = flatten(finished(cut, background="white", **data))
    assert clear.alpha is not None
    share = clear.alpha[..., None].astype(np.float64) / 255
    over_white = clear.pixels * share + 255 * (1 - share)
    # The alpha's own rounding moves a dark colour on white by up to half a level more.
    assert np.abs(over_white - opaque.pixels).max() <= 1.6


def test_the_shadow_in_the_photo_is_kept(cutout: Callable[..., Cutout]) -> None:
    """A shadow cast on a plain backdrop comes back: the kept one over that backdrop is the photo."""
    cut = cutout(size=(400, 300), centre=(200, 150), axes=(60, 40))
    down, across = np.mgrid[0:300, 0:400]
    cast = np.exp(-(((across - 230) / 60) ** 2) - (((down - 195) / 14) ** 2)) * 0.5
    backdrop = 225 - 0.05 * across
    lit = np.repeat((backdrop * (1 - cast))[..., None], 3, axis=2)
    share = cut.alpha[..., None] / 255
    pixels = np.rint(200 * share + lit * (1 - share)).astype(np.uint8)
    made = finished(replace(cut, photo=Photo(pixels, "rgb")), shadow="keep")
    assert made.shadow is not None
    assert made.notes == ()
    outside = cut.alpha == 0
    again = backdrop * (1 - made.shadow / 255.0)
    assert np.abs(again - pixels[..., 0])[outside].mean() < 2.5
    assert made.shadow[:60].max() <= 3
    assert made.shadow[195, 270] > 30


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ring", "bag", "chair"])
def test_a_kept_shadow_on_an_even_backdrop_is_exact(cutout: Callable[..., Cutout], name: str) -> None:
    """Its opacity is what the drawn light has lost, to a level and a half of 255 on average, wherever lit."""
    product = scene(name, 2, 480)
    levels = np.rint(product.alpha * 255).astype(np.uint8)
    cut = replace(cutout(), photo=Photo(product.pixels, "rgb"), alpha=levels, foreground=None)
    made = finished(cut, shadow="keep")
    assert made.shadow is not None
    assert made.notes == ()
    light = linear_light(product.empty)
    dimmed = srgb_levels(light * (1 - product.shadow[..., None]))
    lost = 1 - dimmed.mean(axis=2) / srgb_levels(light).mean(axis=2)
    around = cv2.dilate(levels, np.ones((9, 9), np.uint8)) == 0
    apart = np.abs(made.shadow / 255.0 - cv2.GaussianBlur(lost, (0, 0), 2))[around]
    assert apart.mean() < 1.5 / 255
    assert np.quantile(apart, 0.99) < 6 / 255


def test_a_busy_backdrop_is_said_to_be_no_ground_for_a_kept_shadow(cutout: Callable[..., Cutout]) -> None:
    """On a backdrop that is not plain a note warns of the kept shadow."""
    cut = cutout()
    blocks = np.random.default_rng(5).integers(0, 256, (10, 15), dtype=np.uint8)
    pixels = cv2.resize(blocks, (300, 200), interpolation=cv2.INTER_NEAREST)
    busy = Photo(np.repeat(pixels[..., None], 3, axis=2), "rgb")
    assert "not plain" in finished(replace(cut, photo=busy), shadow="keep").notes[0]


def test_an_outline_has_its_width_and_colour(cutout: Callable[..., Cutout]) -> None:
    """The visible box grows by the line's width on every side, and the line shows its colour."""
    cut = cutout()
    flat = flatten(finished(cut, outline={"width": "8px", "colour": "#00ff00"}))
    assert flat.alpha is not None
    inner, outer = visible_box(cut.alpha), visible_box(flat.alpha)
    assert np.abs(np.subtract(outer, inner) - (-8, -8, 8, 8)).max() <= 1
    assert tuple(flat.pixels[90, 120 - 50 - 4]) == (0, 255, 0)


def test_enhance_stretches_gently_and_says_so(cutout: Callable[..., Cutout]) -> None:
    """A flat, yellowish subject gets deeper blacks, brighter whites and a neutral gray; a note tells how."""
    cut = cutout()
    ramp = np.interp(np.arange(300), [70, 170], [30, 215])[None, :, None] * np.array([1.0, 0.99, 0.95])
    pixels = np.broadcast_to(ramp, (200, 300, 3)).astype(np.uint8)
    made = finished(replace(cut, photo=Photo(pixels, "rgb")), enhance="auto")
    solid = cut.alpha == 255
    before, after = pixels[solid].astype(int), made.colours[solid].astype(int)
    assert np.ptp(after) > np.ptp(before)
    bright = before.sum(axis=1) > np.median(before.sum(axis=1))
    assert np.ptp(after[bright].mean(axis=0)) < np.ptp(before[bright].mean(axis=0))
    assert made.notes[0].startswith("Enhance: levels")
    assert np.array_equal(made.original, pixels)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_enhance_is_bounded(cutout: Callable[..., Cutout], kind: type) -> None:
    """A dark subject stays dark and a red one stays red."""
    cut = cutout(kind=kind)
    top = np.iinfo(kind).max
    pixels = np.full((200, 300, 3), top // 10, kind)
    pixels[..., 0] = top // 5
    made = finished(replace(cut, photo=Photo(pixels, "rgb")), enhance="auto")
    red, green, blue = made.colours[90, 120].astype(float) / top
    assert red < 0.25
    assert red > 2 * green
    assert abs(green - blue) < 0.01


def test_dpi_is_what_was_asked_for(cutout: Callable[..., Cutout]) -> None:
    """The density of the finished picture replaces the photo's."""
    assert finished(cutout(), dpi=600).photo.dpi == (600, 600)


def test_a_cutout_without_a_subject_finishes(cutout: Callable[..., Cutout]) -> None:
    """An empty matte with every setting on gives a picture of background alone."""
    cut = cutout()
    empty = Cutout(cut.photo, np.zeros_like(cut.alpha), None, CutReport("none", 0.0))
    made = finished(
        empty, crop="subject", canvas=50, background="white", shadow="both", outline="2%", enhance="auto"
    )
    assert (flatten(made).pixels == 255).all()
