"""What Pillow does not open: JPEGs of damaged metadata or odd depth, BMPs of odd bit fields."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, Final

from PIL import UnidentifiedImageError

from mattebox.core.errors import PhotoError, TruncatedPhotoError
from mattebox.core.photo import bmp_fields
from mattebox.core.photo.inside import jpeg_frame
from mattebox.core.photo.jpeg_segments import FIRST, SCAN, segments
from mattebox.core.photo.limits import check_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mattebox.core.photo.model import OpenPhoto
    from mattebox.core.settings import ReadLimits

    Opener = Callable[[BinaryIO, Path, str, ReadLimits], AbstractContextManager[OpenPhoto]]

_NOTE: Final = "The photo's metadata are damaged; they were left out."
_APP0, _APP14, _APP15, _COMMENT = 0xE0, 0xEE, 0xEF, 0xFE
_FRAME_HEAD: Final = 1 << 22


@contextmanager
def other_way(
    file: BinaryIO, path: Path, kind: str, limits: ReadLimits, *, error: Exception, opened: Opener
) -> Iterator[OpenPhoto]:
    """A file that Pillow refused with `error`, opened without what it stumbles over.

    opened: the way through Pillow, which a stripped file takes once more.
    Raises TruncatedPhotoError, PhotoError, LimitError; what is no case for it is damaged.
    """
    if kind == "bmp":
        with bmp_fields.opened(file, path, limits) as photo:
            yield photo
        return
    file.seek(0)
    frame = jpeg_frame(file.read(_FRAME_HEAD)) if kind == "jpeg" else None
    if frame is None or isinstance(file, BytesIO):
        if isinstance(error, UnidentifiedImageError):
            raise TruncatedPhotoError(
                f"{path}: the file begins as {kind.upper()} but its header cannot be read; "
                f"it is damaged or still being copied."
            ) from error
        raise error
    width, height, bits, _ = frame
    check_limits(path, limits, width, height)
    if bits != 8:
        raise PhotoError(f"{path}: a JPEG of {bits} bits a channel is not read; save it as TIFF or PNG.")
    file.seek(0)
    with opened(BytesIO(_bare(file.read())), path, kind, limits) as photo:
        yield replace(photo, header=replace(photo.header, notes=(*photo.header.notes, _NOTE)))


def _bare(data: bytes) -> bytes:
    """A JPEG without comments and application segments, but for Adobe's, which tells its colours."""
    parts, place = [data[:FIRST]], FIRST
    for segment in segments(BytesIO(data)):
        if segment.marker == SCAN:
            place = segment.start
            break
        told = _APP0 <= segment.marker <= _APP15 and segment.marker != _APP14
        if not told and segment.marker != _COMMENT:
            parts.append(data[segment.start : segment.end])
        place = segment.end
    return b"".join((*parts, data[place:]))
