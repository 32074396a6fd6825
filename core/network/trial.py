"""A trial of every device with one network: does it run, does it agree with the CPU, how quick is it."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime as ort

from mattebox.core.network.device import AUTOMATIC, DEVICES, INSTALL, PROVIDERS
from mattebox.core.network.pictures import synthetic_scenes
from mattebox.core.network.segmenter import Segmenter

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.models.catalogue import Network

_RUNS: Final = 3
# Accelerators may compute in half precision; a wrong driver is off by far more than this mean difference.
_MOST_DIFFERENCE: Final = 0.02


def try_devices(network: Network, weights: Path | None) -> list[dict[str, Any]]:
    """One finding a device: device, offered, works, used (what `auto` takes), reason, milliseconds.

    Without weights nothing can run: only what onnxruntime offers is told.
    """
    offered = set(ort.get_available_providers())
    found = [_try(name, offered, network, weights) for name in DEVICES if name != "auto"]
    working = {item["device"] for item in found if item["works"]}
    used = next((name for name in AUTOMATIC if name in working), None)
    return [{**item, "used": item["device"] == used} for item in found]


def try_optimised(network: Network, optimised: Path) -> float:
    """Milliseconds that a picture takes the optimised form of a network on the CPU: as `try_devices` times.

    Raises InferenceError where it cannot be loaded.
    """
    segmenter = Segmenter(network, optimised, device="cpu")
    (picture,) = synthetic_scenes(1)
    segmenter.probability(picture)
    return _milliseconds(segmenter, picture)


def _try(name: str, offered: set[str], network: Network, weights: Path | None) -> dict[str, Any]:
    is_offered = PROVIDERS.get(name) in offered
    finding: dict[str, Any] = {
        "device": name,
        "offered": is_offered,
        "works": False,
        "reason": None,
        "milliseconds": None,
    }
    if not is_offered and name != "openvino":
        return {**finding, "reason": f"not in this onnxruntime ({INSTALL[name]})"}
    if weights is None:
        return {**finding, "works": name == "cpu", "reason": "not tried: the network's weights are not here"}
    segmenter = Segmenter(network, weights, device=name)
    if segmenter.device != name:
        return {**finding, "reason": segmenter.note}
    (picture,) = synthetic_scenes(1)
    answer = segmenter.probability(picture)
    if name != "cpu":
        expected = Segmenter(network, weights, device="cpu").probability(picture)
        difference = float(np.abs(answer - expected).mean())
        if difference > _MOST_DIFFERENCE:
            return {**finding, "reason": f"its answers differ from the CPU's by {difference:.3f} on average"}
    return {**finding, "works": True, "milliseconds": _milliseconds(segmenter, picture)}


def _milliseconds(segmenter: Segmenter, picture: Any) -> float:
    taken = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        segmenter.probability(picture)
        taken.append(time.perf_counter() - start)
    return round(1000 * statistics.median(taken), 1)
