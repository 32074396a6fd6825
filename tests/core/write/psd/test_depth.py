"""`depth` writes a PSD of 8 or 16 bits whatever the photo has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.core.write.psd.samples import build
from tests.core.write.psd.validator import inspect

from mattebox.core.settings import PsdOutput
from mattebox.core.write.psd import write

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = {8: 255, 16: 65535}


@pytest.mark.parametrize("mode", ["gray", "rgb", "cmyk"])
@pytest.mark.parametrize(("bits", "depth"), [(16, 8), (8, 16)])
def test_all_samples_are_in_the_depth_that_is_asked_for(
    tmp_path: Path, mode: str, bits: int, depth: Any
) -> None:
    """Layers, masks and the merged picture are the photo's own, rounded; auto keeps the photo's depth."""
    made = build(mode, bits, clean=True, shadow=True, outline=True)
    write(made, PsdOutput(original=True), tmp_path / "auto.psd")
    write(made, PsdOutput(original=True, depth=depth), tmp_path / "x.psd")
    auto, found = inspect(tmp_path / "auto.psd"), inspect(tmp_path / "x.psd")
    assert (auto.depth, found.depth) == (bits, depth)
    assert [layer.name for layer in found.layers] == [layer.name for layer in auto.layers]
    scale = NUMBERS[depth] / NUMBERS[bits]
    for was, now in zip(auto.layers, found.layers, strict=True):
        assert was.channels.keys() == now.channels.keys()
        for number in was.channels:
            assert now.box == was.box or now.name in {"Subject clean", "Shadow", "Outline"}
            if now.box == was.box and now.mask_box == was.mask_box:
                away = now.channels[number] - was.channels[number].astype(float) * scale
                assert np.abs(away).max() <= 0.51
    away = np.array(found.merged, float) - np.array(auto.merged, float) * scale
    assert np.abs(away).max() <= 1.6 * max(1, scale)
