"""Networks made quicker on this computer: kept beside their originals, used only while both are sound.

The kind in a file's name says what it needs: `int8` runs anywhere, `int8-dot` only where 8-bit products
are summed without saturation.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from mattebox.models.errors import WeightsError
from mattebox.models.seal import read_seal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mattebox.models.catalogue import Network
    from mattebox.models.store import Store

KINDS: Final = ("int8-dot", "int8")
_NO_FILE: Final = -1


@dataclass(frozen=True, slots=True)
class Record:
    """What an optimised network is: of which original (sha256), how near to it, on how many pictures."""

    kind: str
    original: str
    size: int
    mtime_ns: int
    iou: float
    difference: float
    pictures: int


def optimised_path(store: Store, network: Network, kind: str) -> Path:
    """Where the optimised network of that kind lies, or would lie."""
    original = store.path(network)
    return original.with_name(f"{original.stem}.{kind}{original.suffix}")


def find_optimised(
    store: Store, network: Network, kinds: Sequence[str] = KINDS
) -> tuple[Path, Record] | None:
    """The first optimised network of these kinds that was made from the weights that are here now."""
    seal = read_seal(store.path(network))
    for kind in kinds:
        path = optimised_path(store, network, kind)
        record = _read(path)
        if record is None or seal is None or record.original != seal.sha256:
            continue
        with contextlib.suppress(OSError):
            status = path.stat()
            if (status.st_size, status.st_mtime_ns) == (record.size, record.mtime_ns):
                return path, record
    return None


def keep_optimised(
    store: Store, network: Network, staged: Path, kind: str, *, iou: float, difference: float, pictures: int
) -> Path:
    """Give a staged optimised network its final name, with its record. Raises WeightsError."""
    path = optimised_path(store, network, kind)
    original = store.verify(network)
    try:
        status = staged.stat()
        record = Record(kind, original, status.st_size, status.st_mtime_ns, iou, difference, pictures)
        note = staged.with_name(f"{staged.name}.json")
        note.write_text(json.dumps(asdict(record)) + "\n", encoding="utf-8")
        # The record first: a kill between the two leaves a record that fits no file.
        note.replace(_record_path(path))
        staged.replace(path)
    except OSError as error:
        raise WeightsError(f"{path}: it cannot be written ({error.strerror}).") from error
    return path


def decline_optimised(store: Store, network: Network, kind: str) -> None:
    """Note that the network stays as it is here, until somebody asks again. Raises WeightsError."""
    path = optimised_path(store, network, kind)
    seal = read_seal(store.path(network))
    if seal is None or path.exists():
        return
    record = Record(kind, seal.sha256, _NO_FILE, 0, 0.0, 0.0, 0)
    try:
        _record_path(path).write_text(json.dumps(asdict(record)) + "\n", encoding="utf-8")
    except OSError as error:
        raise WeightsError(f"{path}: it cannot be written ({error.strerror}).") from error


def was_tried(store: Store, network: Network, kinds: Sequence[str] = KINDS) -> bool:
    """Whether a form of these kinds of the weights that are here was made, or was declined for good."""
    seal = read_seal(store.path(network))
    records = (_read(optimised_path(store, network, kind)) for kind in kinds)
    return seal is not None and any(item is not None and item.original == seal.sha256 for item in records)


def remove_optimised(store: Store, network: Network) -> list[Path]:
    """Remove every optimised form of a network; its original stays, for good. Raises WeightsError."""
    removed = []
    for kind in KINDS:
        path = optimised_path(store, network, kind)
        try:
            for item in (_record_path(path), path):
                if item.exists():
                    item.unlink()
                    removed.append(item)
        except OSError as error:
            raise WeightsError(f"{path}: it cannot be removed ({error.strerror}).") from error
    if any(item.suffix != ".json" for item in removed):
        decline_optimised(store, network, KINDS[0])
    return [item for item in removed if item.suffix != ".json"]


def _record_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _read(path: Path) -> Record | None:
    try:
        return Record(**json.loads(_record_path(path).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
