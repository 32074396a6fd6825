"""In place on a locked background, on a bottom layer without transparency, and on a flat file."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from psd_tools import PSDImage
from psd_tools.constants import Resource, Tag
from psd_tools.psd import PSD
from tests.core.write.psd.samples import CHANNELS, build
from tests.core.write.psd.test_in_place import mask_of, masked
from tests.core.write.psd.validator import inspect

from mattebox.core.errors import SettingsError
from mattebox.core.photo import read_photo
from mattebox.core.settings import PsdOutput
from mattebox.core.write.psd import write

if TYPE_CHECKING:
    from pathlib import Path

MODES = [(mode, bits) for mode in CHANNELS for bits in (8, 16)]


def with_background(
    path: Path, mode: str, bits: int, *, named: str = "Background", locked: bool = True
) -> Any:
    """A PSD of one photo that is its background, as editors write it; the photo's pixels."""
    made = build(mode, bits)
    made.alpha[:] = np.iinfo(made.alpha.dtype).max
    write(made, PsdOutput(mask="alpha-channel", clean=False), path)
    psd = read(path)
    info = psd._get_layer_info()
    record, channels = info.layer_records[1], info.channel_image_data[1]
    del info.layer_records[0], info.channel_image_data[0]
    del record.channel_info[0], channels[0]
    record.name = named
    record.flags.transparency_protected = locked
    record.tagged_blocks.set_data(Tag.UNICODE_LAYER_NAME, named)
    if locked:
        record.tagged_blocks.set_data(Tag.PROTECTED_SETTING, 5)
    info.layer_count = 1
    planes = psd.image_data.get_data(psd.header)[: CHANNELS[mode]]
    psd.header.channels = CHANNELS[mode]
    psd.image_data.set_data(planes, psd.header)
    for key in (Resource.ALPHA_NAMES_PASCAL, Resource.ALPHA_NAMES_UNICODE, Resource.ALPHA_IDENTIFIERS):
        del psd.image_resources[key.value]
    save(psd, path)
    return made.original


def flat(path: Path, mode: str, bits: int, *, big: bool = False) -> Any:
    """A PSD without layers; the photo's pixels."""
    made = build(mode, bits)
    full = int(np.iinfo(made.alpha.dtype).max)
    stored = full - made.original if mode == "cmyk" else made.original
    height, width, channels = stored.shape
    number = {"gray": 1, "rgb": 3, "cmyk": 4}[mode]
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 1 + big, channels, height, width, bits, number)
    planes = stored.transpose(2, 0, 1).astype(">u2" if bits == 16 else np.uint8).tobytes()
    path.write_bytes(head + bytes(4) + bytes(4) + bytes(8 if big else 4) + bytes(2) + planes)
    return made.original


def read(path: Path) -> PSD:
    """Low-level structures."""
    with path.open("rb") as file:
        return PSD.read(file)


def save(psd: PSD, path: Path) -> None:
    """Write them."""
    with path.open("wb") as file:
        psd.write(file)


@pytest.mark.parametrize(("mode", "bits"), MODES)
def test_the_background_becomes_a_layer(tmp_path: Path, mode: str, bits: int) -> None:
    """It is called Layer 0, opaque, unlocked, has the mask and its pixels; the picture is clear outside."""
    pixels = with_background(tmp_path / "in.psd", mode, bits)
    alpha, notes = masked(tmp_path / "in.psd", tmp_path / "out.psd")
    assert notes == ()
    found = inspect(tmp_path / "out.psd")
    [layer] = found.layers
    full = int(np.iinfo(alpha.dtype).max)
    assert layer.name == "Layer 0"
    assert (layer.flags & 1, layer.tags[b"lspf"]) == (0, bytes(4))
    assert np.all(layer.channels[-1] == full)
    for channel in range(CHANNELS[mode]):
        stored = layer.channels[channel]
        np.testing.assert_array_equal(full - stored if mode == "cmyk" else stored, pixels[..., channel])
    np.testing.assert_array_equal(mask_of(tmp_path / "out.psd", "Layer 0"), alpha)
    assert found.transparent
    np.testing.assert_array_equal(found.merged[-1], alpha)
    back = read_photo(tmp_path / "out.psd")
    np.testing.assert_array_equal(back.alpha, alpha)
    np.testing.assert_array_equal(back.pixels[alpha == full], pixels[alpha == full])
    assert ([b"Mt16", b"Lr16"] if bits == 16 else []) == found.blocks


@pytest.mark.parametrize("locked", [True, False])
def test_a_bottom_layer_of_another_name_keeps_it(tmp_path: Path, locked: bool) -> None:
    """Some writers leave the transparency out of any opaque bottom layer: a lock tells a background."""
    with_background(tmp_path / "in.psd", "rgb", 8, named="Product", locked=locked)
    masked(tmp_path / "in.psd", tmp_path / "out.psd")
    assert [layer.name for layer in inspect(tmp_path / "out.psd").layers] == [
        "Layer 0" if locked else "Product"
    ]


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(("mode", "bits"), MODES)
def test_a_flat_file_gets_its_first_layer(tmp_path: Path, mode: str, bits: int, big: bool) -> None:
    """The picture becomes Layer 0 with the mask; the merged picture is clear outside of it."""
    pixels = flat(tmp_path / "in.psd", mode, bits, big=big)
    alpha, notes = masked(tmp_path / "in.psd", tmp_path / "out.psd")
    assert notes == ()
    found = inspect(tmp_path / "out.psd")
    full = int(np.iinfo(alpha.dtype).max)
    [layer] = found.layers
    assert layer.name == "Layer 0"
    for channel in range(CHANNELS[mode]):
        stored = layer.channels[channel]
        np.testing.assert_array_equal(full - stored if mode == "cmyk" else stored, pixels[..., channel])
    np.testing.assert_array_equal(mask_of(tmp_path / "out.psd", "Layer 0"), alpha)
    back = read_photo(tmp_path / "out.psd")
    np.testing.assert_array_equal(back.alpha, alpha)
    again, _ = masked(tmp_path / "out.psd", tmp_path / "again.psd", existing_mask="replace")
    np.testing.assert_array_equal(mask_of(tmp_path / "again.psd", "Layer 0"), again)


@pytest.mark.parametrize("bits", [8, 16])
def test_channels_of_a_flat_file_stay(tmp_path: Path, bits: int) -> None:
    """A saved selection is no transparency: it stays, and so does the merged picture, which is said."""
    made = build("rgb", bits)
    write(made, PsdOutput(mask="alpha-channel"), tmp_path / "in.psd")
    psd = read(tmp_path / "in.psd")
    psd.layer_and_mask_information.layer_info = None
    psd.layer_and_mask_information.tagged_blocks = None
    save(psd, tmp_path / "in.psd")
    _, notes = masked(tmp_path / "in.psd", tmp_path / "out.psd")
    assert any("stored preview" in note for note in notes)
    before, after = inspect(tmp_path / "in.psd"), inspect(tmp_path / "out.psd")
    assert not before.layers
    np.testing.assert_array_equal(before.merged, after.merged)
    assert before.resources == after.resources


@pytest.mark.parametrize("make", [with_background, flat])
def test_it_stays_a_background_where_that_is_asked_for(tmp_path: Path, make: Any) -> None:
    """`background: refuse` names the editor's command and the setting; nothing is written."""
    make(tmp_path / "in.psd", "rgb", 8)
    with pytest.raises(SettingsError, match=r"background.*Layer from Background.*set background to layer"):
        masked(tmp_path / "in.psd", tmp_path / "out.psd", background="refuse")
    assert not (tmp_path / "out.psd").exists()


def test_all_else_of_a_file_with_a_background_stays(tmp_path: Path) -> None:
    """Resources, other blocks of the record and the colours' data are those of the source, byte by byte."""
    with_background(tmp_path / "in.psd", "rgb", 8)
    masked(tmp_path / "in.psd", tmp_path / "out.psd")
    before, after = inspect(tmp_path / "in.psd"), inspect(tmp_path / "out.psd")
    thumbnail = Resource.THUMBNAIL_RESOURCE.value
    assert {key: data for key, data in before.resources.items() if key != thumbnail} == {
        key: data for key, data in after.resources.items() if key != thumbnail
    }
    changed = {b"luni", b"lspf"}
    assert {k: v for k, v in before.layers[0].tags.items() if k not in changed} == {
        k: v for k, v in after.layers[0].tags.items() if k not in changed
    }
    packed = [
        psd._get_layer_info().channel_image_data[0]
        for psd in (read(tmp_path / n) for n in ("in.psd", "out.psd"))
    ]
    assert [channel.data for channel in packed[0]] == [channel.data for channel in packed[1]][1:4]
    assert PSDImage.open(tmp_path / "out.psd")[0].has_mask()
