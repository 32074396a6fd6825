"""Which layer in place takes for the photo: by what it is, not by where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from psd_tools import PSDImage
from psd_tools.constants import BlendMode, Tag
from tests.core.write.psd.test_in_place import masked

from mattebox.core.errors import SettingsError
from mattebox.core.write.psd.anatomy import anatomy_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZE = (120, 90)


def noise(size: tuple[int, int], seed: int = 1) -> Any:
    """A picture of its own, (h, w, 4) with full opacity."""
    samples = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), np.uint8)
    samples[..., 3] = 255
    return samples


def document(*layers: tuple[str, Any, tuple[int, int]]) -> PSDImage:
    """Pixel layers from the bottom up: name, picture, place."""
    psd = PSDImage.new("RGB", SIZE)
    for name, picture, (left, top) in layers:
        psd.create_pixel_layer_from_array(picture / 255, name=name, left=left, top=top)
    return psd


def masked_layers(path: Path) -> list[str]:
    """The names of the layers with a mask."""
    with path.open("rb") as file:
        return [layer.name for layer in anatomy_of(file, path).layers if -2 in layer.channels]


def healing() -> PSDImage:
    """A retoucher's file: one small stroke above the photo."""
    return document(("Photo", noise(SIZE), (0, 0)), ("Healing", noise((60, 40), 2), (30, 30)))


def logo() -> PSDImage:
    """A half-transparent logo above the photo, larger than half of it."""
    psd = document(("Photo", noise(SIZE), (0, 0)), ("Logo", noise((100, 80), 2), (5, 5)))
    psd[-1].opacity = 128
    return psd


def dust() -> PSDImage:
    """A layer of single specks in a group."""
    specks = noise(SIZE, 2)
    specks[np.random.default_rng(3).random((SIZE[1], SIZE[0])) > 0.02] = 0
    psd = document(("Photo", noise(SIZE), (0, 0)), ("Dust", specks, (0, 0)))
    psd.create_group(layer_list=[psd[-1]], name="Retouching")
    return psd


def grade() -> PSDImage:
    """A colour grade of the whole canvas, in soft light."""
    psd = document(("Photo", noise(SIZE), (0, 0)), ("Colour grade", noise(SIZE, 2), (0, 0)))
    psd[-1].blend_mode = BlendMode.SOFT_LIGHT
    return psd


def clipped() -> PSDImage:
    """A texture that is clipped to the photo below."""
    psd = document(("Photo", noise(SIZE), (0, 0)), ("Texture", noise((90, 60), 2), (0, 0)))
    psd[-1].clipping = True
    return psd


def backdrop() -> PSDImage:
    """A product of less than half the canvas on a white layer."""
    white = np.full((SIZE[1], SIZE[0], 4), 255, np.uint8)
    return document(("Paper", white, (0, 0)), ("Photo", noise((50, 50)), (30, 20)))


@pytest.mark.parametrize("make", [healing, logo, dust, grade, clipped, backdrop])
def test_the_photo_gets_the_mask_whatever_lies_above(tmp_path: Path, make: Callable[[], Any]) -> None:
    """Strokes, logos, dust, grades, clipped textures and flat backdrops are passed over, without a note."""
    make().save(tmp_path / "in.psd")
    _, notes = masked(tmp_path / "in.psd", tmp_path / "out.psd")
    assert masked_layers(tmp_path / "out.psd") == ["Photo"]
    assert not [note for note in notes if "if that is not the photo" in note]


def test_two_that_are_alike_are_refused_by_name(tmp_path: Path) -> None:
    """Two photos side by side: the sentence names both, and nothing is written; a name settles it."""
    half = (SIZE[0] // 2, SIZE[1])
    document(("Left", noise(half), (0, 0)), ("Right", noise(half, 2), (half[0], 0))).save(tmp_path / "in.psd")
    with pytest.raises(SettingsError, match="these are alike: 'Left', 'Right'; name one with the option"):
        masked(tmp_path / "in.psd", tmp_path / "out.psd")
    assert not (tmp_path / "out.psd").exists()
    masked(tmp_path / "in.psd", tmp_path / "out.psd", layer="Left")
    assert masked_layers(tmp_path / "out.psd") == ["Left"]


def test_a_layer_that_shows_little_is_warned_of(tmp_path: Path) -> None:
    """A collage whose largest picture covers a third: it is taken, and the report says how little it is."""
    document(
        ("Large", noise((60, 60)), (0, 0)),
        ("One", noise((50, 50), 2), (70, 0)),
        ("Two", noise((50, 38), 3), (70, 52)),
        ("Three", noise((60, 28), 4), (0, 62)),
    ).save(tmp_path / "in.psd")
    _, notes = masked(tmp_path / "in.psd", tmp_path / "out.psd")
    assert masked_layers(tmp_path / "out.psd") == ["Large"]
    assert any("'Large', which shows 37% of the picture" in note for note in notes)


def test_only_a_blended_layer_is_taken_and_said(tmp_path: Path) -> None:
    """Where no layer is plain the one that there is gets the mask, with a note."""
    psd = document(("Photo", noise(SIZE), (0, 0)))
    psd[0].opacity = 200
    psd.save(tmp_path / "in.psd")
    _, notes = masked(tmp_path / "in.psd", tmp_path / "out.psd")
    assert any("'Photo', which is clipped, half transparent or blended" in note for note in notes)


@pytest.mark.parametrize("kind", ["text", "nothing"])
def test_what_shows_is_said_where_no_photo_does(tmp_path: Path, kind: str) -> None:
    """Texts, shapes and fills have pixels, but are no photo: the sentence says that they are what shows."""
    psd = document(("Photo", noise(SIZE), (0, 0)), ("Title", noise((60, 20), 2), (0, 0)))
    psd[0].visible = False
    if kind == "text":
        psd[1].tagged_blocks.set_data(Tag.SOLID_COLOR_SHEET_SETTING)
    else:
        psd[1].visible = False
    psd.save(tmp_path / "in.psd")
    expected = {"text": "only texts, shapes and fills show", "nothing": "no layer shows"}[kind]
    with pytest.raises(SettingsError, match=f"{expected}; in your editor show the photo's layer"):
        masked(tmp_path / "in.psd", tmp_path / "out.psd")
