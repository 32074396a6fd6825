"""Graphs that onnxruntime has optimised for this processor, kept beside the weights.

Each belongs to one state of the weights, one kind of processor and one version of onnxruntime; all
three are in its name, so that a folder may be shared by many machines.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from typing import TYPE_CHECKING, Final

import onnxruntime as ort

from mattebox.core.device import cpu_identity

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER: Final = "graphs"
_STALE: Final = 600.0  # seconds after which a half-written graph is taken for one of a killed process


def graph_path(weights: Path) -> Path | None:
    """Where the optimised graph of `weights` lies or would lie; None where the weights are missing."""
    try:
        status = weights.stat()
    except OSError:
        return None
    state = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:8]
    return weights.parent / _FOLDER / f"{weights.stem}.{cpu_identity()}.{ort.__version__}.{state}.onnx"


def staged_graph(path: Path) -> Path | None:
    """A temporary name beside `path`, or None where nothing can be written there."""
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError:
        return None
    for stale in path.parent.glob("*.part"):
        with contextlib.suppress(OSError):
            if time.time() - stale.stat().st_mtime > _STALE:
                stale.unlink()
    return path.with_name(f"{path.name}.{os.getpid()}.part") if os.access(path.parent, os.W_OK) else None


def keep_graph(staged: Path, path: Path) -> None:
    """Give a written graph its name, and remove this processor's graphs of other versions."""
    with contextlib.suppress(OSError):
        staged.replace(path)
        stem, processor = path.name.split(f".{cpu_identity()}.")[0], cpu_identity()
        for other in path.parent.glob(f"{stem}.{processor}.*.onnx"):
            if other != path:
                other.unlink()
