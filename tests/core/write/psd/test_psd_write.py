"""The layered PSD as psd-tools and Pillow read it back: layers, masks, preview, metadata, PSB."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from psd_tools import PSDImage
from psd_tools.composite.composite import composite
from psd_tools.constants import BlendMode, Resource, Tag
from psd_tools.psd import PSD

from mattebox.core.errors import WriteError
from mattebox.core.photo import read_photo
from mattebox.core.settings import PsdNames, PsdOutput
from mattebox.core.write import psd as psd_writer
from mattebox.core.write.psd import write
from mattebox.core.write.psd.document import write_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.core.composition import Composition

    Build = Callable[..., Composition]

DEPTHS = [8, 16]
MODES = ["rgb", "gray", "cmyk"]


def merged(path: Path) -> np.ndarray[Any, Any]:
    """The stored merged picture (h, w, channels) in the file's values."""
    with path.open("rb") as file:
        record = PSD.read(file)
    header = record.header
    planes = record.image_data.get_data(header)
    dtype = np.dtype(">u2" if header.depth == 16 else np.uint8)
    return np.stack(
        [np.frombuffer(plane, dtype).reshape(header.height, header.width) for plane in planes], axis=2
    )


def samples(layer: Any, identifier: int, psd: PSDImage) -> np.ndarray[Any, Any]:
    """One stored channel of a layer in the file's values."""
    index = [info.id for info in layer._record.channel_info].index(identifier)
    width, height = layer._record.channel_sizes[index]
    data = layer._channels[index].get_data(width, height, psd.depth, psd.version)
    return np.frombuffer(data, ">u2" if psd.depth == 16 else np.uint8).reshape(height, width)


def named(psd: PSDImage, name: str) -> Any:
    """The one layer of that name."""
    [layer] = [layer for layer in psd.descendants() if layer.name == name]
    return layer


@pytest.mark.parametrize("bits", DEPTHS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("compression", ["rle", "zip"])
def test_the_photo_is_untouched_and_the_mask_is_the_matte(
    composition_of: Build, tmp_path: Path, mode: str, bits: int, compression: str
) -> None:
    """Every pixel of the Subject equals the photo's; the mask has the matte's values in its full depth."""
    made = composition_of(mode, bits)
    write(made, PsdOutput(compression=compression), tmp_path / "x.psd")
    psd = PSDImage.open(tmp_path / "x.psd")
    subject = named(psd, "Subject")
    full = int(np.iinfo(made.alpha.dtype).max)
    for channel in range(made.original.shape[2]):
        stored = samples(subject, channel, psd)
        np.testing.assert_array_equal(
            full - stored if mode == "cmyk" else stored, made.original[..., channel]
        )
    assert np.all(samples(subject, -1, psd) == full)
    box = subject.mask._data
    mask = np.zeros_like(made.alpha)
    mask[box.top : box.bottom, box.left : box.right] = samples(subject, -2, psd)
    np.testing.assert_array_equal(mask, made.alpha)
    assert (box.background_color, box.flags.pos_relative_to_layer, box.flags.mask_disabled) == (
        0,
        False,
        False,
    )
    inside = made.alpha[box.top : box.bottom, box.left : box.right]
    edges = (inside[0], inside[-1], inside[:, 0], inside[:, -1])
    assert all(edge.any() for edge in edges), "the mask is cropped to the bounding box"


@pytest.mark.parametrize("bits", DEPTHS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "options",
    [{}, {"group": True}, {"mask": "alpha-channel"}, {"mask": "both"}, {"backdrop": "none"}],
    ids=str,
)
def test_the_preview_is_what_the_layers_composite_to(
    composition_of: Build, tmp_path: Path, mode: str, bits: int, options: dict[str, Any]
) -> None:
    """psd-tools' own compositing of the layers on white differs from the preview by at most one level."""
    made = composition_of(mode, bits, clean=True, shadow=True, outline=True)
    write(made, PsdOutput(**options), tmp_path / "x.psd")
    psd = PSDImage.open(tmp_path / "x.psd")
    colour, _, alpha = composite(psd, force=True)
    full = int(np.iinfo(made.alpha.dtype).max)
    expected = (colour * alpha + (1 - alpha)) * full
    stored = merged(tmp_path / "x.psd")
    channels = made.original.shape[2]
    assert np.abs(stored[..., :channels] - expected).max() <= 1
    if options == {"backdrop": "none"}:
        assert np.abs(stored[..., channels] - alpha[..., 0] * full).max() <= 1


def test_pillow_shows_the_preview(composition_of: Build, tmp_path: Path) -> None:
    """A reader that knows no layers sees the subject on its background."""
    made = composition_of(background=(10, 200, 30))
    write(made, PsdOutput(), tmp_path / "x.psd")
    with Image.open(tmp_path / "x.psd") as image:
        shown = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(shown, merged(tmp_path / "x.psd"))
    np.testing.assert_array_equal(shown[made.alpha == 255], made.original[made.alpha == 255])
    assert np.all(shown[made.alpha == 0] == (10, 200, 30))


def test_layers_stand_in_the_order_that_designers_expect(composition_of: Build, tmp_path: Path) -> None:
    """From the top: Subject, clean (hidden), outline, shadow (multiply), background, original (hidden)."""
    made = composition_of(clean=True, shadow=True, outline=True)
    write(made, PsdOutput(original=True), tmp_path / "x.psd")
    layers = list(PSDImage.open(tmp_path / "x.psd"))[::-1]
    assert [(layer.name, layer.visible, layer.blend_mode) for layer in layers] == [
        ("Subject", True, BlendMode.NORMAL),
        ("Subject clean", False, BlendMode.NORMAL),
        ("Outline", True, BlendMode.NORMAL),
        ("Shadow", True, BlendMode.MULTIPLY),
        ("Background", True, BlendMode.NORMAL),
        ("Original", False, BlendMode.NORMAL),
    ]
    assert len({layer.tagged_blocks.get_data(Tag.LAYER_ID) for layer in layers}) == 6


def test_clean_layer_holds_the_straight_colours(composition_of: Build, tmp_path: Path) -> None:
    """Subject clean has the decontaminated colours, not premultiplied, and the matte as transparency."""
    made = composition_of(clean=True)
    write(made, PsdOutput(), tmp_path / "x.psd")
    psd = PSDImage.open(tmp_path / "x.psd")
    layer = named(psd, "Subject clean")
    cut = made.colours[layer.top : layer.bottom, layer.left : layer.right]
    for channel in range(3):
        np.testing.assert_array_equal(samples(layer, channel, psd), cut[..., channel])
    np.testing.assert_array_equal(
        samples(layer, -1, psd), made.alpha[layer.top : layer.bottom, layer.left : layer.right]
    )


def test_group_carries_the_mask(composition_of: Build, tmp_path: Path) -> None:
    """With `group` the mask is the group's, so that what is added inside is cut out too."""
    made = composition_of()
    write(made, PsdOutput(group=True), tmp_path / "x.psd")
    psd = PSDImage.open(tmp_path / "x.psd")
    group = named(psd, "Cutout")
    assert [layer.name for layer in group] == ["Subject"]
    assert group.has_mask()
    assert not named(psd, "Subject").has_mask()


def test_alpha_channel_is_named_and_exact(composition_of: Build, tmp_path: Path) -> None:
    """`mask: both` stores the matte as a channel of the document with its name in Unicode."""
    made = composition_of("rgb", 16)
    options = PsdOutput(mask="both", names=PsdNames(channel="抠图"))
    write(made, options, tmp_path / "x.psd")
    np.testing.assert_array_equal(merged(tmp_path / "x.psd")[..., 3], made.alpha)
    resources = PSDImage.open(tmp_path / "x.psd").image_resources
    assert list(resources.get_data(Resource.ALPHA_NAMES_UNICODE)) == ["抠图"]


@pytest.mark.parametrize("name", ["原写真", "Тема", "موضوع", "🌸 Motiv", "x" * 200])
def test_names_in_any_script(composition_of: Build, tmp_path: Path, name: str) -> None:
    """A layer keeps its name whatever script it is in."""
    write(composition_of(), PsdOutput(names=PsdNames(subject=name)), tmp_path / "x.psd")
    assert named(PSDImage.open(tmp_path / "x.psd"), name).has_mask()


def test_metadata_comes_along(composition_of: Build, tmp_path: Path) -> None:
    """ICC profile, EXIF, XMP and resolution are those of the photo."""
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[272] = "Camera"
    bare = exif.tobytes().removeprefix(b"Exif\0\0")
    made = composition_of(icc=icc, exif=bare, xmp=b"<x:xmpmeta/>", dpi=(300.0, 150.5))
    write(made, PsdOutput(), tmp_path / "x.psd")
    resources = PSDImage.open(tmp_path / "x.psd").image_resources
    assert resources.get_data(Resource.ICC_PROFILE) == icc
    kept = Image.Exif()
    kept.load(b"Exif\0\0" + resources.get_data(Resource.EXIF_DATA_1))
    assert kept[272] == "Camera"
    assert resources.get_data(Resource.XMP_METADATA) == b"<x:xmpmeta/>"
    resolution = resources.get_data(Resource.RESOLUTION_INFO)
    assert (resolution.horizontal / 65536, resolution.vertical / 65536) == (300.0, 150.5)


@pytest.mark.parametrize("mode", MODES)
def test_thumbnail_shows_the_preview_small(composition_of: Build, tmp_path: Path, mode: str) -> None:
    """The thumbnail is an RGB JPEG of at most 160 pixels a side whose mean is that of the preview."""
    made = composition_of(mode, size=(900, 500), background=None)
    write(made, PsdOutput(), tmp_path / "x.psd")
    resource = PSDImage.open(tmp_path / "x.psd").image_resources.get_data(Resource.THUMBNAIL_RESOURCE)
    with Image.open(io.BytesIO(resource.data)) as image:
        small = np.asarray(image).astype(float)
    assert small.shape == (89, 160, 3)
    assert (resource.width, resource.height) == (160, 89)
    preview = merged(tmp_path / "x.psd").astype(float)
    if mode == "cmyk":
        preview = preview[..., :3] * preview[..., 3:] / 255
    assert np.abs(small.mean() - preview.mean()) < 3


def test_empty_matte_hides_everything(composition_of: Build, tmp_path: Path) -> None:
    """A matte without a subject gives a file that opens and shows the background alone."""
    made = composition_of()
    made.alpha[:] = 0
    write(made, PsdOutput(), tmp_path / "x.psd")
    colour, _, _ = composite(PSDImage.open(tmp_path / "x.psd"), force=True)
    assert np.all(colour == 1)
    assert np.all(merged(tmp_path / "x.psd") == 255)


def test_a_side_above_30000_pixels_is_a_psb_that_reads_back(composition_of: Build, tmp_path: Path) -> None:
    """The large variant is chosen by dimension and holds the same layers and preview."""
    made = composition_of(size=(30_001, 3))
    write(made, PsdOutput(), tmp_path / "x.psb")
    psd = PSDImage.open(tmp_path / "x.psb")
    assert psd.version == 2
    np.testing.assert_array_equal(samples(named(psd, "Subject"), 1, psd), made.original[..., 1])
    shown = merged(tmp_path / "x.psb")
    np.testing.assert_array_equal(shown[made.alpha == 255], made.original[made.alpha == 255])


def test_a_file_beyond_the_size_of_a_psd_is_a_psb(
    composition_of: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The large variant is chosen by size too: the limit is lowered here, not 2 GB written."""

    def with_low_limit(file: Any, document: Any, *, big: bool) -> None:
        write_document(file, document, big=big, limit=9_000)

    monkeypatch.setattr(psd_writer, "write_document", with_low_limit)
    made = composition_of()
    write(made, PsdOutput(), tmp_path / "x.psd")
    psd = PSDImage.open(tmp_path / "x.psd")
    assert psd.version == 2
    np.testing.assert_array_equal(samples(named(psd, "Subject"), 2, psd), made.original[..., 2])


def test_an_unwritable_place_is_one_sentence_and_leaves_nothing(
    composition_of: Build, tmp_path: Path
) -> None:
    """A folder that is missing ends in WriteError with the path in it."""
    with pytest.raises(WriteError, match=r"missing.x\.psd: the output could not be written"):
        write(composition_of(), PsdOutput(), tmp_path / "missing" / "x.psd")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bits", DEPTHS)
@pytest.mark.parametrize("mode", MODES)
def test_our_reader_finds_the_transparency(
    composition_of: Build, tmp_path: Path, mode: str, bits: int
) -> None:
    """A file without a backdrop reads back with the matte as its alpha and the photo's solid pixels."""
    made = composition_of(mode, bits)
    write(made, PsdOutput(backdrop="none"), tmp_path / "x.psd")
    photo = read_photo(tmp_path / "x.psd")
    np.testing.assert_array_equal(photo.alpha, made.alpha)
    solid = made.alpha == np.iinfo(made.alpha.dtype).max
    np.testing.assert_array_equal(photo.pixels[solid], made.original[solid])
