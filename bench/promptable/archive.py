"""Where each tensor lies in a checkpoint of PyTorch's, read without executing anything of it.

A checkpoint is a zip archive: `NAME/data.pkl`, a pickle of names, shapes and storages, and one stored
(uncompressed) member `NAME/data/KEY` for each storage. The pickle is walked opcode by opcode with the
standard library's disassembler; nothing is unpickled. Only the form that a state_dict has is understood.
"""

from __future__ import annotations

import pickletools
import struct
import zipfile
from dataclasses import dataclass
from math import prod
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# The globals that a state_dict names, and what is kept in their place.
_DICT: Final = ("collections", "OrderedDict")
_TENSOR: Final = ("torch._utils", "_rebuild_tensor_v2")
_ITEM_SIZES: Final = {("torch", "FloatStorage"): 4, ("torch", "LongStorage"): 8}
_GLOBALS: Final = {_DICT, _TENSOR, *_ITEM_SIZES}
_MOST_PICKLE: Final = 1 << 20
_MOST_MEMBERS: Final = 4096
_LOCAL_HEADER: Final = struct.Struct("<4s5H3L2H")
_ZIP_LOCAL: Final = b"PK\x03\x04"
_ENCRYPTED: Final = 1


class ArchiveError(ValueError):
    """The file is no checkpoint of the one form that is understood."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A block of numbers in the archive: its member's key, bytes of each number, how many."""

    key: str
    item_size: int
    count: int


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the archive: its shape, and where its bytes begin in the file and how many they are."""

    shape: tuple[int, ...]
    offset: int
    length: int
    item_size: int


@dataclass(frozen=True, slots=True)
class _Placed:
    storage: Storage
    first: int
    shape: tuple[int, ...]


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name. Raises ArchiveError."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            (pickle,) = (item for item in members if item.filename.endswith("/data.pkl"))
            _check(path.name, len(members), pickle.file_size)
            stored = {item.filename: _place(file, item) for item in members}
            begin, size = stored[pickle.filename]
            file.seek(begin)
            placed = _walk(file.read(size))
            root = pickle.filename.removesuffix("data.pkl")
            return {name: _tensor(tensor, stored, root) for name, tensor in placed.items()}
    except ArchiveError:
        raise
    except (OSError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile, struct.error) as error:
        raise ArchiveError(f"{path.name} is no checkpoint that can be read ({error})") from error


def _check(name: str, members: int, pickled: int) -> None:
    if members > _MOST_MEMBERS:
        raise ArchiveError(f"{name} has {members} members, more than a checkpoint has")
    if pickled > _MOST_PICKLE:
        raise ArchiveError(f"{name} has a pickle of {pickled} bytes, more than a checkpoint has")


def _place(file: IO[bytes], member: zipfile.ZipInfo) -> tuple[int, int]:
    """Where a stored member's bytes begin, and how many they are."""
    if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
        raise ArchiveError(f"{member.filename} is compressed")
    if member.flag_bits & _ENCRYPTED:
        raise ArchiveError(f"{member.filename} is encrypted")
    file.seek(member.header_offset)
    header = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    if header[0] != _ZIP_LOCAL:
        raise ArchiveError(f"{member.filename} has no header")
    return member.header_offset + _LOCAL_HEADER.size + header[-2] + header[-1], member.file_size


def _tensor(placed: _Placed, stored: dict[str, tuple[int, int]], root: str) -> Tensor:
    storage = placed.storage
    begin, size = stored[f"{root}data/{storage.key}"]
    if size != storage.count * storage.item_size:
        raise ArchiveError(f"storage {storage.key} has {size} bytes, not {storage.count * storage.item_size}")
    if placed.first < 0 or placed.first + prod(placed.shape) > storage.count:
        raise ArchiveError(f"a tensor leaves its storage {storage.key}")
    length = prod(placed.shape) * storage.item_size
    return Tensor(placed.shape, begin + placed.first * storage.item_size, length, storage.item_size)


class _Mark:
    """Where a tuple or a run of items begins on the stack."""


def _walk(pickle: bytes) -> dict[str, _Placed]:  # noqa: C901, PLR0912 - one case an opcode
    """What a state_dict's pickle says; calls nothing, whatever it asks for."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for opcode, argument, _ in pickletools.genops(pickle):
        match opcode.name:
            case "PROTO" | "FRAME":
                pass
            case "MARK":
                stack.append(_Mark)
            case "BINUNICODE" | "SHORT_BINUNICODE" | "BININT" | "BININT1" | "BININT2":
                stack.append(argument)
            case "NEWFALSE" | "NEWTRUE":
                stack.append(opcode.name == "NEWTRUE")
            case "EMPTY_TUPLE":
                stack.append(())
            case "EMPTY_DICT":
                stack.append({})
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(opcode.name[-1])
                stack[-count:] = [tuple(stack[-count:])]
            case "TUPLE":
                stack.append(tuple(_since_mark(stack)))
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                name = tuple(argument.split(" ", 1))
                if name not in _GLOBALS:
                    raise ArchiveError(f"its pickle names {'.'.join(name)}, which no checkpoint needs")
                stack.append(name)
            case "BINPERSID":
                stack.append(_storage(stack.pop()))
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(_stand_in(function, arguments))
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                stack[-1][key] = value
            case "SETITEMS":
                items = _since_mark(stack)
                stack[-1].update(_pairs(items))
            case "BUILD":
                stack.pop()  # the attributes of an OrderedDict: versions of layers
            case "STOP":
                return _named(stack.pop())
            case other:
                raise ArchiveError(f"its pickle uses {other}, which no checkpoint needs")
    raise ArchiveError("its pickle has no end")


def _since_mark(stack: list[Any]) -> list[Any]:
    at = len(stack) - 1 - stack[::-1].index(_Mark)
    items = stack[at + 1 :]
    del stack[at:]
    return items


def _pairs(items: list[Any]) -> Iterable[tuple[Any, Any]]:
    return zip(items[::2], items[1::2], strict=True)


def _storage(told: Any) -> Storage:
    kind, storage, key, _, count = told
    if kind != "storage" or storage not in _ITEM_SIZES or not isinstance(key, str):
        raise ArchiveError("its pickle refers to something that is no storage")
    return Storage(key, _ITEM_SIZES[storage], int(count))


def _stand_in(function: Any, arguments: Any) -> Any:
    if function == _DICT and arguments == ():
        return {}
    if function != _TENSOR:
        raise ArchiveError("its pickle calls what is no tensor")
    storage, first, shape, strides, *_ = arguments
    if not isinstance(storage, Storage) or tuple(strides) != _contiguous(shape):
        raise ArchiveError("its pickle holds a tensor that is not contiguous")
    return _Placed(storage, int(first), tuple(int(length) for length in shape))


def _contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def _named(found: Any) -> dict[str, _Placed]:
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(tensor, _Placed) for name, tensor in found.items()
    ):
        raise ArchiveError("its pickle is no dictionary of tensors")
    return found
