"""A mask put onto a layer of an existing PSD: that layer alone changes, byte by byte."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from psd_tools import PSDImage
from psd_tools.composite.composite import composite
from psd_tools.constants import BlendMode, Clipping, Resource, Tag
from psd_tools.psd import PSD
from pydantic import ValidationError

from mattebox.core.composition import Composition
from mattebox.core.errors import SettingsError
from mattebox.core.settings import PsdNames, PsdOutput
from mattebox.core.write.psd import write
from mattebox.core.write.psd.layer_photo import layer_photo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Build = Callable[..., Composition]


def masked(
    source: Path, target: Path, *, finish: bool = False, **options: Any
) -> tuple[Any, tuple[str, ...]]:
    """Put a square matte onto a layer of `source`; returns the matte and the notes."""
    output = PsdOutput(in_place=True, **options)
    photo = layer_photo(source, output.layer)
    alpha = np.zeros((photo.height, photo.width), photo.pixels.dtype)
    full = int(np.iinfo(alpha.dtype).max)
    alpha[photo.height // 4 : photo.height // 2 + 1, photo.width // 3 : -2] = full
    alpha[photo.height // 2, photo.width // 2] = full // 3
    original = photo.pixels.copy() if finish else photo.pixels
    return alpha, write(Composition(photo, original, original, alpha), output, target)


def mask_of(path: Path, name: str) -> Any:
    """The mask of the named layer on its document's canvas, in the file's values."""
    psd = PSDImage.open(path)
    [layer] = [layer for layer in psd.descendants() if layer.name == name]
    index = [info.id for info in layer._record.channel_info].index(-2)
    box = layer._record.mask_data
    data = layer._channels[index].get_data(box.width, box.height, psd.depth, psd.version)
    dtype = np.dtype(">u2" if psd.depth == 16 else np.uint8)
    out = np.full((psd.height, psd.width), box.background_color * (257 if psd.depth == 16 else 1), dtype)
    out[box.top : box.bottom, box.left : box.right] = np.frombuffer(data, dtype).reshape(
        box.height, box.width
    )
    return out


def without(path: Path, name: str, *, preview: bool = True) -> bytes:
    """A file as psd-tools writes it when the mask of the named layer (and the preview) is taken out."""
    with path.open("rb") as file:
        psd = PSD.read(file)
    info = psd._get_layer_info()
    for record, channels in zip(info.layer_records, info.channel_image_data, strict=True):
        if record.tagged_blocks.get_data(b"luni") == name:
            for index in reversed(range(len(record.channel_info))):
                if record.channel_info[index].id == -2:
                    del record.channel_info[index]
                    del channels[index]
            record.mask_data = None
    if not preview:
        psd.image_data.data = b""
        del psd.image_resources[Resource.THUMBNAIL_RESOURCE.value]
    out = io.BytesIO()
    psd.write(out)
    return out.getvalue()


@pytest.fixture
def layered(composition_of: Build, tmp_path: Path) -> Callable[..., Path]:
    """Writes a PSD whose photo layer has no mask yet, or a soft one."""

    def make(mode: str = "rgb", bits: int = 8, *, mask: str = "alpha-channel", **further: Any) -> Path:
        made = composition_of(mode, bits, clean=True, shadow=True, **further)
        write(made, PsdOutput(mask=mask, names=PsdNames(subject="Photo")), tmp_path / "in.psd")
        return tmp_path / "in.psd"

    return make


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("mode", ["rgb", "gray", "cmyk"])
def test_a_plain_file_gets_a_preview_that_shows_the_mask(
    layered: Callable[..., Path], tmp_path: Path, mode: str, bits: int
) -> None:
    """Where plain layers composite to the stored preview, it and the thumbnail are made anew."""
    source = layered(mode, bits, mask="layer")
    _, notes = masked(source, tmp_path / "out.psd", existing_mask="replace")
    assert notes == ()
    psd = PSDImage.open(tmp_path / "out.psd")
    colour, _, alpha = composite(psd, force=True)
    full = 255 if bits == 8 else 65535
    data = psd._record.image_data.get_data(psd._record.header)
    dtype = np.dtype(">u2" if bits == 16 else np.uint8)
    stored = np.stack([np.frombuffer(plane, dtype).reshape(psd.height, psd.width) for plane in data], axis=2)
    assert np.abs(alpha - 1).max() < 1e-6
    assert np.abs(colour * full - stored).max() <= 1
    assert without(tmp_path / "out.psd", "Photo", preview=False) == without(source, "Photo", preview=False)
    thumbnails = [
        PSDImage.open(path).image_resources.get_data(Resource.THUMBNAIL_RESOURCE).data
        for path in (source, tmp_path / "out.psd")
    ]
    assert thumbnails[0] != thumbnails[1]


@pytest.mark.parametrize("change", ["blend", "clipping", "stale", "fill"])
def test_an_uncertain_preview_is_kept_and_said(
    layered: Callable[..., Path], tmp_path: Path, change: str
) -> None:
    """Another blend mode, a clipping mask, a fill opacity or a preview that differs: it stays as it was."""
    source = layered(mask="layer")
    with source.open("rb") as file:
        psd = PSD.read(file)
    records = psd._get_layer_info().layer_records
    if change == "blend":
        records[1].blend_mode = BlendMode.SCREEN
    elif change == "clipping":
        records[1].clipping = Clipping.NON_BASE
    elif change == "fill":
        records[1].tagged_blocks.set_data(Tag.BLEND_FILL_OPACITY, 100)
    else:
        psd.image_data.set_data([bytes(61 * 47)] * 3, psd.header)
    with source.open("wb") as file:
        psd.write(file)
    _, notes = masked(source, tmp_path / "out.psd", existing_mask="replace")
    assert "stored preview" in notes[0]
    assert without(tmp_path / "out.psd", "Photo") == without(source, "Photo")


def test_a_hidden_layer_leaves_the_preview_right(layered: Callable[..., Path], tmp_path: Path) -> None:
    """A mask on a layer that does not show changes nothing that the preview shows: no note, same bytes."""
    source = layered()
    _, notes = masked(source, tmp_path / "out.psd", layer="Subject clean")
    assert notes == ()
    assert without(tmp_path / "out.psd", "Subject clean") == without(source, "Subject clean")


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("mode", ["rgb", "gray", "cmyk"])
def test_the_mask_is_added_and_all_else_is_equal(
    layered: Callable[..., Path], tmp_path: Path, mode: str, bits: int
) -> None:
    """The top-most visible layer gets the matte; taking it out again gives the bytes that were there."""
    source = layered(mode, bits)
    before = source.read_bytes()
    alpha, notes = masked(source, tmp_path / "out.psd")
    np.testing.assert_array_equal(mask_of(tmp_path / "out.psd", "Photo"), alpha)
    assert without(tmp_path / "out.psd", "Photo") == without(source, "Photo")
    assert source.read_bytes() == before
    assert "stored preview" in notes[0]  # a document with a channel of its own is not plain


def test_a_psb_keeps_its_layers_too(composition_of: Build, tmp_path: Path) -> None:
    """Lengths are 64 bits wide in the large format; the mask fits in there."""
    made = composition_of(size=(30_001, 5), clean=True)
    write(made, PsdOutput(mask="alpha-channel"), tmp_path / "in.psb")
    alpha, _ = masked(tmp_path / "in.psb", tmp_path / "out.psb")
    np.testing.assert_array_equal(mask_of(tmp_path / "out.psb", "Subject"), alpha)
    assert without(tmp_path / "out.psb", "Subject") == without(tmp_path / "in.psb", "Subject")


@pytest.mark.parametrize("wanted", ["Subject clean", "*clean", "S*n"])
def test_a_rule_names_the_layer(layered: Callable[..., Path], tmp_path: Path, wanted: str) -> None:
    """A name or a glob picks the layer, also a hidden one where no visible one matches."""
    alpha, _ = masked(layered(), tmp_path / "out.psd", layer=wanted)
    np.testing.assert_array_equal(mask_of(tmp_path / "out.psd", "Subject clean"), alpha)


def test_the_network_sees_the_layer_itself(layered: Callable[..., Path], composition_of: Build) -> None:
    """Not the merged picture: the named layer's pixels and transparency on the document's canvas."""
    source = layered()
    made = composition_of(clean=True)
    photo = layer_photo(source, "Subject clean")
    np.testing.assert_array_equal(photo.pixels[made.alpha > 0], made.colours[made.alpha > 0])
    np.testing.assert_array_equal(photo.alpha, made.alpha)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("replace", lambda _, new: new),
        ("intersect", np.minimum),
        ("add", np.maximum),
    ],
)
@pytest.mark.parametrize("bits", [8, 16])
def test_an_existing_mask_follows_the_rule(
    layered: Callable[..., Path], composition_of: Build, tmp_path: Path, bits: int, rule: str, expected: Any
) -> None:
    """Replace, intersect and add do to the mask what their names say."""
    source = layered(bits=bits, mask="layer")
    alpha, _ = masked(source, tmp_path / "out.psd", existing_mask=rule)
    old = composition_of(bits=bits).alpha
    np.testing.assert_array_equal(mask_of(tmp_path / "out.psd", "Photo"), expected(old, alpha))
    assert without(tmp_path / "out.psd", "Photo", preview=False) == without(source, "Photo", preview=False)


def test_an_existing_mask_is_not_touched_unasked(layered: Callable[..., Path], tmp_path: Path) -> None:
    """By default a layer that has a mask is refused, and nothing is written."""
    source = layered(mask="layer")
    with pytest.raises(SettingsError, match="'Photo' has a mask already; set existing_mask to replace"):
        masked(source, tmp_path / "out.psd")
    assert not (tmp_path / "out.psd").exists()


def test_an_unknown_layer_is_refused_with_the_names_there_are(
    layered: Callable[..., Path], tmp_path: Path
) -> None:
    """The sentence lists what the rule could have named."""
    with pytest.raises(SettingsError, match="no layer is called 'Foto'; layers with pixels: 'Photo', "):
        masked(layered(), tmp_path / "out.psd", layer="Foto")


def test_a_group_is_refused(composition_of: Build, tmp_path: Path) -> None:
    """A group has no pixels of its own that a network could look at."""
    write(composition_of(), PsdOutput(group=True), tmp_path / "in.psd")
    with pytest.raises(SettingsError, match="'Cutout' is a group or has no pixels"):
        masked(tmp_path / "in.psd", tmp_path / "out.psd", layer="Cutout")


def test_another_canvas_is_refused(layered: Callable[..., Path], tmp_path: Path) -> None:
    """What crops or places the subject cannot be told to a layer of a file that keeps its canvas."""
    with pytest.raises(SettingsError, match="in_place keeps the canvas"):
        masked(layered(), tmp_path / "out.psd", finish=True)


def test_a_photo_that_is_no_psd_becomes_a_new_one(composition_of: Build, tmp_path: Path) -> None:
    """A rule for a mixed folder writes a layered PSD for a JPEG."""
    made = composition_of(format="jpeg", source=tmp_path / "x.jpg")
    write(made, PsdOutput(in_place=True), tmp_path / "out.psd")
    assert [layer.name for layer in PSDImage.open(tmp_path / "out.psd")] == ["Background", "Subject"]


def test_options_of_in_place_need_it() -> None:
    """A layer named without in_place would be ignored silently; it is an error."""
    with pytest.raises(ValidationError, match="belong to in_place"):
        PsdOutput(layer="Photo")


def test_a_layer_beyond_the_canvas(layered: Callable[..., Path], tmp_path: Path) -> None:
    """Only what lies on the canvas is seen, where the layer stands."""
    source = layered()
    with source.open("rb") as file:
        psd = PSD.read(file)
    record = psd._get_layer_info().layer_records[-1]
    inside = layer_photo(source, "Photo")
    record.left, record.right = record.left - 9, record.right - 9
    with source.open("wb") as file:
        psd.write(file)
    moved = layer_photo(source, "Photo")
    np.testing.assert_array_equal(moved.pixels[:, :-9], inside.pixels[:, 9:])
    assert moved.alpha is not None
    assert not moved.alpha[:, -9:].any()
    assert moved.alpha[:, :-9].all()
