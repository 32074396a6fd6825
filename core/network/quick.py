"""Quick without asking: the 8-bit form of a network is made once, in a process of its own, and checked.

What takes minutes elsewhere, seeing many photos to learn the ranges of activations, was done once
(models/measured). So making takes seconds, and whether it answers like the original and is quicker here is
measured on this computer before it is kept.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.errors import MatteboxError
from mattebox.models.catalogue import find_network
from mattebox.models.errors import WeightsError
from mattebox.models.optimised import KINDS, decline_optimised, remove_optimised, was_tried
from mattebox.models.ranges import find_ranges
from mattebox.models.store import Store

if TYPE_CHECKING:
    from mattebox.models.catalogue import Network

# Below it, what 8 bits bring is not worth that they are other numbers.
_LEAST_SPEEDUP: Final = 1.2
_PATIENCE: Final = 600.0
_ROOM: Final = 4  # times the weights, in bytes that must be free
PRECISION: Final = "MATTEBOX_PRECISION"


def wants_full(precision: str) -> bool:
    """Whether the original is to run: by the setting, or by MATTEBOX_PRECISION=full where that is auto."""
    return precision != "auto" or os.environ.get(PRECISION, "auto").lower() in ("full", "float32")


def make_quick(store: Store, network: Network, precision: str = "auto", device: str = "auto") -> None:
    """Make the 8-bit form of a network whose weights are here, where nobody tried that yet.

    Tells the store's progress before and after it. What goes wrong leaves the original in use: no error.
    A network that was measured by nobody, a folder that cannot be written, and a device other than the CPU
    are passed over.
    """
    if wants_full(precision) or find_ranges(network) is None or was_tried(store, network):
        return
    # Last, since it loads onnxruntime.
    if not _has_room(store, network) or not _is_for_cpu(device):
        return
    from filelock import FileLock  # noqa: PLC0415 - only where something is made

    try:
        with FileLock(store.folder / f".{network.file}.optimize.lock"):
            if was_tried(store, network):
                return
            store.progress.note(f"Making {network.name} quicker on this computer, once ...")
            told = _in_a_process(store, network)
            if not told:
                # Else every start would try again what ended without a word, such as for want of memory.
                decline_optimised(store, network, KINDS[0])
    except (OSError, WeightsError):
        return
    if told.get("kept"):
        store.progress.note(
            f"{network.name} is {told['speedup']:.1f} times quicker from now on, in 8-bit integers (IoU "
            f"{told['iou']:.3f} with the original on {told['pictures']} drawn scenes); precision: full "
            f"brings the original."
        )
    else:
        store.progress.note(f"{network.name} stays as it is: {told.get('why', 'it could not be done')}.")


def _in_a_process(store: Store, network: Network) -> dict[str, Any]:
    """What the process that makes it says; its memory is given back when it ends."""
    command = [sys.executable, "-P", "-m", __name__, network.name, os.fspath(store.folder)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False
        )
        told: dict[str, Any] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return {}
    return told


def _is_for_cpu(device: str) -> bool:
    if device == "auto":
        import onnxruntime as ort  # noqa: PLC0415 - loaded for the cut anyway

        from mattebox.core.network.device import AUTOMATIC, PROVIDERS  # noqa: PLC0415

        offered = set(ort.get_available_providers())
        return next(name for name in AUTOMATIC if PROVIDERS[name] in offered) == "cpu"
    return device == "cpu"


def _has_room(store: Store, network: Network) -> bool:
    try:
        free = os.statvfs(store.folder) if hasattr(os, "statvfs") else None
        writable = os.access(store.folder, os.W_OK)
        need = _ROOM * store.path(network).stat().st_size
    except OSError:
        return False
    return writable and (free is None or free.f_bavail * free.f_frsize > need)


def _make(network: Network, store: Store) -> dict[str, Any]:
    """Make it, keep it or decline it for good; what there is to tell."""
    from mattebox.core.network.device import usable_kinds  # noqa: PLC0415 - loads onnxruntime
    from mattebox.core.network.optimize import optimize  # noqa: PLC0415

    kind = usable_kinds()[0]
    try:
        made = optimize(network, store)
    except MatteboxError as error:
        decline_optimised(store, network, kind)
        return {"kept": False, "why": str(error).rstrip(".")}
    if made.speedup < _LEAST_SPEEDUP:
        remove_optimised(store, network)
        return {"kept": False, "why": f"8 bits are only {made.speedup:.2f} times as quick here"}
    agreement = made.agreement
    return {
        "kept": True,
        "speedup": made.speedup,
        "iou": agreement.iou,
        "pictures": agreement.pictures,
    }


if __name__ == "__main__":
    print(json.dumps(_make(find_network(sys.argv[1]), Store(Path(sys.argv[2])))))  # noqa: T201 - its answer
