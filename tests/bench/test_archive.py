"""Where tensors lie in a checkpoint is read without executing anything of it."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import pytest
from bench.promptable.archive import ArchiveError, read_tensors

if TYPE_CHECKING:
    from pathlib import Path

FLOATS = struct.pack("<6f", *range(6))


def state_dict(
    *, storage: str = "torch\nFloatStorage", count: int = 6, shape: tuple[int, int] = (2, 3), first: int = 0
) -> bytes:
    """The pickle of {'weight': a tensor (2, 3)}, as PyTorch writes it."""
    return (
        b"\x80\x02ccollections\nOrderedDict\n)R(X\x06\x00\x00\x00weight"
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage"
        + f"c{storage}\n".encode()
        + b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
        + b"J" + struct.pack("<i", count) + b"tQ"
        + b"J" + struct.pack("<i", first)
        + b"K" + bytes([shape[0]]) + b"K" + bytes([shape[1]]) + b"\x86"
        + b"K" + bytes([shape[1]]) + b"K\x01\x86"
        + b"\x89ccollections\nOrderedDict\n)RtRu."
    )  # fmt: skip


def checkpoint(path: Path, pickled: bytes, *, data: bytes = FLOATS, way: int = zipfile.ZIP_STORED) -> Path:
    """A checkpoint of one storage."""
    with zipfile.ZipFile(path, "w", way) as archive:
        archive.writestr("net/data.pkl", pickled)
        archive.writestr("net/data/0", data)
        archive.writestr("net/version", b"3\n")
    return path


def test_a_tensor_is_found_at_its_bytes(tmp_path: Path) -> None:
    """Shape, offset and length lead to the tensor's numbers in the file."""
    path = checkpoint(tmp_path / "net.pt", state_dict())
    tensor = read_tensors(path)["weight"]
    assert tensor.shape == (2, 3)
    assert path.read_bytes()[tensor.offset : tensor.offset + tensor.length] == FLOATS


class Trap:
    """An object whose unpickling would make a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (self.path, "w"))


def test_code_in_the_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    """A pickle that would make a file when it is loaded makes none, in whichever protocol."""
    trap = tmp_path / "trap"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        pickled = pickle.dumps(OrderedDict(weight=Trap(str(trap))), protocol)
        with pytest.raises(ArchiveError, match="its pickle"):
            read_tensors(checkpoint(tmp_path / f"{protocol}.pt", pickled))
    assert not trap.exists()


@pytest.mark.parametrize(
    ("pickled", "reason"),
    [
        (state_dict(storage="torch\nHalfStorage"), "names torch.HalfStorage"),
        (state_dict(count=5), "has 24 bytes, not 20"),
        (state_dict(shape=(3, 3)), "leaves its storage"),
        (state_dict(first=-1), "leaves its storage"),
        (b"\x80\x02}.", ""),
        (b"\x80\x02K\x01.", "no dictionary of tensors"),
        (b"", "no checkpoint"),
        (b"\x80\x02tttttt.", "no checkpoint"),
        (state_dict()[:-1], "no checkpoint"),
    ],
)
def test_other_layouts_are_refused(tmp_path: Path, pickled: bytes, reason: str) -> None:
    """What is no plain dictionary of tensors ends with an ArchiveError, or holds no tensor."""
    path = checkpoint(tmp_path / "net.pt", pickled)
    if not reason:
        assert read_tensors(path) == {}
        return
    with pytest.raises(ArchiveError, match=reason):
        read_tensors(path)


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    """Compressed members, a zip bomb's among them, are refused before any is unpacked."""
    path = checkpoint(tmp_path / "net.pt", state_dict(), data=bytes(1 << 24), way=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ArchiveError, match="is compressed"):
        read_tensors(path)


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    """Any other bytes end with an ArchiveError."""
    path = tmp_path / "net.pt"
    path.write_bytes(b"PK\x03\x04" * 100)
    with pytest.raises(ArchiveError, match="no checkpoint"):
        read_tensors(path)
