"""Each format at each depth, cut with a given matte to each output, read by programs that are not ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pillow_heif
import pyjpegxl
import pytest
import tifffile
from PIL import Image
from psd_tools import PSDImage

from mattebox.core.job import Job, StagedOutput, run_job
from mattebox.core.photo import read_photo
from mattebox.core.settings import CutSettings, FinishSettings, parse_output

pytestmark = pytest.mark.slow
SIZE = (48, 64)


def tool() -> str:
    """ImageMagick; .ci/readers.sh installs it."""
    found = next((place for place in ("/usr/bin/convert", "/usr/bin/magick") if Path(place).exists()), None)
    found = found or shutil.which("convert")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("ImageMagick is missing: run .ci/readers.sh")
        pytest.skip("ImageMagick is not installed: run .ci/readers.sh")
    return found


def shades(channels: int, kind: Any = np.uint8) -> np.ndarray:
    """A smooth picture with some noise, (48, 64, channels)."""
    rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    planes = [(rows * (3 + index) + columns * (4 - index)) % 256 for index in range(channels)]
    noise = np.random.default_rng(5).integers(0, 256, (*SIZE, channels))
    values = np.stack(planes, axis=-1) * 257 if np.dtype(kind).itemsize == 2 else np.stack(planes, axis=-1)
    return (values + (noise if np.dtype(kind).itemsize == 2 else 0)).clip(0, np.iinfo(kind).max).astype(kind)


def pillow(pixels: np.ndarray, form: str, mode: str | None = None, **options: Any) -> bytes:
    """A file by Pillow."""
    stored = BytesIO()
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    (image.convert(mode) if mode else image).save(stored, form, **options)
    return stored.getvalue()


def tiff(pixels: np.ndarray, photometric: str, **options: Any) -> bytes:
    """A file by tifffile."""
    stored = BytesIO()
    tifffile.imwrite(
        stored, pixels[..., 0] if pixels.shape[2] == 1 else pixels, photometric=photometric, **options
    )
    return stored.getvalue()


def planar() -> bytes:
    """A TIFF with each channel for itself."""
    return tiff(C8.transpose(2, 0, 1), "rgb", planarconfig="separate")


def packed_tiff(bits: int) -> bytes:
    """A TIFF of RGB with so many bits a sample, packed."""
    wide = shades(3, np.uint16).astype(np.uint64)
    samples = wide >> (16 - bits) if bits <= 16 else wide << (bits - 16)
    if bits in {24, 32}:
        strip = samples.astype("<u4").view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()
    else:
        rows = samples.reshape(SIZE[0], -1)
        texts = ("".join(f"{value:0{bits}b}" for value in row) for row in rows)
        strip = b"".join(int(text, 2).to_bytes(len(text) // 8) for text in texts)
    base = tiff(shades(3), "rgb", byteorder="<", rowsperstrip=SIZE[0])
    with tifffile.TiffFile(BytesIO(base)) as file:
        tags = file.pages.first.aspage().tags
        places = {code: tags[code].valueoffset for code in (258, 273, 279)}
    data = bytearray(base)
    data[places[258] : places[258] + 6] = bits.to_bytes(2, "little") * 3
    data[places[273] : places[273] + 4] = len(data).to_bytes(4, "little")
    data[places[279] : places[279] + 4] = len(strip).to_bytes(4, "little")
    return bytes(data) + strip


def heic(pixels: np.ndarray, mode: str) -> bytes:
    """A lossless HEIC."""
    stored = BytesIO()
    pillow_heif.from_bytes(mode, SIZE[::-1], pixels.tobytes()).save(stored, quality=-1)
    return stored.getvalue()


def psd(pixels: np.ndarray) -> bytes:
    """A PSD of one merged image."""
    stored = BytesIO()
    PSDImage.frompil(Image.fromarray(pixels)).save(stored)
    return stored.getvalue()


def alpha_of(pixels: np.ndarray) -> np.ndarray:
    """The colours with an alpha that is full but in a corner."""
    full = np.full((*SIZE, 1), np.iinfo(pixels.dtype).max, pixels.dtype)
    full[:8, :8] = 0
    return np.concatenate([pixels, full], axis=2)


G8, G16, C8, C16 = shades(1), shades(1, np.uint16), shades(3), shades(3, np.uint16)
K8 = shades(4)
_TEN: Any = {"level": 100, "bitspersample": 10}
_TWELVE: Any = {"level": 100, "bitspersample": 12}
_J2K: Any = {"level": 0, "codecformat": "j2k", "bitspersample": 12}
# ending, bytes, mode, bits, whether ImageMagick reads it as we do
INPUTS: dict[str, tuple[str, Any, str, int, bool]] = {
    "jpeg-gray": ("jpg", lambda: pillow(G8, "JPEG"), "gray", 8, True),
    "jpeg-rgb": ("jpg", lambda: pillow(C8, "JPEG", subsampling=0), "rgb", 8, True),
    "jpeg-cmyk": ("jpg", lambda: pillow(K8, "JPEG", "CMYK"), "cmyk", 8, True),
    "png-gray": ("png", lambda: pillow(G8, "PNG"), "gray", 8, True),
    "png-gray-16": ("png", lambda: imagecodecs.png_encode(G16[..., 0]), "gray", 16, True),
    "png-rgba": ("png", lambda: pillow(alpha_of(C8), "PNG"), "rgb", 8, True),
    "png-rgb-16": ("png", lambda: imagecodecs.png_encode(C16), "rgb", 16, True),
    "png-palette": ("png", lambda: pillow(C8, "PNG", "P"), "rgb", 8, True),
    "tiff-gray": ("tif", lambda: tiff(G8, "minisblack"), "gray", 8, True),
    "tiff-white-0": ("tif", lambda: tiff(G8, "miniswhite"), "gray", 8, True),
    "tiff-rgb": ("tif", lambda: tiff(C8, "rgb", compression="zlib", predictor=True), "rgb", 8, True),
    "tiff-rgb-16": ("tif", lambda: tiff(C16, "rgb", bigtiff=True, tile=(16, 16)), "rgb", 16, True),
    "tiff-planar": ("tif", planar, "rgb", 8, True),
    "tiff-cmyk": ("tif", lambda: tiff(K8, "separated"), "cmyk", 8, True),
    "tiff-cmyk-16": ("tif", lambda: tiff(shades(4, np.uint16), "separated"), "cmyk", 16, True),
    "tiff-rgba-16": ("tif", lambda: tiff(alpha_of(C16), "rgb", extrasamples=["unassalpha"]), "rgb", 16, True),
    "tiff-2": ("tif", lambda: packed_tiff(2), "rgb", 8, True),
    "tiff-4": ("tif", lambda: packed_tiff(4), "rgb", 8, True),
    "tiff-10": ("tif", lambda: packed_tiff(10), "rgb", 16, True),
    "tiff-12": ("tif", lambda: packed_tiff(12), "rgb", 16, True),
    "tiff-14": ("tif", lambda: packed_tiff(14), "rgb", 16, True),
    "tiff-24": ("tif", lambda: packed_tiff(24), "rgb", 16, False),
    "tiff-32": ("tif", lambda: packed_tiff(32), "rgb", 16, True),
    "tiff-half": ("tif", lambda: tiff((C16 / 65535).astype(np.float16), "rgb"), "rgb", 16, True),
    "tiff-float": ("tif", lambda: tiff((C16 / 65535).astype(np.float32), "rgb"), "rgb", 16, True),
    "tiff-double": ("tif", lambda: tiff(C16 / 65535, "rgb"), "rgb", 16, True),
    "tiff-jpeg": ("tif", lambda: tiff(C8, "rgb", compression="jpeg"), "rgb", 8, True),
    "tiff-webp": ("tif", lambda: tiff(C8, "rgb", compression="webp"), "rgb", 8, False),
    "webp": ("webp", lambda: pillow(C8, "WEBP", lossless=True), "rgb", 8, True),
    "webp-alpha": ("webp", lambda: pillow(alpha_of(C8), "WEBP", lossless=True), "rgb", 8, True),
    "avif": ("avif", lambda: pillow(C8, "AVIF", quality=100, subsampling="4:4:4"), "rgb", 8, False),
    "avif-10": ("avif", lambda: imagecodecs.avif_encode(C16 >> 6, **_TEN), "rgb", 16, False),
    "avif-12": ("avif", lambda: imagecodecs.avif_encode(C16 >> 4, **_TWELVE), "rgb", 16, False),
    "heic": ("heic", lambda: heic(C8, "RGB"), "rgb", 8, False),
    "heic-10": ("heic", lambda: heic(C16, "RGB;16"), "rgb", 16, False),
    "jxl": ("jxl", lambda: pyjpegxl.encode_from_numpy(C8, lossless=True), "rgb", 8, False),
    "jxl-16": ("jxl", lambda: pyjpegxl.encode_from_numpy(alpha_of(C16), lossless=True), "rgb", 16, False),
    "jxl-gray": ("jxl", lambda: pyjpegxl.encode_from_numpy(G8, lossless=True), "gray", 8, False),
    "jp2": ("jp2", lambda: pillow(C8, "JPEG2000"), "rgb", 8, True),
    "jp2-16": ("jp2", lambda: imagecodecs.jpeg2k_encode(C16, level=0), "rgb", 16, True),
    "j2k-12": ("j2k", lambda: imagecodecs.jpeg2k_encode(C16 >> 4, **_J2K), "rgb", 16, True),
    "bmp": ("bmp", lambda: pillow(C8, "BMP"), "rgb", 8, True),
    "gif": ("gif", lambda: pillow(C8, "GIF", "P"), "rgb", 8, True),
    "psd": ("psd", lambda: psd(C8), "rgb", 8, True),
}  # fmt: skip
OUTPUTS = ("png", "tiff", "webp", "jxl", "psd", "jpeg", "mask")
DEEP = frozenset({"png", "tiff", "jxl", "psd", "mask"})


def magick(path: Path, bits: int, cmyk: bool) -> np.ndarray:
    """The channels that ImageMagick reads: (h, w, 4) of RGBA or CMYK."""
    straight = ("-set", "colorspace", "CMYK" if cmyk else "sRGB")
    command = [
        tool(),
        f"{path}[0]",
        *straight,
        "-depth",
        bits,
        "-endian",
        "LSB",
        "cmyk:-" if cmyk else "rgba:-",
    ]
    raw = subprocess.run([str(part) for part in command], check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.dtype(f"<u{bits // 8}")).reshape(*SIZE, 4)


def level(pixels: np.ndarray) -> np.ndarray:
    """Pixels as shares of white."""
    return pixels.astype(np.float64) / np.iinfo(pixels.dtype).max


@pytest.mark.parametrize("name", INPUTS)
def test_each_input_is_what_imagemagick_sees(tmp_path: Path, name: str) -> None:
    """Mode and depth are as they should be, and the pixels ImageMagick's where it reads the file rightly."""
    ending, made, mode, bits, readable = INPUTS[name]
    path = tmp_path / f"a.{ending}"
    path.write_bytes(made())
    photo = read_photo(path)
    assert (photo.mode, photo.bits) == (mode, bits)
    assert photo.pixels.shape[:2] == SIZE
    if not readable:
        near = shades(1 if mode == "gray" else 3, np.uint16)
        apart = np.abs(level(np.asarray(photo.pixels)) - level(near))[8:]
        assert np.median(apart) < 0.01, name
        return
    theirs = magick(path, photo.bits, mode == "cmyk")
    colours = theirs if mode == "cmyk" else theirs[..., :3]
    shown = (photo.alpha > 0) if photo.alpha is not None else np.ones(SIZE, bool)
    ours = np.broadcast_to(photo.pixels, (*SIZE, colours.shape[2]))
    assert np.abs(level(ours) - level(colours))[shown].max() <= 1.01 / 255


@pytest.mark.parametrize("name", INPUTS)
def test_each_input_goes_to_each_output(tmp_path: Path, name: str) -> None:
    """Where the matte is full, every output holds the input's pixels, as another program reads them."""
    ending, made, mode, bits, _ = INPUTS[name]
    source = tmp_path / f"in.{ending}"
    source.write_bytes(made())
    matte = np.zeros(SIZE, np.uint8)
    matte[16:40, 12:50] = 255
    Image.fromarray(matte).save(tmp_path / "matte.png")
    outputs = {form: tmp_path / f"out.{form}" for form in OUTPUTS}
    job = Job(
        source,
        tuple(StagedOutput(parse_output({"format": form}), path) for form, path in outputs.items()),
        CutSettings(refine="none", decontaminate=False),
        FinishSettings(background="white"),
        tmp_path / "matte.png",
    )
    report = run_job(job)
    photo = read_photo(source)
    inner = (slice(18, 38), slice(14, 48))
    for form, path in outputs.items():
        deep = bits if form in DEEP else 8
        if form == "jxl":
            stored = np.atleast_3d(imagecodecs.jpegxl_decode(path.read_bytes()))
            assert stored.dtype.itemsize * 8 == deep
        elif form == "mask":
            stored = np.atleast_3d(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
            assert level(stored)[inner].min() == 1
            continue
        else:
            stored = magick(path, deep, mode == "cmyk" and form in {"tiff", "psd"})
        if mode == "cmyk" and form not in {"tiff", "psd"}:
            assert any("CMYK" in note for note in report.photo_notes)
            continue
        channels = 4 if mode == "cmyk" else 3
        ours = np.broadcast_to(photo.pixels, (*SIZE, channels))[inner]
        colours = stored[..., :channels] if stored.shape[2] >= channels else stored[..., :1]
        theirs = np.broadcast_to(colours, (*SIZE, channels))[inner]
        apart = np.abs(level(ours) - level(theirs)) * 255
        if form == "jpeg":
            assert apart.mean() < 8
            continue
        assert apart.max() <= (0.01 if bits in {deep, 8} else 0.51), form
