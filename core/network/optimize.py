"""Make a network quicker on this computer, and keep that only if it answers like its original."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mattebox.core.errors import OptimizeError
from mattebox.core.network.device import usable_kinds
from mattebox.core.network.pictures import CHECK, Pictures, drawn, synthetic_pictures
from mattebox.core.network.quantize import LEAST_IOU, MOST_DIFFERENCE, Agreement, compare, quantize
from mattebox.core.network.segmenter import Segmenter
from mattebox.models.optimised import keep_optimised
from mattebox.models.ranges import find_ranges

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.models.catalogue import Network
    from mattebox.models.store import Store

_WARM: Final = 3


@dataclass(frozen=True, slots=True)
class Optimized:
    """A network that was made quicker: where it lies, how near and how much quicker it is."""

    path: Path
    agreement: Agreement
    speedup: float


def optimize(
    network: Network, store: Store, pictures: Pictures | None = None, tick: Callable[[], None] = lambda: None
) -> Optimized:
    """Quantise a network whose weights are here to 8 bits, check it against the original and keep it.

    pictures: what to calibrate and what to check on; drawn scenes where None. Without pictures to
    calibrate on, the ranges that were measured once are taken. `tick` is called once a picture.
    Raises OptimizeError where the result differs too much (nothing is kept then), WeightsError.
    """
    if network.kind != "salient":
        # MobileSAM with all convolutions in 8 bits gave masks at IoU .71 of its own, and saved no time.
        raise OptimizeError(
            f"The network {network.name} answers too differently in 8 bits; it stays as it is."
        )
    weights = store.path(network)
    store.verify(network)
    ranges = find_ranges(network)
    if pictures is None:
        pictures = synthetic_pictures() if ranges is None else drawn(0, CHECK)
    calibration = pictures.calibrate or ranges
    if not calibration:
        raise OptimizeError(f"The network {network.name} was measured by nobody; give photos of yours.")
    kind = usable_kinds()[0]
    with tempfile.TemporaryDirectory(dir=store.folder, prefix=f".{network.file}.optimize-") as scratch:
        staged = Path(scratch) / weights.name
        quantize(network, weights, calibration, staged, tick)
        original = Segmenter(network, weights, device="cpu")
        other = Segmenter(network, staged, device="cpu")
        agreement = compare(original, other, pictures.check, tick)
        if not agreement.is_good:
            raise OptimizeError(
                f"The network {network.name} in 8 bits differs too much from its original and was not kept "
                f"(IoU {agreement.iou:.3f}, at least {LEAST_IOU} is asked for; mean difference "
                f"{agreement.difference:.4f}, at most {MOST_DIFFERENCE})."
            )
        speedup = _speedup(original, other, pictures)
        path = keep_optimised(
            store,
            network,
            staged,
            kind,
            iou=agreement.iou,
            difference=agreement.difference,
            pictures=agreement.pictures,
        )
    return Optimized(path, agreement, speedup)


def _speedup(original: Segmenter, other: Segmenter, pictures: Pictures) -> float:
    """How many times quicker `other` is, by medians of alternating runs."""
    seconds: dict[Segmenter, list[float]] = {original: [], other: []}
    for _ in range(_WARM):
        for segmenter, taken in seconds.items():
            start = time.perf_counter()
            segmenter.probability(pictures.check[0])
            taken.append(time.perf_counter() - start)
    return statistics.median(seconds[original]) / statistics.median(seconds[other])
