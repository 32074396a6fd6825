"""Metadata blocks as a finished picture carries them, and the file every writer writes to."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from mattebox.core.errors import MatteboxError, WriteError, reason_of
from mattebox.core.photo.exif import sized, without_gps, xmp_without_gps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.core.composition import Composition


@dataclass(frozen=True, slots=True)
class Blocks:
    """What a picture's file holds beside its pixels; exif is bare, dpi horizontal and vertical."""

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None


def blocks_of(composition: Composition, *, gps: bool) -> Blocks:
    """The blocks of a finished picture: its new size in the EXIF, its place gone where `gps` is false."""
    photo = composition.photo
    exif, xmp = sized(photo.exif, *composition.size), photo.xmp
    if not gps:
        exif, xmp = without_gps(exif), xmp_without_gps(xmp)
    if composition.label is not None:
        from mattebox.core.photo.xmp_label import labelled  # noqa: PLC0415 - a reader of XML, only for labels

        xmp = labelled(xmp, composition.label) or xmp
    return Blocks(photo.icc, exif, xmp, photo.dpi)


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A new file at `path`; on any failure it is gone again. Raises WriteError."""
    try:
        with path.open("w+b") as file:
            yield file
    except MatteboxError:
        _remove(path)
        raise
    except OSError as error:
        _remove(path)
        raise WriteError(f"{path}: the output could not be written ({reason_of(error)}).") from error
    except BaseException:
        _remove(path)
        raise


def _remove(path: Path) -> None:
    # A folder that refuses to remove has refused to write before: that error is the one to tell.
    with suppress(OSError):
        path.unlink(missing_ok=True)
