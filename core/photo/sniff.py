"""Which format a file is, by its first bytes; only regular files are opened."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, BinaryIO, Final

from mattebox.core.errors import LimitError, PhotoError, TruncatedPhotoError, reason_of
from mattebox.core.settings.endings import RAW_ENDINGS

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.settings import ReadLimits

HEAD_BYTES: Final = 64
READABLE: Final = "JPEG, PNG, TIFF, WebP, AVIF, JPEG XL, JPEG 2000, BMP, GIF, PSD, PSB, HEIC and camera RAW"

_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"8BPS", "psd"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\xff\x0a", "jxl"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
    (b"FUJIFILMCCD-RAW", "raw"),
    (b"IIRO", "raw"),
    (b"IIRS", "raw"),
    (b"MMOR", "raw"),
    (b"IIU\x00", "raw"),
    (b"FOVb", "raw"),
    (b"\x00MRM", "raw"),
    (b"BM", "bmp"),
)
_MAGIC_BYTES: Final = 8
# With so many bytes a RIFF file and an ISO base media file have said which kind they are.
_BRAND_BYTES: Final = 12
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIF_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}
)


def open_regular(path: Path, limits: ReadLimits) -> BinaryIO:
    """Open a regular file of at most `limits.megabytes` for reading.

    Never blocks on a pipe. Raises PhotoError, TruncatedPhotoError (empty), LimitError.
    """
    try:
        file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115 - Path has no opener; the caller closes
    except FileNotFoundError:
        raise PhotoError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise PhotoError(f"{path}: this is a folder, not a photo.") from None
    except (OSError, ValueError) as error:
        raise PhotoError(f"{path}: the file cannot be opened ({reason_of(error)}).") from error
    try:
        _check(path, os.fstat(file.fileno()), limits)
    except BaseException:
        file.close()
        raise
    return file


def _open_at_once(path: str, flags: int) -> int:
    # O_NONBLOCK: opening a FIFO returns at once instead of waiting for a writer.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check(path: Path, facts: os.stat_result, limits: ReadLimits) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise PhotoError(f"{path}: this is not a regular file, and only those are read.")
    if facts.st_size == 0:
        raise TruncatedPhotoError(f"{path}: the file is empty; perhaps it is still being copied.")
    if facts.st_size > limits.megabytes * 1e6:
        raise LimitError(
            f"{path}: the file has {facts.st_size / 1e6:,.1f} MB and the limit is "
            f"{limits.megabytes:,.1f} MB; raise it with the setting cut.limits.megabytes."
        )


def sniff(file: BinaryIO, path: Path) -> str:
    """The format of an open file, as the readers' modules are called.

    One of jpeg, png, tiff, webp, avif, jxl, jp2, bmp, gif, psd, heif and raw. Raises PhotoError where it is
    none of them, TruncatedPhotoError where it may become one: its first bytes are zeros, or too few.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    # Cameras write these as TIFF files, so only the name tells that the pixels are a sensor's.
    named_raw = path.suffix[1:].lower() in RAW_ENDINGS
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return "raw" if name == "tiff" and named_raw else name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        kind = _of_brands(head)
        if kind:
            return kind
    if named_raw:
        return "raw"
    if not any(head[:_MAGIC_BYTES]) or _begins(head):
        raise TruncatedPhotoError(f"{path}: the file has only begun; perhaps it is still being copied.")
    raise PhotoError(f"{path}: this is no photo that can be read ({READABLE} can).")


def _begins(head: bytes) -> bool:
    """Whether the whole file so far is less than what tells a format, and fits one."""
    if len(head) >= _BRAND_BYTES:
        return False
    return (
        any(magic.startswith(head) for magic, _ in _MAGIC)
        or b"RIFF".startswith(head[:4])
        or (head.startswith(b"\0\0\0") and b"ftyp".startswith(head[4:8]))
    )


def _of_brands(head: bytes) -> str | None:
    """The format of an ISO base media file (ISO/IEC 14496-12 section 4.3)."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12]} | {head[place : place + 4] for place in range(16, end, 4)}
    if head[8:12] == b"crx ":
        return "raw"
    if brands & _AVIF_BRANDS:
        return "avif"
    if brands & _HEIF_BRANDS:
        return "heif"
    return None
