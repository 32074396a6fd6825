"""How many workers, with how many threads and how much memory each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from mattebox.daemon.config.units import LEAST_MEMORY

# Measured by bench/workers.py (u2netp and u2net, 1, 24 and 50 megapixels, two threads): the highest PSS of
# a worker is 564 MB + 0.71 times the weights + 8 MB a megapixel, no measure above 1.05 times that. Here it
# is rounded up, for photos of 50 megapixels; larger ones take more for a while, up to the limit. Networks
# that look at more than these two's 320 x 320 take about 1 kB a pixel more (imgly-isnet: 1753 MB at 24).
_WORKER_BYTES: Final = 500_000_000
_INPUT_PIXEL_BYTES: Final = 1000
_MEGAPIXEL_BYTES: Final = 8_000_000
_MEGAPIXELS: Final = 50
_WEIGHTS_FACTOR: Final = 1
# The promptable network's weights and a run of its encoder.
_PROMPTABLE_BYTES: Final = 400_000_000
# Of the default network, where it is not known yet which ones are wanted.
USUAL_WEIGHTS: Final = 176_000_000
# So much of the free memory is planned with, and so much may one worker take in the end.
_PLANNED: Final = 0.8
_AT_MOST: Final = 0.9
# A network gains little beyond four threads, and more workers overlap decoding with inference.
_MOST_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class Sizing:
    """The number of workers, the threads of each, the most bytes of each (None: no limit), and why."""

    workers: int
    threads: int
    memory: int | None
    why: str


def choose_sizing(
    wanted: int | Literal["auto"],
    memory: int | Literal["auto", "none"],
    weights_bytes: int,
    cores: int,
    free_bytes: int | None,
    *,
    side: int = 320,
    judged: bool = False,
) -> Sizing:
    """Workers and threads for these cores, this free memory (None: unknown) and these weights.

    side: of the square that the network looks at, in pixels. judged: whether the promptable network, which
    judges and answers clicks, is loaded beside it.

    memory "auto": one worker alone may take nine tenths of what is free, so that no photo drives the
    machine into swapping, and a large photo still succeeds beside small ones; but never less than a
    worker needs for a photo of 50 megapixels.
    """
    each = (
        _WORKER_BYTES
        + _INPUT_PIXEL_BYTES * side**2
        + _MEGAPIXELS * _MEGAPIXEL_BYTES
        + _WEIGHTS_FACTOR * weights_bytes
        + (_PROMPTABLE_BYTES if judged else 0)
    )
    limit = memory if isinstance(memory, int) else None
    if limit is not None:
        each = min(each, limit)
    elif memory == "auto" and free_bytes is not None:
        limit = max(LEAST_MEMORY, 2 * each, int(free_bytes * _AT_MOST))
    fit = max(1, int(free_bytes * _PLANNED) // each) if free_bytes is not None else cores
    # With two workers on one core each, one decodes and writes while the other computes.
    good = max(1, min(cores, -(-cores // _MOST_THREADS) + 1))
    workers = min(good, fit) if wanted == "auto" else wanted
    threads = max(1, cores // workers)
    free = "unknown free memory" if free_bytes is None else f"{free_bytes / 1e9:.1f} GB free"
    most = "no limit" if limit is None else f"at most {limit / 1e9:.1f} GB"
    return Sizing(
        workers, threads, limit, f"{cores} cores, {free}, about {each / 1e9:.1f} GB a worker, {most}"
    )


def free_memory() -> int | None:
    """Bytes that could be used without swapping, within the control group's limit; None if unknown."""
    found = []
    try:
        memory = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) * 1024 for line in memory if line.startswith("MemAvailable:")]
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii").strip()
        if limit != "max":
            found.append(max(0, int(limit) - int(used)))
    except (OSError, ValueError):
        pass
    return min(found) if found else None
