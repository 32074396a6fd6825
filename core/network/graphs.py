"""Graphs that onnxruntime has optimised for this processor, kept beside the weights.

Each is a folder with the graph and, beside it, its weights, which onnxruntime maps into memory and
shares between processes instead of reading and copying them. A folder belongs to one state of the
original, one kind of processor and one version of onnxruntime; all three are in its name, so that
one cache may be shared by many machines.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from typing import TYPE_CHECKING, Any, Final

import onnxruntime as ort

from mattebox.core.network.device import cpu_identity

if TYPE_CHECKING:
    from pathlib import Path

GRAPH: Final = "graph.onnx"
_WEIGHTS: Final = "weights.bin"
_FOLDER: Final = "graphs"
_STALE: Final = 600.0  # seconds after which a half-written graph is taken for one of a killed process


def graph_folder(weights: Path) -> Path | None:
    """Where the optimised graph of `weights` lies or would lie; None where the weights are missing."""
    try:
        status = weights.stat()
    except OSError:
        return None
    state = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:8]
    return weights.parent / _FOLDER / f"{weights.stem}.{cpu_identity()}.{ort.__version__}.{state}"


def staged_graph(folder: Path) -> Path | None:
    """A new temporary folder beside `folder`, or None where nothing can be written there."""
    staged = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    try:
        folder.parent.mkdir(exist_ok=True)
        for stale in folder.parent.glob("*.part"):
            if time.time() - stale.stat().st_mtime > _STALE:
                drop_graph(stale)
        staged.mkdir()
    except OSError:
        return None
    return staged


def write_graph_to(options: Any, staged: Path) -> None:
    """Make a session of these options write its optimised graph into `staged`."""
    options.optimized_model_filepath = os.fspath(staged / GRAPH)
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", _WEIGHTS)
    options.add_session_config_entry(
        "session.optimized_model_external_initializers_min_size_in_bytes", "1024"
    )


def keep_graph(staged: Path, folder: Path) -> None:
    """Give a written graph its name, and remove this processor's graphs of other versions."""
    stem, processor = folder.name.split(f".{cpu_identity()}.")[0], cpu_identity()
    try:
        for file in staged.iterdir():
            # Weights that a power cut left empty would still load: they are on disk before they count.
            with file.open("rb") as written:
                os.fsync(written.fileno())
        staged.rename(folder)
    except OSError:
        drop_graph(staged)  # another process was first, or the disk is full
        return
    for other in folder.parent.glob(f"{stem}.{processor}.*"):
        if other != folder and not other.name.endswith(".part"):
            drop_graph(other)


def drop_graph(graph: Path) -> None:
    """Remove a graph, of whatever version; processes that use it keep what they have mapped."""
    shutil.rmtree(graph, ignore_errors=True)
    with contextlib.suppress(OSError):
        graph.unlink(missing_ok=True)
