"""JPEG, AVIF, BMP and GIF through Pillow."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from math import ceil
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from PIL import Image

from mattebox.core.errors import PhotoError
from mattebox.core.photo import bmff
from mattebox.core.photo import exif as exif_block
from mattebox.core.photo.beside import beside, has_gain_map, is_adobe_rgb
from mattebox.core.photo.cicp import Told, adobe_rgb, from_code_points
from mattebox.core.photo.deep import decode_deep, depth_of
from mattebox.core.photo.jpeg import decode_complete, load_decoder, table_quality
from mattebox.core.photo.limits import check_limits
from mattebox.core.photo.model import ColourMode, Header, OpenPhoto, Planes, nothing_to_load
from mattebox.core.photo.other_way import other_way

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from mattebox.core.settings import ReadLimits

# Image.open gets these names only, so that nothing else is ever tried. Importing a plug-in registers its
# name: one in the list that is not imported raises KeyError.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "jpeg": ("JPEG", "MPO"),
    "avif": ("AVIF",),
    "bmp": ("BMP",),
    "gif": ("GIF",),
}
_PLUGINS: Final = {
    "JPEG": "Jpeg",
    "MPO": "Mpo",
    "AVIF": "Avif",
    "BMP": "Bmp",
    "GIF": "Gif",
}
_STRIP_BYTES: Final = 1 << 22
# From so many pixels on it pays to load another decoder.
_LARGE: Final = 4_000_000
_TO_PLAIN: Final = {
    "1": "L",
    "La": "LA",
    "PA": "RGBA",
    "RGBX": "RGB",
    "RGBa": "RGBA",
    "YCbCr": "RGB",
}
_STRAIGHT: Final[dict[str, ColourMode]] = {"L": "gray", "RGB": "rgb"}
_GRAY: Final = frozenset({"1", "L", "LA", "La", "I;16", "I;16L", "I;16B", "I;16N"})
_WITH_ALPHA: Final = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_WORDS: Final = {"F": "32-bit float", "I": "signed or 32-bit integer", "LAB": "Lab"}
_PLAIN: Final = frozenset({"L", "LA", "RGB", "RGBA", "CMYK", "I;16", "I;16L", "I;16B", "I;16N"})


@contextmanager
def opened(
    file: BinaryIO, path: Path, kind: str, limits: ReadLimits, block: bytes | None = None
) -> Iterator[OpenPhoto]:
    """An image of `kind`, header read and checked against `limits`, nothing decoded.

    block: the EXIF block, where the caller knows it better than Pillow.
    Raises TruncatedPhotoError, PhotoError, LimitError.
    """
    # Pillow's own limit is a fixed number, a warning up to twice of it; `limits` replaces it.
    Image.MAX_IMAGE_PIXELS = None
    told = bmff.facts(file) if kind == "avif" else bmff.Facts()
    if told.size is not None:
        check_limits(path, limits, *told.size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # decoders warn about odd metadata, which travels as it is
        for name in _NAMES[kind]:
            import_module(f"PIL.{_PLUGINS[name]}ImagePlugin")
        try:
            image = Image.open(file, formats=_NAMES[kind])
        except Exception as error:  # noqa: BLE001 - whatever it is, there may be another way
            with other_way(file, path, kind, limits, error=error, opened=opened) as other:
                yield other
            return
        with image:
            # The frames of a deep animation come all at once from the only decoder that keeps their depth.
            stored = depth_of(file, kind)
            depth = 8 if getattr(image, "n_frames", 1) > 1 else stored
            header = _header(image, block, deep=depth > 8)
            if depth < stored:
                note = f"The animation's {stored} bits a channel were rounded to 8."
                header = replace(header, notes=(*header.notes, note))
            if kind in {"jpeg", "avif"}:
                header = _with_what_lies_beside(header, image, file, told)
            size = file.seek(0, 2)
            check_limits(path, limits, header.width, header.height, header.frames, size=size)

            def decode() -> Planes:
                if depth > 8:
                    return decode_deep(file, depth)
                return _straight(file, image, kind) or _decode(file, image, path, kind)

            def reduce(longest: int) -> None:
                share = longest / max(image.size)
                image.draft(None, (ceil(image.width * share), ceil(image.height * share)))

            straight = _may_be_straight(image, kind)
            yield OpenPhoto(
                header,
                decode,
                reduce,
                lambda: _whole_xmp(image, header.xmp),
                load_decoder if straight else nothing_to_load,
            )


def _header(image: Image.Image, block: bytes | None, *, deep: bool) -> Header:
    info = image.info
    # The second picture of an MPO is a preview or a gain map, not a page.
    frames = 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1))
    block = block or exif_block.bare(_exif_bytes(image))
    mode: ColourMode = "cmyk" if image.mode == "CMYK" else "gray" if image.mode in _GRAY else "rgb"
    return Header(
        width=image.width,
        height=image.height,
        mode=mode,
        bits=16 if deep or image.mode.startswith("I;16") else 8,
        has_alpha=image.mode in _WITH_ALPHA or "transparency" in info,
        icc=info.get("icc_profile") or None,
        exif=block,
        xmp=_packet(image),
        dpi=_dpi(image),
        orientation=exif_block.orientation(block),
        frames=frames,
        notes=frame_note(frames),
        quality=table_quality(getattr(image, "quantization", None) or {}),
    )


def _with_what_lies_beside(header: Header, image: Image.Image, file: BinaryIO, told: bmff.Facts) -> Header:
    """The header with colours that are told otherwise than by a profile, and notes on what is left out."""
    colour = Told()
    if told.points and not header.icc:
        colour = from_code_points(told.points, header.mode)
    elif header.mode == "rgb" and not header.icc and is_adobe_rgb(header.exif):
        colour = Told(adobe_rgb())
    gain_map = told.gain_map or (image.format == "MPO" and has_gain_map(file))
    left = beside(header.xmp, gain_map=gain_map, video=told.video)
    return replace(header, icc=header.icc or colour.icc, notes=header.notes + colour.notes + left)


def _packet(image: Image.Image) -> bytes | None:
    """The XMP packet as it is stored, of a JPEG its standard part."""
    stored = image.info.get("xmp") or None
    return stored.encode() if isinstance(stored, str) else stored


def _whole_xmp(image: Image.Image, packet: bytes | None) -> tuple[bytes | None, tuple[str, ...]]:
    """The packet made whole where a JPEG has it in parts, and what could not be read of it."""
    segments = [content for name, content in getattr(image, "applist", ()) if name == "APP1"]
    if packet is None or not segments:
        return packet, ()
    from mattebox.core.photo import xmp  # noqa: PLC0415 - loads a reader of XML, which few photos need

    if not any(xmp.is_extension(segment) for segment in segments):
        return packet, ()
    joined = xmp.join(packet, segments)
    if joined is None:
        note = "The extended part of the photo's XMP is incomplete, damaged or of too many parts"
        return packet, (f"{note}; it was left out.",)
    return joined, ()


def _straight(file: BinaryIO, image: Image.Image, kind: str) -> Planes | None:
    """A large, complete JPEG of one or three channels without Pillow's copies; else None."""
    if not _may_be_straight(image, kind):
        return None
    pixels = decode_complete(file)
    fits = pixels is not None and pixels.shape == (image.height, image.width, len(image.getbands()))
    return Planes(pixels, None, _STRAIGHT[image.mode]) if pixels is not None and fits else None


def _may_be_straight(image: Image.Image, kind: str) -> bool:
    return kind == "jpeg" and image.mode in _STRAIGHT and image.width * image.height >= _LARGE


def _decode(file: BinaryIO, image: Image.Image, path: Path, kind: str) -> Planes:
    image.seek(0)
    try:
        planes = plain_planes(image, path)
    except OSError:
        # Pillow misses the end of some that are whole.
        pixels = decode_complete(file) if kind == "jpeg" else None
        if pixels is None or pixels.shape != (image.height, image.width, len(image.getbands())):
            raise
        planes = Planes(pixels, None, "gray" if image.mode == "L" else "rgb")
    if kind == "jpeg" and planes.mode == "cmyk" and "adobe" not in image.info:
        # Pillow takes all CMYK JPEGs for Adobe's inverted ones; without the marker they are not.
        np.subtract(255, planes.pixels, out=planes.pixels)
    return planes


def frame_note(frames: int) -> tuple[str, ...]:
    """The sentence about pages or frames that were left out."""
    return (f"Only the first of {frames} pages or frames was used.",) if frames > 1 else ()


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    """Pixels per inch, horizontal and vertical, where the file tells sensible ones."""
    dots = image.info.get("dpi")
    if not dots or len(dots) != 2:
        return None
    try:
        across, down = float(dots[0]), float(dots[1])
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # A density of 0 or 1 is what files say that know none.
    return (across, down) if 1 < across < 1e5 and 1 < down < 1e5 else None


def _exif_bytes(image: Image.Image) -> bytes | None:
    raw = image.info.get("exif")
    # Not image.getexif(): it decodes what has no EXIF, and takes an orientation from the XMP, which nobody
    # else turns a picture by.
    return raw if isinstance(raw, bytes) and raw else None


def plain_planes(image: Image.Image, path: Path) -> Planes:
    """An open image decoded: gray, RGB or CMYK, straight alpha apart. Raises PhotoError for other modes."""
    return _arrays(_plain(image, path))


def _plain(image: Image.Image, path: Path) -> Image.Image:
    """The image decoded in one of the modes that become arrays."""
    image.load()
    if "transparency" in image.info and image.mode in {"1", "L", "RGB", "P"}:
        return image.convert("LA" if image.mode in {"1", "L"} else "RGBA")
    if image.mode == "P":
        return image.convert(image.palette.mode if image.palette and image.palette.mode == "RGBA" else "RGB")
    if image.mode in _TO_PLAIN:
        return image.convert(_TO_PLAIN[image.mode])
    if image.mode not in _PLAIN:
        raise PhotoError(
            f"{path}: pixels of the kind {_WORDS.get(image.mode, image.mode)} are not read; "
            f"save it with 8 or 16 bits as gray, RGB or CMYK."
        )
    return image


def _arrays(image: Image.Image) -> Planes:
    width, height = image.size
    bands = len(image.getbands())
    kind = np.uint16 if image.mode.startswith("I;16") else np.uint8
    stored: NDArray[Any] = np.empty((height, width, bands), kind)
    rows = max(1, _STRIP_BYTES // (width * bands))
    # Strip by strip: np.asarray of the whole image would hold its pixels three times.
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        strip: NDArray[Any] = np.asarray(image.crop((0, top, width, bottom)))
        stored[top:bottom] = strip.reshape(bottom - top, width, bands)
    mode: ColourMode = "cmyk" if image.mode == "CMYK" else "rgb" if bands >= 3 else "gray"
    if image.mode in {"LA", "RGBA"}:
        colours, alpha = stored[..., :-1], stored[..., -1]
        return Planes(np.ascontiguousarray(colours), np.ascontiguousarray(alpha), mode)
    return Planes(stored, None, mode)
