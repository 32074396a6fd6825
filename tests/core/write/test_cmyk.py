"""Photos in inks with a press profile of Ghostscript's, beside Little CMS' and ImageMagick's tools."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from mattebox.core.composition import Composition
from mattebox.core.photo import Photo, read_photo
from mattebox.core.segment.view import network_view
from mattebox.core.settings import parse_output
from mattebox.core.write import write_output

pytestmark = pytest.mark.slow
PRESS = Path("/usr/share/color/icc/ghostscript/default_cmyk.icc")


def needed(path: str | Path | None) -> Path:
    """A file of the system's packages; .ci/readers.sh installs them."""
    if path is None or not Path(path).exists():
        if os.environ.get("CI"):
            pytest.fail("run .ci/readers.sh")
        pytest.skip("run .ci/readers.sh")
    return Path(path)


def run(*command: object) -> None:
    """Run a program; its failure is the test's."""
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def inks(kind: type = np.uint8) -> np.ndarray:
    """Cyan, magenta and yellow in nine steps each, black in four, all mixed: (54, 54, 4)."""
    steps = np.linspace(0, np.iinfo(kind).max, 9)
    mixed = np.stack(np.meshgrid(steps, steps, steps, steps[::2][:4], indexing="ij"), axis=-1)
    return np.rint(mixed).reshape(54, 54, 4).astype(kind)


def press_photo(kind: type = np.uint8) -> Photo:
    """All mixtures of inks with the press profile."""
    return Photo(inks(kind), "cmyk", icc=needed(PRESS).read_bytes(), dpi=(300.0, 300.0))


def whole(photo: Photo, background: tuple[int, ...] | None = None) -> Composition:
    """The photo finished, all of it subject."""
    alpha: Any = np.full(photo.pixels.shape[:2], np.iinfo(photo.pixels.dtype).max, photo.pixels.dtype)
    return Composition(photo, photo.pixels, photo.pixels, alpha, background=background)


def by_tificc(photo: Photo, folder: Path) -> np.ndarray:
    """The photo as sRGB by Little CMS' own program: relative colorimetric, black points matched."""
    tificc = needed(shutil.which("tificc"))
    tifffile.imwrite(folder / "inks.tif", photo.pixels, photometric="separated")
    depth = f"-w{photo.bits}"
    run(tificc, f"-i{PRESS}", "-o*sRGB", "-t1", "-b", depth, folder / "inks.tif", folder / "light.tif")
    with tifffile.TiffFile(folder / "light.tif") as light:
        return np.asarray(light.pages.first.asarray())


def apart(ours: np.ndarray, theirs: np.ndarray) -> int:
    """The greatest difference of two pictures, in 8-bit levels."""
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    level = np.iinfo(ours.dtype).max // 255
    return int(np.ceil(np.abs(ours.astype(np.int64) - theirs).max() / level))


@pytest.mark.parametrize(
    ("kind", "form"), [(np.uint8, "png"), (np.uint16, "png"), (np.uint8, "webp")], ids=["8", "16", "webp"]
)
def test_inks_become_the_light_that_little_cms_makes_of_them(tmp_path: Path, kind: type, form: str) -> None:
    """PNG and WebP hold sRGB within one level of tificc's, and say that it is sRGB."""
    photo = press_photo(kind)
    notes = write_output(whole(photo), parse_output({"format": form}), tmp_path / f"a.{form}")
    assert ["sRGB by its profile" in note for note in notes] == [True]
    read = read_photo(tmp_path / f"a.{form}")
    assert apart(np.asarray(read.pixels), by_tificc(photo, tmp_path)) <= 1
    assert read.mode == "rgb"
    assert read.icc is not None
    assert read.icc[16:20] == b"RGB "


def test_a_jpeg_of_inks_is_srgb_on_white(tmp_path: Path) -> None:
    """A JPEG holds tificc's sRGB as nearly as its compression lets it; the bare paper is pure white."""
    photo = press_photo()
    smooth = np.repeat(np.repeat(photo.pixels, 8, axis=0), 8, axis=1)
    large = Photo(smooth, "cmyk", icc=photo.icc)
    output = parse_output({"format": "jpeg", "quality": 100})
    write_output(whole(large, (0, 0, 0, 0)), output, tmp_path / "a.jpg")
    read = np.asarray(read_photo(tmp_path / "a.jpg").pixels)
    assert apart(read, by_tificc(large, tmp_path)) <= 3
    assert (read[0, 0] == 255).all()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("form", ["tiff", "psd"])
def test_inks_stay_inks_where_the_format_has_them(tmp_path: Path, form: str, kind: type) -> None:
    """TIFF and PSD keep the inks bit for bit and their profile byte for byte."""
    photo = press_photo(kind)
    path = tmp_path / f"a.{form}"
    assert write_output(whole(photo), parse_output({"format": form}), path) == ()
    read = read_photo(path)
    assert read.mode == "cmyk"
    assert np.array_equal(read.pixels, photo.pixels)
    assert read.icc == photo.icc


def test_imagemagick_sees_the_same_colours_in_the_tiff(tmp_path: Path) -> None:
    """The CMYK TIFF, converted by ImageMagick through the profile in it, is within two levels of our PNG."""
    convert = needed(next((p for p in ("/usr/bin/convert", "/usr/bin/magick") if Path(p).exists()), None))
    photo = press_photo()
    for form in ("tiff", "png"):
        write_output(whole(photo), parse_output({"format": form}), tmp_path / f"a.{form}")
    (tmp_path / "srgb.icc").write_bytes(read_photo(tmp_path / "a.png").icc or b"")
    light = ("-intent", "Relative", "-black-point-compensation", "-profile", tmp_path / "srgb.icc")
    run(convert, tmp_path / "a.tiff", *light, "-alpha", "off", "-depth", 8, tmp_path / "im.png")
    theirs = np.asarray(Image.open(tmp_path / "im.png").convert("RGB"))
    assert apart(np.asarray(read_photo(tmp_path / "a.png").pixels), theirs) <= 2


def test_an_adobe_jpeg_of_inks_is_read_as_jpgicc_reads_it(tmp_path: Path) -> None:
    """An inverted CMYK JPEG of Adobe's kind has jpgicc's colours, in its PNG and in the network's view."""
    jpgicc = needed(shutil.which("jpgicc"))
    photo = press_photo()
    smooth = np.repeat(np.repeat(photo.pixels, 8, axis=0), 8, axis=1)
    Image.fromarray(smooth, "CMYK").save(tmp_path / "a.jpg", quality=100, icc_profile=photo.icc)
    read = read_photo(tmp_path / "a.jpg")
    assert read.mode == "cmyk"
    assert read.icc == photo.icc
    run(jpgicc, "-t1", "-b", "-q100", "-o*sRGB", tmp_path / "a.jpg", tmp_path / "theirs.jpg")
    theirs = np.asarray(Image.open(tmp_path / "theirs.jpg"))
    write_output(whole(read), parse_output({"format": "png"}), tmp_path / "ours.png")
    ours = np.asarray(read_photo(tmp_path / "ours.png").pixels)
    assert apart(ours, theirs) <= 3
    assert apart(network_view(read), theirs) <= 3
