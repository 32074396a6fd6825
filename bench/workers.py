"""How much memory one worker takes at most, by network and by the photo's size: what sizing is made from.

    python bench/workers.py --models u2netp u2net --megapixels 1 24 50

A worker is the daemon's own process; it looks into the photo and does the job (PSD and PNG), twice, as
it would in a hot folder. RSS is its highest resident memory (VmHWM); PSS counts what it shares with other
processes by its share; data is what a hard limit on its memory counts (VmData, RLIMIT_DATA). The last
lines fit `base + weights * FACTOR + megapixels * EACH` to the PSS by least squares.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from memory import photo_of
from rich.console import Console
from rich.table import Table

from mattebox.core.job import Job, StagedOutput
from mattebox.core.settings import CutSettings, ReadLimits, parse_output
from mattebox.daemon.intake.inspection import InspectionTask, inspect_file
from mattebox.daemon.work.tasks import JobTask, do_job
from mattebox.daemon.work.workers import Workers
from mattebox.models.catalogue import find_network
from mattebox.models.store import Store

SIDES = {1: (1200, 850), 24: (6000, 4000), 50: (8660, 5774)}
ROUNDS = 2
PAUSE = 0.01


class Sampler(threading.Thread):
    """Watches the highest memory of a process, in MB, until told to stop."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peaks = {"rss": 0.0, "pss": 0.0, "data": 0.0}
        self.going = True
        self.start()

    def run(self) -> None:
        """Look every so many milliseconds."""
        while self.going:
            lines = ""
            for name in ("status", "smaps_rollup"):
                lines += Path(f"/proc/{self.pid}/{name}").read_text(encoding="ascii")
            found = dict(line.split(":", 1) for line in lines.splitlines() if ":" in line)
            for name, key in (("rss", "VmHWM"), ("pss", "Pss"), ("data", "VmData")):
                self.peaks[name] = max(self.peaks[name], int(found[key].split()[0]) / 1000)
            time.sleep(PAUSE)

    def stop(self) -> dict[str, float]:
        """The highest of each."""
        self.going = False
        self.join()
        return self.peaks


def peaks(model: str, photo: Path, threads: int) -> dict[str, float]:
    """The highest memory of a fresh worker over a few jobs on one photo, in MB."""
    results: Any = SimpleQueue()
    pool = Workers(results, workers=1, threads=threads, device="cpu")
    try:
        pool.submit("pid", process_id, None, 120)
        sampler = Sampler(results.get(timeout=120).value)
        for number in range(ROUNDS):
            outputs = tuple(
                StagedOutput(parse_output({"format": form}), photo.with_name(f"{number}.{form}"))
                for form in ("psd", "png")
            )
            job = Job(photo, outputs, CutSettings(model=model, precision="full"))
            for function, argument in (
                (inspect_file, InspectionTask(photo, ReadLimits(), photo.with_name("begun"))),
                (do_job, JobTask(job, photo.with_name("begun"))),
            ):
                pool.submit(number, function, argument, 600)
                done = results.get(timeout=600)
                if done.failure is not None:
                    raise SystemExit(done.failure.what)
        return sampler.stop()
    finally:
        pool.stop()


def process_id(_: None) -> int:
    """The worker's own number."""
    import os

    return os.getpid()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=["u2netp", "u2net"])
    parser.add_argument("--megapixels", nargs="+", type=int, choices=[*SIDES], default=[*SIDES])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    store = Store()
    table = Table("network", "MP", "weights", "RSS", "PSS", "data", title="Peak memory of one worker, MB")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        photos = {count: photo_of(SIDES[count], Path(name)) for count in options.megapixels}
        for model in options.models:
            weights = store.ensure(find_network(model)).stat().st_size / 1e6
            for count, photo in photos.items():
                row = {"model": model, "megapixels": count, "weights": weights}
                row |= peaks(model, photo, options.threads)
                rows.append(row)
                table.add_row(
                    model, str(count), *(f"{row[key]:.0f}" for key in ("weights", "rss", "pss", "data"))
                )
    console = Console()
    console.print(table)
    if len(options.models) > 1 and len(options.megapixels) > 1:
        matrix = np.array([[1.0, row["weights"], row["megapixels"]] for row in rows])
        for key in ("pss", "data"):
            fit, *_ = np.linalg.lstsq(matrix, np.array([row[key] for row in rows]), rcond=None)
            worst = float(np.max(np.array([row[key] for row in rows]) / (matrix @ fit)))
            console.print(
                f"{key}: {fit[0]:.0f} MB + {fit[1]:.2f} x weights + {fit[2]:.1f} MB a megapixel; "
                f"the highest measure is {worst:.2f} of that"
            )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
