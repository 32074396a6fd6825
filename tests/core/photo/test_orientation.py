"""EXIF orientation is applied once, and the tag written back as upright."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageOps

from mattebox.core.photo import probe, read_photo
from mattebox.core.photo.exif import orientation

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
def test_all_eight_orientations_are_read_upright(
    tmp_path: Path, rgb: NDArray[np.uint8], turn: int, ending: str
) -> None:
    """The pixels are those of Pillow's exif_transpose, and the tag that travels on is 1."""
    tags = Image.Exif()
    tags[0x0112] = turn
    path = tmp_path / f"a.{ending}"
    Image.fromarray(rgb).save(path, exif=tags.tobytes(), lossless=True, dpi=(300, 200))
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    photo = read_photo(path)
    assert np.array_equal(photo.pixels, expected)
    assert orientation(photo.exif) == 1
    assert probe(path).orientation == turn
    assert (probe(path).width, probe(path).height) == (photo.width, photo.height)
    if ending != "webp":
        assert photo.dpi == pytest.approx((200, 300) if turn > 4 else (300, 200), abs=0.01)


def test_the_xmp_packet_tells_upright_as_well(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    """tiff:Orientation in XMP becomes 1 too, or the next reader would turn the picture again."""
    packet = b'<rdf:Description tiff:Orientation="6"/><tiff:Orientation>8</tiff:Orientation>'
    Image.fromarray(rgb).save(tmp_path / "a.jpg", xmp=packet)
    xmp = read_photo(tmp_path / "a.jpg").xmp
    assert xmp == b'<rdf:Description tiff:Orientation="1"/><tiff:Orientation>1</tiff:Orientation>'
