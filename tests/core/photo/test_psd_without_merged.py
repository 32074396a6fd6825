"""A PSD without a merged picture is composed of its layers where that is certain, else refused by name."""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from psd_tools import PSDImage
from psd_tools.constants import BlendMode, Resource, Tag
from psd_tools.psd import PSD
from tests.core.write.psd.test_in_place import masked

from mattebox.core.errors import PhotoError
from mattebox.core.photo import probe, read_photo
from mattebox.core.settings import PsdOutput

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (40, 30)


def noise(seed: int, size: tuple[int, int] = SIZE) -> Any:
    """Opaque samples (h, w, 4)."""
    samples = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), np.uint8)
    samples[..., 3] = 255
    return samples


def document() -> PSDImage:
    """A photo and a smaller one above it, half opaque."""
    psd = PSDImage.new("RGB", SIZE)
    psd.create_pixel_layer_from_array(noise(1) / 255, name="Photo")
    psd.create_pixel_layer_from_array(noise(2, (20, 10)) / 255, name="Sticker", left=5, top=6)
    psd[1].opacity = 128
    return psd


def without_merged(psd: PSDImage, path: Path, *, told: bool = True) -> Path:
    """Saved with a blank merged picture; `told`: the file says that it has none."""
    psd.save(path)
    with path.open("rb") as file:
        low = PSD.read(file)
    low.image_data.set_data([bytes(SIZE[0] * SIZE[1])] * low.header.channels, low.header)
    if told:
        low.image_resources.get_data(Resource.VERSION_INFO).has_composite = False
    else:
        del low.image_resources[Resource.VERSION_INFO.value]
    with path.open("wb") as file:
        low.write(file)
    return path


def over(below: Any, above: Any, share: float) -> Any:
    """The formula of the normal mode, on its own."""
    return below * (1 - share) + above * share


@pytest.mark.parametrize("told", [True, False])
def test_plain_layers_are_composed(tmp_path: Path, told: bool) -> None:
    """Opacity and place are kept, also where the file does not say that its merged picture is blank."""
    photo = read_photo(without_merged(document(), tmp_path / "a.psd", told=told))
    expected = noise(1)[..., :3].astype(float)
    patch = expected[6:16, 5:25]
    expected[6:16, 5:25] = over(patch, noise(2, (20, 10))[..., :3], 128 / 255)
    assert np.abs(photo.pixels - expected).max() <= 1
    assert photo.alpha is None
    assert probe(tmp_path / "a.psd").width == SIZE[0]


def test_transparency_of_the_layers_is_the_photos(tmp_path: Path) -> None:
    """Where no layer lies the photo is clear."""
    psd = PSDImage.new("RGB", SIZE)
    psd.create_pixel_layer_from_array(noise(2, (20, 10)) / 255, name="Product", left=5, top=6)
    photo = read_photo(without_merged(psd, tmp_path / "a.psd"))
    assert photo.alpha is not None
    assert photo.alpha[6:16, 5:25].all()
    assert photo.alpha.sum() == 255 * 200
    np.testing.assert_array_equal(photo.pixels[6:16, 5:25], noise(2, (20, 10))[..., :3])


@pytest.mark.parametrize("mode", [BlendMode.MULTIPLY, BlendMode.SCREEN, BlendMode.DARKEN])
def test_common_blend_modes_are_composed(tmp_path: Path, mode: BlendMode) -> None:
    """By the formulas of PDF 1.7, 11.3.5."""
    psd = document()
    psd[1].opacity, psd[1].blend_mode = 255, mode
    photo = read_photo(without_merged(psd, tmp_path / "a.psd"))
    expected = noise(1)[..., :3] / 255
    below, above = expected[6:16, 5:25], noise(2, (20, 10))[..., :3] / 255
    expected[6:16, 5:25] = {
        BlendMode.MULTIPLY: below * above,
        BlendMode.SCREEN: below + above - below * above,
        BlendMode.DARKEN: np.minimum(below, above),
    }[mode]
    assert np.abs(photo.pixels - expected * 255).max() <= 1


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("blend", r"the blend mode of 'Sticker' \(dissolve\)"),
        ("shape", r"'Sticker' \(an adjustment, shape or fill\)"),
        ("clipping", "the clipping of 'Sticker'"),
        ("effects", "the effects of 'Sticker'"),
        ("knockout", "the fill or knockout of 'Sticker'"),
        ("ranges", "the blending ranges of 'Sticker'"),
    ],
)
def test_what_stands_in_the_way_is_named(tmp_path: Path, what: str, sentence: str) -> None:
    """Nothing is guessed: the sentence says which layer cannot be shown, and what to do."""
    psd = document()
    if what == "blend":
        psd[1].blend_mode = BlendMode.DISSOLVE
    elif what == "shape":
        psd[1].tagged_blocks.set_data(Tag.INVERT)
    elif what == "clipping":
        psd[1].clipping = True
    elif what == "effects":
        psd[1].tagged_blocks.set_data(Tag.OBJECT_BASED_EFFECTS_LAYER_INFO)
    elif what == "knockout":
        psd[1].tagged_blocks.set_data(Tag.KNOCKOUT_SETTING, 1)
    else:
        psd[1]._record.blending_ranges.composite_ranges = [(0, 30000), (0, 65535)]
    path = without_merged(psd, tmp_path / "a.psd")
    with pytest.raises(PhotoError, match=f"{sentence} cannot be shown for certain.*maximum compatibility"):
        read_photo(path)
    _, notes = masked(path, tmp_path / "out.psd", layer="Photo")
    assert notes == (), "in place needs the one layer alone, and there is no preview to be stale"


def test_a_blank_picture_that_is_blank_stays_so(tmp_path: Path) -> None:
    """A file that is truly white is read as white."""
    psd = PSDImage.new("RGB", SIZE)
    psd.create_pixel_layer_from_array(np.ones((30, 40, 4)), name="Paper")
    psd.save(tmp_path / "a.psd")
    assert (read_photo(tmp_path / "a.psd").pixels == 255).all()


def test_composing_needs_no_package_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What psd-tools' extra would add is not there for users, and is not needed."""
    for name in ("scipy", "skimage", "aggdraw"):
        monkeypatch.setitem(sys.modules, name, None)
    assert read_photo(without_merged(document(), tmp_path / "a.psd")).pixels.any()


def test_a_spoilt_resource_does_not_keep_the_picture_away(tmp_path: Path) -> None:
    """A clipping path's name without its padding, as we once wrote it, is passed over."""
    document().save(tmp_path / "a.psd")
    whole = (tmp_path / "a.psd").read_bytes()
    resource = b"8BIM" + struct.pack(">HHI", 2999, 0, 7) + b"\x06Path 1\0"
    length = int.from_bytes(whole[30:34], "big")
    (tmp_path / "b.psd").write_bytes(
        whole[:30]
        + struct.pack(">I", length + len(resource))
        + whole[34 : 34 + length]
        + resource
        + whole[34 + length :]
    )
    np.testing.assert_array_equal(
        read_photo(tmp_path / "b.psd").pixels, read_photo(tmp_path / "a.psd").pixels
    )
    assert PsdOutput().background == "layer"
