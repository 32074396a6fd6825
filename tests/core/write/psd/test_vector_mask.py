"""A mask beside a vector mask: as a path alone, rendered, and rendered with a user mask beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from psd_tools.constants import ChannelID, Tag
from psd_tools.psd import PSD
from psd_tools.psd.layer_and_mask import ChannelData, ChannelInfo, MaskFlags
from tests.core.write.psd.samples import build
from tests.core.write.psd.test_in_place import masked
from tests.core.write.psd.validator import inspect

from mattebox.core.errors import SettingsError
from mattebox.core.settings import PsdNames, PsdOutput
from mattebox.core.write.psd import write
from mattebox.core.write.psd.path import path_data, trace
from mattebox.core.write.psd.planes import covered_box

if TYPE_CHECKING:
    from pathlib import Path


def with_vector_mask(path: Path, kind: str, bits: int = 8) -> Any:
    """A PSD whose photo has a vector mask of a `kind`; what the mask shows, rendered."""
    made = build(bits=bits)
    write(
        made,
        PsdOutput(mask="alpha-channel" if kind == "path" else "layer", names=PsdNames(subject="Photo")),
        path,
    )
    with path.open("rb") as file:
        psd = PSD.read(file)
    info = psd._get_layer_info()
    record, channels = info.layer_records[-1], info.channel_image_data[-1]
    curves = path_data(trace(made.alpha, covered_box(made.alpha)), made.size)
    record.tagged_blocks.set_data(Tag.VECTOR_MASK_SETTING1)
    block = record.tagged_blocks[Tag.VECTOR_MASK_SETTING1]
    block.data = (3).to_bytes(4, "big") + bytes(4) + curves
    if kind != "path":
        record.mask_data.flags.user_mask_from_render = True
    if kind == "both":
        mask = record.mask_data
        mask.real_flags, mask.real_background_color = MaskFlags(), 255
        mask.real_top, mask.real_left, mask.real_bottom, mask.real_right = 0, 0, 2, 3
        plane = ChannelData()
        plane.set_data(bytes([255] * 6 * (bits // 8)), 3, 2, bits)
        channels.append(plane)
        record.channel_info.append(ChannelInfo(ChannelID.REAL_USER_LAYER_MASK, len(plane.data) + 2))
    with path.open("wb") as file:
        psd.write(file)
    return made.alpha


def on_canvas(layer: Any, number: int, box: Any, shape: tuple[int, int]) -> Any:
    """A mask's channel on the canvas; 0 outside."""
    out = np.zeros(shape, layer.channels[number].dtype)
    out[box[1] : box[3], box[0] : box[2]] = layer.channels[number]
    return out


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", ["path", "rendered", "both"])
def test_the_mask_stands_beside_the_vector_mask(tmp_path: Path, kind: str, bits: int) -> None:
    """The path stays; where it was rendered, that times the matte is stored, and the matte beside it."""
    vector = with_vector_mask(tmp_path / "in.psd", kind, bits)
    alpha, notes = masked(tmp_path / "in.psd", tmp_path / "out.psd", existing_mask="intersect")
    before, after = (inspect(tmp_path / name).layers[-1] for name in ("in.psd", "out.psd"))
    assert after.tags[b"vmsk"] == before.tags[b"vmsk"]
    assert any("stored preview" in note for note in notes)
    if kind == "path":
        np.testing.assert_array_equal(on_canvas(after, -2, after.mask_box, alpha.shape), alpha)
        assert -3 not in after.channels
        return
    full = int(np.iinfo(alpha.dtype).max)
    together = on_canvas(after, -2, after.mask_box, alpha.shape).astype(float)
    assert np.abs(together - vector.astype(float) * alpha / full).max() <= 1
    assert after.mask_flags & 8
    box = after.real_mask_box
    np.testing.assert_array_equal(on_canvas(after, -3, box, alpha.shape), alpha)


def test_what_cannot_be_told_apart_is_refused(tmp_path: Path) -> None:
    """To replace a mask beside a rendered vector mask, that alone would have to be known."""
    with_vector_mask(tmp_path / "in.psd", "both")
    with pytest.raises(SettingsError, match="vector mask of 'Photo' cannot be told apart"):
        masked(tmp_path / "in.psd", tmp_path / "out.psd", existing_mask="replace")
    with pytest.raises(SettingsError, match="has a mask already"):
        masked(tmp_path / "in.psd", tmp_path / "out.psd")
    assert not (tmp_path / "out.psd").exists()
