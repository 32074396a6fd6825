"""Colours that a file tells otherwise than by a profile are used, and every output says them."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from mattebox.core.composition import Composition
from mattebox.core.photo import read_photo
from mattebox.core.photo.cicp import from_code_points
from mattebox.core.photo.icc import code_points
from mattebox.core.segment.view import network_view
from mattebox.core.settings import parse_output
from mattebox.core.write import write_output

SRGB = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
WHITE = (0.3127, 0.3290)


def to_xyz(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Linear RGB to XYZ, written down again from SMPTE RP 177."""

    def lifted(x: float, y: float) -> list[float]:
        return [x / y, 1, (1 - x - y) / y]

    columns = np.array([lifted(*corner) for corner in primaries]).T
    return columns * np.linalg.solve(columns, lifted(*WHITE))


def light(stored: np.ndarray) -> np.ndarray:
    """SRGB values 0..1 as light."""
    return np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)


def shade(linear: np.ndarray) -> np.ndarray:
    """Light as sRGB values 0..1."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def colours() -> np.ndarray:
    """SRGB colours 0..1 of all kinds, (16, 16, 3)."""
    return np.random.default_rng(3).random((16, 16, 3))


def chunk(name: bytes, data: bytes) -> bytes:
    """A PNG's chunk."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(values: np.ndarray, *chunks: bytes) -> bytes:
    """A 16-bit PNG of values 0..1 with further chunks before its pixels."""
    stored = np.rint(np.clip(values, 0, 1) * 65535).astype(">u2")
    high, wide = stored.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in stored)
    kind = 2 if stored.ndim == 3 else 0
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 16, kind, 0, 0, 0))
    body = b"".join(chunks) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + body


def corners(primaries: tuple[tuple[float, float], ...]) -> bytes:
    """A cHRM chunk."""
    numbers = [round(value * 100_000) for pair in (WHITE, *primaries) for value in pair]
    return chunk(b"cHRM", struct.pack(">8I", *numbers))


def gamma(exponent: float) -> bytes:
    """A gAMA chunk."""
    return chunk(b"gAMA", struct.pack(">I", round(exponent * 100_000)))


def within(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    """The light of `colours` in other primaries."""
    return light(colours()) @ (np.linalg.inv(to_xyz(primaries)) @ to_xyz(SRGB)).T


CASES = {
    "cicp-p3": lambda: png(shade(within(P3)), chunk(b"cICP", bytes((12, 13, 0, 1)))),
    "cicp-linear-2020": lambda: png(within(BT2020), chunk(b"cICP", bytes((9, 8, 0, 1)))),
    "gamma-1": lambda: png(light(colours()), gamma(1.0)),
    "gamma-chrm": lambda: png(within(P3) ** (1 / 1.8), gamma(1 / 1.8), corners(P3)),
    "chrm": lambda: png(shade(within(P3)), gamma(0.45455), corners(P3)),
}


@pytest.mark.parametrize("name", CASES)
def test_networks_see_the_colours_that_are_meant(tmp_path: Path, name: str) -> None:
    """The view of a photo told by chunks is its sRGB within two levels, and its pixels stay as stored."""
    path = tmp_path / "a.png"
    path.write_bytes(CASES[name]())
    photo = read_photo(path)
    assert photo.bits == 16
    assert photo.icc is not None
    seen = network_view(photo).astype(np.int16)
    assert np.abs(seen - np.rint(colours() * 255)).max() <= 2


@pytest.mark.parametrize(
    "chunks",
    [(), (gamma(0.45455),), (gamma(0.45455), corners(SRGB)), (chunk(b"cICP", bytes((1, 13, 0, 1))),),
     (chunk(b"sRGB", b"\0"), gamma(1.0))],
)  # fmt: skip
def test_plain_srgb_gets_no_profile(tmp_path: Path, chunks: tuple[bytes, ...]) -> None:
    """What says sRGB in whatever words stays as it is; sRGB goes before gAMA."""
    path = tmp_path / "a.png"
    path.write_bytes(png(colours(), *chunks))
    photo = read_photo(path)
    assert photo.icc is None
    assert photo.warnings == ()


def test_a_gray_gamma_is_a_gray_profile(tmp_path: Path) -> None:
    """A linear gray PNG is seen as bright as it is."""
    path = tmp_path / "a.png"
    path.write_bytes(png(light(colours()[..., 0]), gamma(1.0)))
    photo = read_photo(path)
    assert photo.icc is not None
    assert photo.icc[16:20] == b"GRAY"
    assert np.abs(network_view(photo)[..., 0] - np.rint(colours()[..., 0] * 255)).max() <= 2


@pytest.mark.parametrize("form", ["png", "tiff", "webp", "jpeg", "psd", "jxl"])
def test_every_output_says_the_same(tmp_path: Path, form: str) -> None:
    """The output of a photo told by code points has the profile that says them, as ExifTool reads it."""
    exiftool = shutil.which("exiftool")
    (tmp_path / "a.png").write_bytes(CASES["cicp-p3"]())
    photo = read_photo(tmp_path / "a.png")
    full = np.full(photo.pixels.shape[:2], 65535, np.uint16)
    made = Composition(
        photo, photo.pixels, photo.pixels, full, background=(65535,) * 3 if form == "jpeg" else None
    )
    path = tmp_path / f"out.{form}"
    write_output(made, parse_output({"format": form}), path)
    back = read_photo(path)
    assert code_points(back.icc) == (12, 13, 0, 1)
    if form == "png":
        assert chunk(b"cICP", bytes((12, 13, 0, 1))) in path.read_bytes()
    if exiftool and form != "jxl":
        told = subprocess.run([exiftool, "-json", path], check=True, capture_output=True).stdout
        assert json.loads(told)[0]["ProfileDescription"] == "Display P3"


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_keeps_its_pixels_and_says_so(tmp_path: Path, transfer: int) -> None:
    """PQ and HLG travel by code points; the view is toned down, from black to white, and a note tells."""
    ramp = np.repeat(np.linspace(0, 1, 64)[None, :, None], 3, axis=2).repeat(4, axis=0)
    (tmp_path / "a.png").write_bytes(png(ramp, chunk(b"cICP", bytes((9, transfer, 0, 1)))))
    photo = read_photo(tmp_path / "a.png")
    assert np.array_equal(photo.pixels, np.rint(ramp * 65535).astype(np.uint16))
    assert any("HDR" in note for note in photo.warnings)
    assert code_points(photo.icc) == (9, transfer, 0, 1)
    seen = network_view(photo)[0, :, 0].astype(int)
    assert (np.diff(seen) >= 0).all()
    assert seen[0] <= 1
    assert seen[-1] == 255
    assert 150 < seen[np.searchsorted(np.linspace(0, 1, 64), 0.58 if transfer == 16 else 0.75)] < 230


def test_avif_and_heic_tell_by_nclx(tmp_path: Path) -> None:
    """The code points of an AVIF and of a HEIC are read; sRGB's need no profile."""
    import pillow_heif

    image = Image.fromarray(np.full((64, 64, 3), 120, np.uint8))
    image.save(tmp_path / "srgb.avif")
    assert read_photo(tmp_path / "srgb.avif").icc is None
    stored = bytearray((tmp_path / "srgb.avif").read_bytes())
    place = stored.index(b"nclx") + 4
    stored[place : place + 4] = bytes((0, 12, 0, 13))
    (tmp_path / "p3.avif").write_bytes(stored)
    assert code_points(read_photo(tmp_path / "p3.avif").icc) == (12, 13, 0, 1)
    heic = BytesIO()
    pillow_heif.from_pillow(image).save(heic, color_primaries=9, transfer_characteristics=16)
    (tmp_path / "pq.heic").write_bytes(heic.getvalue())
    assert code_points(read_photo(tmp_path / "pq.heic").icc) == (9, 16, 0, 1)


def test_adobe_rgb_of_a_camera_without_a_profile(tmp_path: Path) -> None:
    """A JPEG whose EXIF says R03 gets the profile that cameras mean by it."""
    tags = Image.Exif()
    tags.get_ifd(0x8769)[0xA001] = 65535
    tags.get_ifd(0x8769)[0xA005] = {1: "R03"}
    Image.fromarray(np.full((16, 16, 3), (0, 255, 0), np.uint8)).save(
        tmp_path / "a.jpg", exif=tags, quality=100
    )
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.icc is not None
    assert b"A\0d\0o\0b\0e" in photo.icc


def test_profiles_that_do_not_fit_go_with_a_note(tmp_path: Path) -> None:
    """A damaged profile and one of Lab are dropped and named; gray gets the curve of its RGB profile."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rgb = Image.fromarray(np.full((16, 16, 3), 90, np.uint8))
    rgb.save(tmp_path / "lab.png", icc_profile=lab)
    rgb.save(tmp_path / "cut.png", icc_profile=srgb[:200])
    rgb.convert("L").save(tmp_path / "gray.png", icc_profile=srgb)
    for name, word in (("lab", "Lab"), ("cut", "damaged")):
        photo = read_photo(tmp_path / f"{name}.png")
        assert photo.icc is None
        assert len(photo.warnings) == 1
        assert word in photo.warnings[0]
    gray = read_photo(tmp_path / "gray.png")
    assert gray.warnings == ()
    assert gray.icc is not None
    assert gray.icc[16:20] == b"GRAY"


def test_unknown_code_points_are_told() -> None:
    """Code points that nobody knows are taken for sRGB, and a sentence says so."""
    told = from_code_points((99, 13, 0, 1))
    assert told.icc is None
    assert len(told.notes) == 1
