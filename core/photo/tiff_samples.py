"""The samples of a TIFF page, of whatever depth and kind, as 8 or 16 bits of gray, RGB or CMYK.

TIFF 6.0, sections 8 (bilevel to RGB), 16 (CMYK), 18 (extra samples), 19 (sample formats), 21 (YCbCr), 23
(Lab); Ward Larson 1998, "The LogLuv encoding for full gamut, high dynamic range images".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

import numpy as np

from mattebox.core.errors import PhotoError
from mattebox.core.photo import lab
from mattebox.core.photo.colour import in_depth
from mattebox.core.photo.deep import full_range
from mattebox.core.photo.model import ColourMode, Pixels, Planes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from tifffile import TiffPage

Route = Literal["samples", "floats", "palette", "shown", "log", "lab"]
_MODES: Final[dict[int, tuple[ColourMode, int]]] = {
    0: ("gray", 1),
    1: ("gray", 1),
    2: ("rgb", 3),
    3: ("rgb", 1),
    5: ("cmyk", 4),
    6: ("rgb", 3),
    8: ("rgb", 3),
    9: ("rgb", 3),
}
_WHITE_IS_ZERO, _PALETTE, _YCBCR, _LAB, _ICC_LAB = 0, 3, 6, 8, 9
_LOG_GRAY, _LOG_COLOUR = 32844, 32845
_KINDS: Final = {10: "ITU Lab", 4: "mask", 32803: "a sensor's", 34892: "a sensor's"}
_SIGNED, _FLOAT, _PLAIN = 2, 3, frozenset({1, 4})
_ASSOCIATED, _UNASSOCIATED = 1, 2
_JPEG, _OLD_JPEG = 7, 6
# CIE XYZ to linear sRGB (IEC 61966-2-1).
_TO_SRGB: Final = np.array(
    [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]], np.float32
)
_STRIP_ROWS: Final = 256


@dataclass(frozen=True, slots=True)
class Layout:
    """How a page's samples are read: its colour channels come first, then extra samples.

    bits: what is delivered, 8 or 16. alpha: the sample that is transparency.
    """

    route: Route
    mode: ColourMode
    colours: int
    bits: int
    alpha: int | None = None
    associated: bool = False
    note: str = ""


def layout_of(page: TiffPage, path: Path) -> Layout:
    """How the page's samples are read. Raises PhotoError, in the right words, where they are not."""
    photometric = int(page.photometric)
    if photometric in {_LOG_GRAY, _LOG_COLOUR}:
        note = "The TIFF's LogLuv light was kept in 16 bits; what is brighter than white was cut off."
        one = photometric == _LOG_GRAY
        return Layout("log", "gray" if one else "rgb", 1 if one else 3, 16, note=note)
    known = _MODES.get(photometric)
    if known is None:
        raise _not_read(path, _KINDS.get(photometric, f"photometric {photometric}"))
    if page.imagedepth != 1:
        raise _not_read(path, "volume")
    mode, colours = known
    if not isinstance(page.bitspersample, int) or page.samplesperpixel < colours:
        return Layout("shown", "rgb", 3, 8)
    subsampled = photometric == _YCBCR and int(page.compression) != _JPEG
    if subsampled or int(page.compression) == _OLD_JPEG:
        return Layout("shown", mode, colours, 8)
    return _of_samples(page, mode, colours, path)


def _of_samples(page: TiffPage, mode: ColourMode, colours: int, path: Path) -> Layout:
    photometric, bits, kind = int(page.photometric), int(page.bitspersample), int(page.sampleformat)
    alpha, associated = _transparency(page, colours)
    integer = kind in _PLAIN or kind == _SIGNED
    if kind == _FLOAT and bits in {16, 24, 32, 64} and photometric not in {_PALETTE, _LAB, _ICC_LAB}:
        return Layout("floats", mode, colours, 16, alpha, associated)
    if not integer or bits > 32 or (photometric in {_LAB, _ICC_LAB} and bits not in {8, 16}):
        raise _not_read(path, f"{bits}-bit {'integer' if integer else 'complex number or float'}")
    if bits == 24 and (int(page.compression) != 1 or int(page.predictor) != 1 or page.is_tiled):
        raise _not_read(path, "24-bit integer, packed or tiled")
    if photometric in {_LAB, _ICC_LAB}:
        return Layout("lab", mode, colours, 16, alpha, note=lab.NOTE)
    if photometric == _PALETTE:
        return Layout("palette", mode, colours, 16 if bits > 8 else 8, alpha)
    note = f"The TIFF's {bits} bits a channel were rounded to 16." if bits > 16 else ""
    if kind == _SIGNED:
        # Of elevations that is nonsense; of pictures whose program set the wrong tag it is the picture.
        note = "The TIFF says that its pixels are signed; they were read as if they were not."
    return Layout("samples", mode, colours, 16 if bits > 8 else 8, alpha, associated, note)


def _not_read(path: Path, kind: str) -> PhotoError:
    return PhotoError(
        f"{path}: pixels of the kind {kind} are not read; save it with 8 or 16 bits as gray, RGB or CMYK."
    )


def _transparency(page: TiffPage, colours: int) -> tuple[int | None, bool]:
    for index, kind in enumerate(page.extrasamples):
        if int(kind) in {_ASSOCIATED, _UNASSOCIATED} and colours + index < page.samplesperpixel:
            return colours + index, int(kind) == _ASSOCIATED
    return None, False


def decode(page: TiffPage, number: int | None, layout: Layout, file: BinaryIO) -> Planes:
    """The pixels of a page in the layout's mode and depth. Raises what the decoders say."""
    if layout.route == "shown":
        return _shown(file, number, layout)
    if layout.route == "log":
        return _of_light(_log_light(_libtiff(file, number)), None, layout)
    stored = _stored(page, number, file)
    alpha = None if layout.alpha is None else np.ascontiguousarray(stored[..., layout.alpha])
    pixels = np.ascontiguousarray(stored[..., : layout.colours])
    del stored
    white_is_zero = int(page.photometric) == _WHITE_IS_ZERO
    if layout.route == "floats":
        return _of_light(1 - pixels if white_is_zero else pixels, alpha, layout)
    clear = None if alpha is None else in_depth(_scaled(alpha, int(page.bitspersample)), layout.bits)
    whole = _coloured(page, pixels, layout)
    if white_is_zero:
        np.subtract(np.iinfo(whole.dtype).max, whole, out=whole)
    if layout.associated and clear is not None:
        _unassociate(whole, clear)
    return Planes(whole, clear, layout.mode)


def _coloured(page: TiffPage, pixels: NDArray[Any], layout: Layout) -> Pixels:
    """Integer samples as colours of the layout's depth."""
    if layout.route == "palette":
        return _looked_up(page, pixels[..., 0], layout.bits)
    if layout.route == "lab":
        return lab.from_lab(pixels, int(page.bitspersample), signed=int(page.photometric) == _LAB)
    return _scaled(pixels, int(page.bitspersample))


def _stored(page: TiffPage, number: int | None, file: BinaryIO) -> NDArray[Any]:
    """The samples as they are stored, (h, w, samples), in this machine's order of bytes."""
    try:
        stored = _of_24_bits(page, file) if page.bitspersample == 24 else page.asarray()
    except (ValueError, NotImplementedError, RuntimeError):
        # Odd strips and old compressions that libtiff puts up with.
        stored = _libtiff(file, number)
    if page.planarconfig == 2 and page.samplesperpixel > 1:
        stored = np.moveaxis(stored, 0, -1)
    stored = stored.reshape(page.imagelength, page.imagewidth, page.samplesperpixel)
    if stored.dtype == np.bool_:
        return stored.view(np.uint8)
    if stored.dtype.kind == "i":
        stored = stored.view(stored.dtype.str.replace("i", "u"))
    return stored if stored.dtype.isnative else stored.astype(stored.dtype.newbyteorder("="))


def _of_24_bits(page: TiffPage, file: BinaryIO) -> NDArray[Any]:
    """Samples of three bytes in the file's own order, which tifffile takes for the other (section 2)."""
    parts = []
    for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        file.seek(start)
        parts.append(file.read(length))
    triples = np.frombuffer(b"".join(parts), np.uint8).reshape(-1, 3).astype(np.uint32)
    low, high = (0, 2) if page.parent.byteorder == "<" else (2, 0)
    values: NDArray[Any] = triples[:, high] << 16 | triples[:, 1] << 8 | triples[:, low]
    shape = (page.imagelength, page.imagewidth)
    if page.planarconfig == 2:
        return values.reshape(page.samplesperpixel, *shape)
    return values.reshape(*shape, page.samplesperpixel)


def _libtiff(file: BinaryIO, number: int | None, *, shown: bool = False) -> NDArray[Any]:
    import imagecodecs  # noqa: PLC0415 - a library of its own, only for the rarer kinds

    file.seek(0)
    if number is None:
        raise ValueError("libtiff finds no page in a SubIFD")
    return np.asarray(imagecodecs.tiff_decode(file.read(), index=number, asrgb=shown))


def _shown(file: BinaryIO, number: int | None, layout: Layout) -> Planes:
    """The picture as libtiff shows it, 8 bits."""
    pixels = _libtiff(file, number, shown=True)[..., :3]
    if layout.mode == "gray":
        pixels = pixels[..., :1]
    return Planes(np.ascontiguousarray(pixels), None, "gray" if layout.mode == "gray" else "rgb")


def _scaled(stored: NDArray[Any], bits: int) -> Pixels:
    """Unsigned samples of `bits` as 8 or 16 bits, white as the highest value."""
    if bits in {8, 16}:
        plain: Pixels = stored
        return plain
    if bits < 8:
        top = (1 << bits) - 1
        table = ((np.arange(256) * 255 + top // 2) // top).clip(0, 255).astype(np.uint8)
        return np.asarray(table[stored], np.uint8)
    if bits < 16:
        return np.asarray(full_range(stored.astype(np.uint16), bits), np.uint16)
    return np.asarray(stored >> (bits - 16), np.uint16)


def _looked_up(page: TiffPage, index: NDArray[Any], bits: int) -> Pixels:
    """The colours of a palette's entries; 8 bits of them where no more can be meant."""
    colours = np.asarray(page.colormap).reshape(3, -1).T
    table = colours if bits == 16 else colours >> 8 if colours.max(initial=0) > 255 else colours
    return np.ascontiguousarray(table.astype(np.uint16 if bits == 16 else np.uint8)[index])


def _log_light(stored: NDArray[Any]) -> NDArray[Any]:
    """Light of libtiff's LogLuv: CIE XYZ in floats, or 16-bit logarithms of luminance."""
    if stored.dtype.kind == "f":
        return np.asarray(stored @ _TO_SRGB.T)
    exponent = (stored.view(np.uint16) & 0x7FFF).astype(np.float32)
    return np.asarray(np.where(stored <= 0, 0, np.exp2((exponent + 0.5) / 256 - 64)))[..., None]


def _of_light(light: NDArray[Any], alpha: NDArray[Any] | None, layout: Layout) -> Planes:
    """Floats, white at 1, as 16 bits; straight, where their alpha is associated."""
    clear = None if alpha is None else _in_16_bits(alpha)
    pixels = np.empty(light.shape, np.uint16)
    for top in range(0, light.shape[0], _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        part = light[rows]
        if alpha is not None and layout.associated:
            part = part / np.maximum(np.nan_to_num(alpha[rows]), 1e-6)[..., None]
        pixels[rows] = _in_16_bits(part)
    return Planes(pixels, clear, layout.mode)


def _in_16_bits(light: NDArray[Any]) -> NDArray[np.uint16]:
    known = np.nan_to_num(light.astype(np.float32), nan=0, posinf=1, neginf=0)
    return np.rint(np.clip(known, 0, 1) * 65535).astype(np.uint16)


def _unassociate(pixels: Pixels, alpha: Pixels) -> None:
    """Divide associated colours by their alpha, in place, by rows."""
    top = int(np.iinfo(pixels.dtype).max)
    for row in range(pixels.shape[0]):
        share = alpha[row].astype(np.uint64)[:, None]
        colour = pixels[row].astype(np.uint64) * top + share // 2
        pixels[row] = np.minimum(colour // np.maximum(share, 1), top).astype(pixels.dtype)
