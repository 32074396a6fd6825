"""Small files of each format that say they are huge; `python bombs.py FOLDER` writes them all."""

from __future__ import annotations

import struct
import sys
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image


def chunk(name: bytes, data: bytes) -> bytes:
    """A PNG's chunk."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, depth: int = 8) -> bytes:
    """A PNG of almost nothing but a header."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


def picture(form: str, **options: object) -> bytes:
    """A small picture of Pillow's."""
    stored = BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(stored, form, **options)
    return stored.getvalue()


def resized(data: bytes, mark: bytes, skip: int, numbers: bytes) -> bytes:
    """`data` with `numbers` written `skip` bytes behind the first `mark`."""
    place = data.index(mark) + skip
    return data[:place] + numbers + data[place + len(numbers) :]


def tiff(width: int, height: int, samples: int, compression: int, strip: bytes) -> bytes:
    """A TIFF of one strip."""
    rows = [
        *((256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, compression)),
        *((262, 3, 1, 2 if samples > 2 else 1), (273, 4, 1, 8), (277, 3, 1, samples)),
        *((278, 4, 1, height), (279, 4, 1, len(strip))),
    ]
    body = b"".join(
        struct.pack("<HHI", tag, kind, count) + struct.pack("<I", value) for tag, kind, count, value in rows
    )
    place = 8 + len(strip) + len(strip) % 2
    directory = struct.pack("<H", len(rows)) + body + bytes(4)
    return b"II*\0" + struct.pack("<I", place) + strip + bytes(len(strip) % 2) + directory


def vp8l(width: int, height: int) -> bytes:
    """A lossless WebP of one colour, of any size, in some bytes (RFC 9649, section 3)."""
    stored = BytesIO()
    Image.new("RGBA", (64, 64), (9, 9, 9, 255)).save(stored, "WEBP", lossless=True)
    data = stored.getvalue()
    bits = int.from_bytes(data[21:25], "little") >> 28 << 28 | (height - 1) << 14 | (width - 1)
    return data[:21] + bits.to_bytes(4, "little") + data[25:]


def crowded_xmp(count: int) -> bytes:
    """A JPEG whose extended XMP is of so many empty elements."""
    from mattebox.core.photo.xmp import extension_segments, guid_of

    rdf = b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    rest = b"<rdf:RDF %s><rdf:Description>%s</rdf:Description></rdf:RDF>" % (rdf, b"<a/>" * count)
    main = (
        b'<rdf:RDF %s><rdf:Description xmlns:xmpNote="http://ns.adobe.com/xmp/note/" '
        b'xmpNote:HasExtendedXMP="%s"/></rdf:RDF>' % (rdf, guid_of(rest).encode())
    )
    parts = [b"http://ns.adobe.com/xap/1.0/\0" + main, *extension_segments(rest, 65_533)]
    segments = b"".join(b"\xff\xe1" + (len(part) + 2).to_bytes(2) + part for part in parts)
    whole = picture("JPEG")
    return whole[:2] + segments + whole[2:]


def texts(size: int) -> bytes:
    """A PNG whose texts and profile inflate to so many bytes each."""
    packed = zlib.compress(bytes(size))
    told = chunk(b"iCCP", b"a\0\0" + packed) + chunk(b"zTXt", b"Raw profile type exif\0\0" + packed)
    told += chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + packed)
    whole = png(64, 64)
    return whole[:33] + told + whole[33:]


def boxed(form: str) -> bytes:
    """An AVIF or HEIC whose size property says 60,000 x 60,000."""
    if form == "HEIF":
        import pillow_heif

        stored = BytesIO()
        pillow_heif.from_pillow(Image.new("RGB", (64, 64))).save(stored)
        data = stored.getvalue()
    else:
        data = picture(form)
    return resized(data, b"ispe", 8, struct.pack(">II", 60_000, 60_000))


def bombs() -> dict[str, bytes]:
    """Every one by its name. Those that begin with "read-" have a modest header and a huge inside."""
    jpeg, side = picture("JPEG"), 60_000
    huge_jpeg = resized(jpeg, b"\xff\xc0", 5, struct.pack(">HH", side, side))
    return {
        "a.png": png(side, side),
        "deep.png": png(17_000, 17_000, 16),
        "texts.png": texts(300_000_000),
        "a.jpg": huge_jpeg,
        "xmp.jpg": crowded_xmp(300_000),
        "a.gif": resized(picture("GIF"), b"GIF87a", 6, struct.pack("<HH", 65_535, 65_535)),
        "a.bmp": resized(picture("BMP"), b"BM", 18, struct.pack("<ii", side, -side)),
        "canvas.webp": resized(
            picture("WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"), b"VP8X", 12, b"\xff\xff\0\xff\xff\0"
        ),
        "lossless.webp": vp8l(16_383, 16_383),
        "a.avif": boxed("AVIF"),
        "a.heic": boxed("HEIF"),
        "a.tif": tiff(side, side, 3, 1, bytes(16)),
        "samples.tif": tiff(1000, 1000, 65_535, 1, bytes(16)),
        "read-inside.tif": tiff(64, 64, 3, 7, huge_jpeg),
        "read-webp.tif": tiff(64, 64, 3, 50_001, vp8l(16_383, 16_383)),
        "a.jp2": resized(picture("JPEG2000"), b"\xff\x4f\xff\x51", 8, struct.pack(">II", side, side)),
        # 18181-1, annex D: not small, a height of 30 bits, as wide as high, all other things by default.
        "a.jxl": b"\xff\x0a"
        + (3 << 1 | (side - 1) << 3 | 1 << 33 | 1 << 36).to_bytes(6, "little")
        + bytes(60),
        "a.psd": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 30_000, 30_000, 8, 3) + bytes(40),
    }


def write(folder: Path) -> None:
    """Write them all."""
    for name, data in bombs().items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
