"""A person's matte comes out of a PSD's layer mask, or of a gray picture, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from mattebox.core.composition import Composition
from mattebox.core.errors import PhotoError, SettingsError
from mattebox.core.matte.supplied_matte import cut_with_matte, read_matte
from mattebox.core.photo import Photo
from mattebox.core.settings import CutSettings, PsdOutput
from mattebox.core.write import write_output

if TYPE_CHECKING:
    from pathlib import Path


def photo(kind: type[np.uint8 | np.uint16]) -> Photo:
    """A photo of noise, 40 x 30."""
    top = int(np.iinfo(kind).max)
    return Photo(np.random.default_rng(1).integers(0, top, (30, 40, 3)).astype(kind), "rgb")


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_the_mask_of_a_psd_is_read_exactly(tmp_path: Path, kind: type[np.uint8 | np.uint16]) -> None:
    """What the PSD writer stored as a user mask is the matte, level for level, in 8 and 16 bits."""
    source = photo(kind)
    alpha = np.zeros((30, 40), kind)
    alpha[5:20, 7:33] = np.random.default_rng(2).integers(1, int(np.iinfo(kind).max), (15, 26))
    path = tmp_path / "review.psd"
    write_output(Composition(source, source.pixels, source.pixels, alpha), PsdOutput(), path)
    cutout = cut_with_matte(source, path, CutSettings(decontaminate=False))
    assert np.array_equal(cutout.alpha, alpha)
    assert cutout.report.confidence == 1.0


def test_a_gray_picture_is_a_matte(tmp_path: Path) -> None:
    """Its levels are alpha; a picture with transparency gives that."""
    levels = np.random.default_rng(3).integers(0, 256, (30, 40)).astype(np.uint8)
    Image.fromarray(levels).save(tmp_path / "gray.png")
    clear = np.dstack([np.zeros((30, 40, 3), np.uint8), levels])
    Image.fromarray(clear).save(tmp_path / "clear.png")
    for name in ("gray.png", "clear.png"):
        assert np.array_equal(np.rint(read_matte(tmp_path / name) * 255), levels)


def test_a_matte_of_another_size_is_refused(tmp_path: Path) -> None:
    """One sentence tells both sizes."""
    Image.new("L", (20, 20)).save(tmp_path / "small.png")
    with pytest.raises(SettingsError, match="20 x 20 pixels and the photo 40 x 30"):
        cut_with_matte(photo(np.uint8), tmp_path / "small.png", CutSettings())


def test_a_file_without_a_matte_is_refused(tmp_path: Path) -> None:
    """A colour picture, and a PSD without masks, hold no matte."""
    from psd_tools import PSDImage

    Image.new("RGB", (40, 30)).save(tmp_path / "colour.png")
    PSDImage.new("RGB", (40, 30)).save(tmp_path / "plain.psd")
    (tmp_path / "broken.psd").write_bytes(b"8BPS")
    for name in ("colour.png", "plain.psd", "broken.psd"):
        with pytest.raises(PhotoError, match=name):
            read_matte(tmp_path / name)
