"""How many workers, and how many threads each: from the cores and the memory that is free."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

# A generous bound, not a measurement: bench/memory.py sees a worker with a photo of 24 megapixels below it.
_WORKER_BYTES: Final = 1_500_000_000
# Weights are read once a worker; activations and buffers take about this many times their size.
_WEIGHTS_FACTOR: Final = 3
# A network gains little beyond four threads, and more workers overlap decoding with inference.
_MOST_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class Sizing:
    """The number of workers, the threads of each, and why."""

    workers: int
    threads: int
    why: str


def choose(wanted: int | None, weights_bytes: int, cores: int, free_bytes: int | None) -> Sizing:
    """Workers and threads for these cores, this free memory (None: unknown) and these weights."""
    each = _WORKER_BYTES + _WEIGHTS_FACTOR * weights_bytes
    fit = max(1, int(free_bytes * 0.8) // each) if free_bytes is not None else cores
    # With two workers on one core each, one decodes and writes while the other computes.
    good = max(1, min(cores, -(-cores // _MOST_THREADS) + 1))
    workers = wanted or min(good, fit)
    threads = max(1, cores // workers)
    memory = "unknown free memory" if free_bytes is None else f"{free_bytes / 1e9:.1f} GB free"
    return Sizing(workers, threads, f"{cores} cores, {memory}, about {each / 1e9:.1f} GB a worker")


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
