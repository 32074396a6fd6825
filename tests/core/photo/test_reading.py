"""Every format is read as it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from mattebox.core.photo import probe, read_photo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.tif", {}),
        ("lzw.tif", {"compression": "tiff_lzw"}),
        ("deflate.tif", {"compression": "tiff_adobe_deflate"}),
        ("a.webp", {"lossless": True, "exact": True}),
        ("a.bmp", {}),
    ],
)
def test_rgb_pixels_are_read_as_stored(
    rgb: NDArray[np.uint8], save: Callable[..., Path], name: str, options: dict[str, object]
) -> None:
    """A lossless RGB file gives its pixels bit for bit, and no alpha."""
    photo = read_photo(save(name, rgb, **options))
    assert np.array_equal(photo.pixels, rgb)
    assert (photo.mode, photo.bits, photo.alpha) == ("rgb", 8, None)
    assert photo.pixels.flags.c_contiguous


@pytest.mark.parametrize(
    ("name", "options"), [("a.png", {}), ("a.tif", {}), ("a.webp", {"lossless": True, "exact": True})]
)
def test_alpha_is_read_beside_straight_colours(
    rgb: NDArray[np.uint8], save: Callable[..., Path], name: str, options: dict[str, object]
) -> None:
    """RGBA gives straight colours and the alpha apart from them."""
    alpha = np.arange(600, dtype=np.uint16).reshape(20, 30).astype(np.uint8)
    photo = read_photo(save(name, np.dstack([rgb, alpha]), **options))
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, alpha)
    assert np.array_equal(photo.pixels, rgb)


def test_jpeg_is_read_as_pillow_decodes_it(rgb: NDArray[np.uint8], save: Callable[..., Path]) -> None:
    """A JPEG's pixels are those of libjpeg-turbo."""
    path = save("a.jpg", rgb, quality=95)
    with Image.open(path) as image:
        assert np.array_equal(read_photo(path).pixels, np.asarray(image))


def test_gray_stays_gray(rgb: NDArray[np.uint8], save: Callable[..., Path]) -> None:
    """A gray file gives one channel."""
    photo = read_photo(save("a.png", rgb[..., 0]))
    assert photo.mode == "gray"
    assert np.array_equal(photo.pixels[..., 0], rgb[..., 0])


def test_gray_with_alpha_keeps_both(rgb: NDArray[np.uint8], save: Callable[..., Path]) -> None:
    """Gray with alpha gives one channel and the alpha."""
    photo = read_photo(save("a.png", np.ascontiguousarray(rgb[..., :2])))
    assert photo.alpha is not None
    assert photo.mode == "gray"
    assert np.array_equal(photo.pixels[..., 0], rgb[..., 0])
    assert np.array_equal(photo.alpha, rgb[..., 1])


def test_a_palette_becomes_rgb_and_its_transparency_alpha(
    rgb: NDArray[np.uint8], save: Callable[..., Path]
) -> None:
    """A palette picture gives RGB, with alpha where an entry is transparent."""
    photo = read_photo(save("a.gif", rgb, "P", transparency=0))
    assert photo.mode == "rgb"
    assert photo.alpha is not None
    assert set(np.unique(photo.alpha)) <= {0, 255}


def test_bilevel_becomes_black_and_white(rgb: NDArray[np.uint8], save: Callable[..., Path]) -> None:
    """One bit a pixel gives gray 0 and 255."""
    photo = read_photo(save("a.tif", rgb, "1", compression="group4"))
    assert photo.mode == "gray"
    assert set(np.unique(photo.pixels)) == {0, 255}


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_16_bit_png_keeps_its_depth(
    tmp_path: Path, png_bytes: Callable[..., bytes], colour_type: int, channels: int
) -> None:
    """40000 of 65535 stays 40000 in every kind of 16-bit PNG."""
    pixels = np.full((4, 5, channels), 40000, np.uint16)
    pixels[0, 0] = 1
    path = tmp_path / "a.png"
    path.write_bytes(png_bytes(pixels, colour_type))
    photo = read_photo(path)
    colours = channels - (channels in {2, 4})
    assert photo.bits == 16
    assert np.array_equal(photo.pixels, pixels[..., :colours])
    assert (photo.alpha is not None) == (channels in {2, 4})


def test_16_bit_png_with_a_transparent_colour_gets_alpha(
    tmp_path: Path, png_bytes: Callable[..., bytes]
) -> None:
    """The one colour that tRNS names is clear, all others are solid."""
    pixels = np.full((4, 5, 3), 40000, np.uint16)
    pixels[0, 0] = (1, 2, 3)
    path = tmp_path / "a.png"
    path.write_bytes(png_bytes(pixels, 2, b"\0\1\0\2\0\3"))
    alpha = read_photo(path).alpha
    assert alpha is not None
    assert alpha[0, 0] == 0
    assert (alpha.ravel()[1:] == 65535).all()


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("order", ["<", ">"])
def test_cmyk_tiff_with_alpha_keeps_all_channels(
    tmp_path: Path, compression: str | None, kind: type, order: str
) -> None:
    """A CMYK TIFF with straight alpha gives its inks and its alpha in its depth and either byte order."""
    stored = np.arange(6 * 7 * 5).reshape(6, 7, 5).astype(kind)
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        stored,
        photometric="separated",
        extrasamples=["unassalpha"],
        compression=compression,
        byteorder=order,
    )
    photo = read_photo(path)
    assert photo.mode == "cmyk"
    assert np.array_equal(photo.pixels, stored[..., :4])
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, stored[..., 4])
    assert photo.pixels.dtype.isnative


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_associated_alpha_is_divided_out(tmp_path: Path, kind: type) -> None:
    """Premultiplied TIFF colours come back straight, within the rounding of the division."""
    top = np.iinfo(kind).max
    alpha = np.full((4, 5), top // 2 + 1, kind)
    straight = np.full((4, 5, 3), top // 3, np.int64)
    darkened = (straight * alpha[..., None].astype(np.int64) + top // 2) // top
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, np.dstack([darkened.astype(kind), alpha]), photometric="rgb", extrasamples=["assocalpha"]
    )
    photo = read_photo(path)
    assert np.abs(photo.pixels.astype(np.int64) - straight).max() <= 1


def test_planar_and_white_is_zero_tiffs_read_like_any_other(tmp_path: Path) -> None:
    """Separate planes and inverted gray are only ways to store a picture."""
    pixels = np.arange(3 * 4 * 5, dtype=np.uint16).reshape(3, 4, 5)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", planarconfig="separate")
    assert np.array_equal(read_photo(tmp_path / "a.tif").pixels, np.moveaxis(pixels, 0, -1))
    tifffile.imwrite(tmp_path / "b.tif", pixels[0], photometric="miniswhite")
    assert np.array_equal(read_photo(tmp_path / "b.tif").pixels[..., 0], 65535 - pixels[0])


def test_further_pages_are_left_out_with_a_warning(tmp_path: Path) -> None:
    """Of a TIFF with three pages the first is read, and a sentence says so."""
    pages = np.stack([np.full((4, 5, 3), value, np.uint8) for value in (1, 2, 3)])
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb")
    photo = read_photo(tmp_path / "a.tif")
    assert (photo.pixels == 1).all()
    assert photo.warnings == ("Only the first of 3 pages or frames was used.",)


def test_cmyk_jpegs_are_told_apart_by_adobes_marker(tmp_path: Path) -> None:
    """With Adobe's marker the inks are stored inverted, without it they are not; both read as ink."""
    inks = np.full((16, 16, 4), 40, np.uint8)
    inks[..., 0] = 200
    Image.fromarray(inks, "CMYK").save(tmp_path / "adobe.jpg", quality=100)
    marked = (tmp_path / "adobe.jpg").read_bytes()
    place = marked.index(b"\xff\xee")
    length = int.from_bytes(marked[place + 2 : place + 4], "big")
    (tmp_path / "plain.jpg").write_bytes(marked[:place] + marked[place + 2 + length :])
    assert np.abs(read_photo(tmp_path / "adobe.jpg").pixels.astype(int) - inks).max() <= 2
    plain = read_photo(tmp_path / "plain.jpg")
    assert plain.mode == "cmyk"
    assert np.abs(plain.pixels.astype(int) - (255 - inks.astype(int))).max() <= 2


def test_a_heic_photo_is_read_by_the_extra(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    """HEIC pixels come near the original's, for the format is lossy; alpha and a turn are read too."""
    heif = pytest.importorskip("pillow_heif")
    tags = Image.Exif()
    tags[0x0112] = 6
    heif.from_pillow(Image.fromarray(rgb)).save(tmp_path / "a.heic", quality=100, exif=tags.tobytes())
    photo = read_photo(tmp_path / "a.heic")
    assert photo.format == "heif"
    assert (photo.width, photo.height) == (20, 30)
    assert np.abs(photo.pixels.astype(int) - np.rot90(rgb, -1)).mean() < 4
    clear = np.dstack([rgb, rgb[..., 0]])
    heif.from_pillow(Image.fromarray(clear)).save(tmp_path / "b.heic", quality=-1)
    alpha = read_photo(tmp_path / "b.heic").alpha
    assert alpha is not None
    assert np.array_equal(alpha, rgb[..., 0])


def test_further_pictures_of_a_heic_are_left_out_with_a_warning(
    tmp_path: Path, rgb: NDArray[np.uint8]
) -> None:
    """Of a HEIC with two pictures the primary one is read, and a sentence says so."""
    heif = pytest.importorskip("pillow_heif")
    burst = heif.from_pillow(Image.fromarray(rgb))
    burst.add_from_pillow(Image.fromarray(255 - rgb))
    burst.save(tmp_path / "a.heic", quality=-1, primary_index=1)
    photo = read_photo(tmp_path / "a.heic")
    assert np.abs(photo.pixels.astype(int) - (255 - rgb.astype(int))).mean() < 4
    assert photo.warnings == ("Only the first of 2 pages or frames was used.",)


def test_a_deep_heic_fills_16_bits(tmp_path: Path) -> None:
    """Ten bits become sixteen with white at 65535."""
    heif = pytest.importorskip("pillow_heif")
    white = np.full((16, 16, 3), 65535, np.uint16)
    heif.from_bytes(mode="RGB;16", size=(16, 16), data=white.tobytes()).save(tmp_path / "a.heic", quality=-1)
    photo = read_photo(tmp_path / "a.heic")
    assert photo.bits == probe(tmp_path / "a.heic").bits == 16
    assert (photo.pixels == 65535).all()


@pytest.mark.parametrize("depth", [8, 10, 12])
def test_avif_is_read_in_its_depth(tmp_path: Path, rgb: NDArray[np.uint8], depth: int) -> None:
    """AVIF pixels come near the original's; more than 8 bits become 16 with white at 65535."""
    stored = rgb if depth == 8 else (rgb.astype(np.uint16) * 257) >> (16 - depth)
    encoded = imagecodecs.avif_encode(stored, bitspersample=depth, level=100)
    (tmp_path / "a.avif").write_bytes(encoded)
    photo = read_photo(tmp_path / "a.avif")
    assert photo.format == "avif"
    assert photo.bits == probe(tmp_path / "a.avif").bits == (8 if depth == 8 else 16)
    levels = photo.pixels.astype(float) * 255 / np.iinfo(photo.pixels.dtype).max
    assert np.abs(levels - rgb).mean() < 2


def test_a_camera_raw_is_developed_in_16_bits(tmp_path: Path) -> None:
    """A DNG's sensor values become RGB of 16 bits with the camera's tags, and a note says so."""
    pytest.importorskip("rawpy")
    sensor = np.random.default_rng(0).integers(2000, 60000, (64, 96)).astype(np.uint16)
    one, none = (10000, 10000), (0, 1)
    matrix = sum((one if place % 4 == 0 else none for place in range(9)), ())
    tags = [
        (33421, "H", 2, (2, 2), True),  # the colour filter's pattern: red, green, green, blue
        (33422, "B", 4, bytes([0, 1, 1, 2]), True),
        (50706, "B", 4, bytes([1, 4, 0, 0]), True),
        (50721, "2i", 9, matrix, True),
        (271, "s", 0, "Camera works", True),
        (272, "s", 0, "Model 7", True),
    ]
    tifffile.imwrite(tmp_path / "a.dng", sensor, photometric=32803, extratags=tags, metadata=None)
    photo, facts = read_photo(tmp_path / "a.dng"), probe(tmp_path / "a.dng")
    assert (photo.format, photo.mode, photo.bits) == ("raw", "rgb", 16)
    assert (photo.width, photo.height) == (facts.width, facts.height) == (96, 64)
    assert facts.exif["Model"] == "Model 7"
    assert "white balance" in photo.warnings[0]


def test_probe_tells_what_reading_gives(tmp_path: Path, rgb: NDArray[np.uint8], srgb: bytes) -> None:
    """The header's facts are those of the photo that is read, for each kind of file."""
    tags = Image.Exif()
    tags[0x0112] = 6
    tags[0x0110] = "Canon EOS"
    image = Image.fromarray(rgb)
    for name in ("a.jpg", "a.png", "a.webp", "a.tif", "a.avif"):
        image.save(tmp_path / name, exif=tags.tobytes(), icc_profile=srgb, dpi=(300, 200))
    (tmp_path / "b.png").write_bytes(imagecodecs.png_encode(np.zeros((3, 4, 4), np.uint16)))
    for path in sorted(tmp_path.iterdir()):
        facts, photo = probe(path), read_photo(path)
        told = (facts.width, facts.height, facts.mode, facts.bits, facts.has_alpha, facts.has_icc, facts.dpi)
        read = (photo.width, photo.height, photo.mode, photo.bits)
        assert told == (*read, photo.alpha is not None, photo.icc is not None, photo.dpi), path
        if path.name.startswith("a"):
            assert facts.exif["Model"] == "Canon EOS", path
            assert facts.width == 20, path
