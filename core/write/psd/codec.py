"""Planes into bytes: PackBits by psd-tools' compiled codec, or deflate with prediction.

16-bit files are packed as Photoshop packs them, whatever is asked for: layers deflated with prediction,
the merged picture plain. Other readers know no other 16-bit files.

Source: Adobe Photoshop File Formats Specification, "Channel image data" and "Image Data Section".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

import numpy as np
from isal import isal_zlib
from psd_tools.compression import encode_rle
from psd_tools.constants import Compression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mattebox.core.write.psd.planes import Plane

CompressionName = Literal["rle", "zip"]
_ZIP_LEVEL: Final = 2


def write_channel(file: BinaryIO, plane: Plane, compression: CompressionName, *, big: bool) -> int:
    """Write one layer channel: a compression word and its data. Returns how many bytes that took."""
    start = file.tell()
    if compression == "zip" or plane.dtype.itemsize == 2:
        file.write(Compression.ZIP_WITH_PREDICTION.value.to_bytes(2, "big"))
        _write_deflated(file, plane)
    else:
        file.write(Compression.RLE.value.to_bytes(2, "big"))
        _write_packed(file, [plane], big=big)
    return file.tell() - start


def write_merged(file: BinaryIO, planes: Sequence[Plane], *, big: bool) -> None:
    """Write the image data section: PackBits, or plain samples in 16 bits."""
    if planes[0].dtype.itemsize == 2:
        file.write(Compression.RAW.value.to_bytes(2, "big"))
        for plane in planes:
            file.writelines(_stored(block) for block in plane.blocks())
        return
    file.write(Compression.RLE.value.to_bytes(2, "big"))
    _write_packed(file, planes, big=big)


def _write_packed(file: BinaryIO, planes: Sequence[Plane], *, big: bool) -> None:
    """All row lengths of all planes, then all rows; the lengths are known last and written back."""
    table = file.tell()
    dtype = np.dtype(">u4" if big else ">u2")
    lengths = np.zeros(sum(plane.height for plane in planes), dtype)
    file.write(lengths.tobytes())
    done = 0
    for plane in planes:
        for block in plane.blocks():
            rows, width = block.shape
            packed = encode_rle(_stored(block), width, rows, 8, 2)
            lengths[done : done + rows] = np.frombuffer(packed, ">u4", rows)
            file.write(memoryview(packed)[4 * rows :])
            done += rows
    end = file.tell()
    file.seek(table)
    file.write(lengths.tobytes())
    file.seek(end)


def _write_deflated(file: BinaryIO, plane: Plane) -> None:
    """Each sample as its difference from the one before it in the row, deflated."""
    deflate = isal_zlib.compressobj(_ZIP_LEVEL)
    for block in plane.blocks():
        differences = block.copy()
        differences[:, 1:] -= block[:, :-1]
        file.write(deflate.compress(_stored(differences)))
    file.write(deflate.flush())


def _stored(block: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(block, block.dtype.newbyteorder(">")).tobytes()
