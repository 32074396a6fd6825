"""What we write is read alike by programs that share no code with us."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

from mattebox.core.composition import Composition
from mattebox.core.photo import Photo
from mattebox.core.settings import parse_output
from mattebox.core.write import write_output

pytestmark = pytest.mark.slow
CHANNELS = {"gray": 1, "rgb": 3, "cmyk": 4}
# ImageMagick's and libvips' names of raw channels, in the order of ours.
RAW = {"gray": "gray", "rgb": "rgb", "cmyk": "cmyk"}
CASES = [
    ("gray", np.uint8, "png"),
    ("gray", np.uint16, "png"),
    ("rgb", np.uint8, "png"),
    ("rgb", np.uint16, "png"),
    ("gray", np.uint8, "tiff"),
    ("gray", np.uint16, "tiff"),
    ("rgb", np.uint8, "tiff"),
    ("rgb", np.uint16, "tiff"),
    ("cmyk", np.uint8, "tiff"),
    ("cmyk", np.uint16, "tiff"),
    ("rgb", np.uint8, "webp"),
]
NAMES = [f"{mode}-{np.dtype(kind).name}-{form}" for mode, kind, form in CASES]


def tool(name: str, *places: str) -> str:
    """A program of the system; .ci/readers.sh installs them."""
    found = next((place for place in places if Path(place).exists()), None) or shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is missing: run .ci/readers.sh")
        pytest.skip(f"{name} is not installed: run .ci/readers.sh")
    return found


def run(*command: object) -> bytes:
    """A program's output; its failure is the test's."""
    return subprocess.run([str(part) for part in command], check=True, capture_output=True).stdout


def picture(mode: str, kind: type) -> tuple[Composition, np.ndarray]:
    """A composition with every alpha, and the channels that a reader must give: colours, then alpha."""
    top = np.iinfo(kind).max
    random = np.random.default_rng(7)
    pixels = random.integers(0, top + 1, (23, 31, CHANNELS[mode])).astype(kind)
    alpha = random.integers(1, top + 1, (23, 31)).astype(kind)
    alpha[:10], alpha[-4:] = top, 0
    photo = Photo(pixels, mode, exif=exif_block(), xmp=XMP, icc=profile(mode), dpi=(300.0, 300.0))
    expected = np.dstack([np.where(alpha[..., None] > 0, pixels, 0), alpha])
    return Composition(photo, pixels, pixels, alpha), expected


def profile(mode: str) -> bytes | None:
    """An sRGB profile for RGB pictures."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() if mode == "rgb" else None


def exif_block() -> bytes:
    """A camera's tags, with a place."""
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = "Camera works", "Model 7"
    tags[0x0132] = "2026:01:02 03:04:05"
    camera = {0x829A: IFDRational(1, 250), 0x8827: 400, 0x9003: "2026:01:02 03:04:05", 0xA002: 9, 0xA003: 9}
    tags.get_ifd(0x8769).update(camera)
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0), 3: "E", 4: (16.0, 22.0, 0.0)})
    return tags.tobytes().removeprefix(b"Exif\0\0")


XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="the studio"/></rdf:RDF></x:xmpmeta>'
    b'<?xpacket end="w"?>'
)


@pytest.mark.parametrize(("mode", "kind", "form"), CASES, ids=NAMES)
def test_imagemagick_reads_the_same_channels(tmp_path: Path, mode: str, kind: type, form: str) -> None:
    """ImageMagick's raw dump holds our channels bit for bit, with straight alpha."""
    convert = tool("convert", "/usr/bin/convert", "/usr/bin/magick")
    made, expected = picture(mode, kind)
    path = tmp_path / f"a.{form}"
    write_output(made, parse_output({"format": form}), path)
    bits = 8 * np.dtype(kind).itemsize
    raw = run(convert, path, "-depth", bits, "-endian", "LSB", f"{RAW[mode]}a:-")
    read = np.frombuffer(raw, np.dtype(kind).newbyteorder("<"))
    if mode == "gray":  # it writes gray raw data without alpha, so the alpha is asked for apart
        alpha = run(convert, path, "-alpha", "extract", "-depth", bits, "-endian", "LSB", "gray:-")
        colours = run(convert, path, "-alpha", "off", "-depth", bits, "-endian", "LSB", "gray:-")
        planes = [np.frombuffer(part, np.dtype(kind).newbyteorder("<")) for part in (colours, alpha)]
        read = np.stack(planes, axis=-1)
    assert np.array_equal(read.reshape(expected.shape), expected)


@pytest.mark.parametrize(("mode", "kind", "form"), CASES, ids=NAMES)
def test_libvips_reads_the_same_channels(tmp_path: Path, mode: str, kind: type, form: str) -> None:
    """Libvips' raw dump holds our channels bit for bit, with straight alpha."""
    vips = tool("vips")
    made, expected = picture(mode, kind)
    path = tmp_path / f"a.{form}"
    write_output(made, parse_output({"format": form}), path)
    run(vips, "rawsave", path, tmp_path / "a.raw")
    read = np.frombuffer((tmp_path / "a.raw").read_bytes(), kind)
    assert np.array_equal(read.reshape(expected.shape), expected)


@pytest.mark.parametrize("form", ["png", "tiff", "webp", "jpeg"])
@pytest.mark.parametrize("gps", [True, False])
def test_exiftool_reads_what_was_carried(tmp_path: Path, form: str, gps: bool) -> None:
    """Exiftool finds tags, density, packet and profile, and the place only where it was kept."""
    from dataclasses import replace

    exiftool = tool("exiftool")
    made, _ = picture("rgb", np.uint8)
    path = tmp_path / f"a.{form}"
    options = parse_output({"format": form, "gps": gps})
    write_output(replace(made, background=(255, 255, 255)), options, path)
    (facts,) = json.loads(run(exiftool, "-json", "-n", "-validate", "-warning", "-all", path))
    assert facts["Make"] == "Camera works"
    assert facts["Model"] == "Model 7"
    assert facts["ExposureTime"] == 0.004
    assert facts["DateTimeOriginal"] == "2026:01:02 03:04:05"
    assert facts["ISO"] == 400
    assert (facts["ExifImageWidth"], facts["ExifImageHeight"]) == (31, 23)
    assert facts["Source"] == "the studio"
    assert "sRGB" in facts["ProfileDescription"]
    assert facts.get("Orientation", 1) == 1
    assert facts.get("GPSLatitude") == (pytest.approx(48.2083333) if gps else None)
    if form == "png":
        assert facts["PixelsPerUnitX"] == 11811
    elif form != "webp":
        assert facts["XResolution"] == 300
    # What is missing for a complete camera file is told as a warning; a fault of the file as an error.
    assert "Error" not in facts
    assert "offset" not in str(facts.get("Warning", "")).lower()


def test_programs_agree_on_a_masks_levels(tmp_path: Path) -> None:
    """A 16-bit mask has the matte's levels in ImageMagick and in libvips."""
    made, expected = picture("rgb", np.uint16)
    write_output(made, parse_output({"format": "mask"}), tmp_path / "a.png")
    convert = tool("convert", "/usr/bin/convert", "/usr/bin/magick")
    raw = run(convert, tmp_path / "a.png", "-depth", 16, "-endian", "LSB", "gray:-")
    assert np.array_equal(np.frombuffer(raw, "<u2").reshape(23, 31), expected[..., -1])
    run(tool("vips"), "rawsave", tmp_path / "a.png", tmp_path / "a.raw")
    assert np.array_equal(np.fromfile(tmp_path / "a.raw", np.uint16).reshape(23, 31), expected[..., -1])
