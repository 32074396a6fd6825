"""Files of a set that is being learnt: what single photos have shown of it, and what was learnt from them.

NumPy archives (npz, compressed, never pickled) with a version of their own; their checksums are the zip's.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mattebox.core.errors import MatteboxError
from mattebox.core.segment.backdrop import even_backdrop
from mattebox.core.segment.learnt_set import SIDE, LearntSet, SeenSet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mattebox.core.segment.backdrop import Backdrop

VERSION: Final = 1
# Linear light in 16 bits.
_STEPS: Final = 65535
# More than any of our files unpacks to.
_MOST_BYTES: Final = 2 << 20
_NO_SET: Final = "The set that was learnt cannot be read, so the backdrop was told from this photo alone."


class SetFileError(MatteboxError):
    """A file that holds no set: damaged, or of another version."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: this file holds no set that was learnt; remove it, and it is learnt anew.")


def packed_seen(found: SeenSet) -> bytes:
    """The bytes of a file with what a photo has shown."""
    return _packed(levels=found.levels, seen=np.packbits(found.seen))


def read_seen(path: Path) -> SeenSet:
    """What `packed_seen` packed. Raises OSError, SetFileError."""
    data = _read(path, {"levels", "seen"})
    levels = data["levels"]
    if levels.dtype != np.uint8 or not _is_grid(levels):
        raise SetFileError(path)
    return SeenSet(levels, _unpacked(data["seen"], levels.shape, path))


def packed_set(found: LearntSet) -> bytes:
    """The bytes of a file with what was learnt."""

    def steps(light: Any) -> Any:
        return np.rint(np.clip(light, 0, 1) * _STEPS).astype(np.uint16)

    return _packed(
        cells=steps(found.cells),
        apart=steps(found.apart),
        known=np.packbits(found.known),
        photos=np.int32(found.photos),
    )


def learnt_backdrop(
    path: Path, view: NDArray[np.uint8], probability: NDArray[np.float32]
) -> tuple[Backdrop | None, str]:
    """The backdrop of a view (h, w, 3) by the set in a file; why there is none, or "" where it is another.

    A set of other proportions than the photo's is another one.
    """
    try:
        found = read_set(path)
    except (OSError, SetFileError):
        return None, _NO_SET
    return (even_backdrop(view, probability, found) if found.fits(view.shape) else None), ""


def read_set(path: Path) -> LearntSet:
    """What `packed_set` packed; the last one is kept in memory. Raises OSError, SetFileError."""
    facts = path.stat()
    return _set(path, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=1)
def _set(path: Path, _changed: int, _size: int) -> LearntSet:
    data = _read(path, {"cells", "apart", "known", "photos"})
    cells, apart = data["cells"], data["apart"]
    if cells.dtype != np.uint16 or apart.dtype != np.uint16 or not _is_grid(cells):
        raise SetFileError(path)
    if apart.shape != cells.shape or data["photos"].shape != ():
        raise SetFileError(path)
    light, spread = (each.astype(np.float32) / _STEPS for each in (cells, apart))
    return LearntSet.of(light, spread, _unpacked(data["known"], cells.shape, path), int(data["photos"]))


def _packed(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, version=np.int32(VERSION), **arrays)
    return file.getvalue()


def _read(path: Path, names: set[str]) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > _MOST_BYTES:
                raise SetFileError(path)
        with np.load(path, allow_pickle=False) as archive:
            data = {name: archive[name] for name in archive.files}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError, NotImplementedError) as error:
        raise SetFileError(path) from error
    if not names <= data.keys() or data.get("version") != VERSION:
        raise SetFileError(path)
    return data


def _is_grid(cells: Any) -> bool:
    return bool(cells.ndim == 3 and cells.shape[2] == 3 and max(cells.shape[:2]) == SIDE)


def _unpacked(bits: Any, shape: tuple[int, ...], path: Path) -> Any:
    count = shape[0] * shape[1]
    if bits.dtype != np.uint8 or bits.size != -(-count // 8):
        raise SetFileError(path)
    return np.unpackbits(bits, count=count).reshape(shape[:2]).astype(bool)
