"""Whether a batch stays as quick and as small as it grows, and what the hot folder adds to the work.

    python bench/batch.py --small 20 --large 500 --hot 200 --json batch.json

All figures are ratios within one run, so that a busy machine disturbs both sides alike: the last
photos' seconds by the first ones' (the batch's growth), the large batch's peak memory by the small one's,
and the hot folder's photos a minute by the command's, taken in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from speed import draw, machine, run

SIZE = (640, 480)
COMMAND = [sys.executable, "-m", "mattebox.cli.main"]
CONFIG = """
version: 1
state: {root}/state
folders:
  - name: bench
    watch: {root}/in
    done: {root}/done
    failed: {root}/failed
    rules:
      - name: all
        cut: {{quality: fast}}
        deliver:
          - {{format: png, to: "{root}/out/{{stem}}.png"}}
"""


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", type=int, default=20, help="photos of the small batch")
    parser.add_argument("--large", type=int, default=500, help="photos of the large batch")
    parser.add_argument("--hot", type=int, default=200, help="photos for hot folder and command")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of all; medians count")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="mattebox-batch-") as scratch:
        root = Path(scratch)
        photos = root / "photos"
        photos.mkdir()
        seeds = [photos / f"{place:04}.jpg" for place in range(8)]
        for place, path in enumerate(seeds):
            draw(path, SIZE, place)
        for place in range(len(seeds), max(options.large, options.hot)):
            shutil.copyfile(seeds[place % len(seeds)], photos / f"{place:04}.jpg")
        found = {
            **growth(root, photos, options.small, options.large, options.rounds),
            **hot_folder(root, photos, options.hot, options.rounds),
        }
    report = {"machine": machine(), "load": {"before": load, "after": os.getloadavg()}, **found}
    table = Table("measure", "ratio", "wanted")
    table.add_row(f"seconds a photo, last {options.small} by first", f"{found['growth']:.3f}", "0.95 to 1.05")
    table.add_row(
        f"peak memory, {options.large} by {options.small}", f"{found['memory']:.3f}", "0.95 to 1.05"
    )
    table.add_row("hot folder by command, photos a minute", f"{found['hot_folder']:.3f}", "at least 0.9")
    console = Console()
    console.print(f"{report['machine']}; load {load[0]:.1f} before")
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def growth(root: Path, photos: Path, small: int, large: int, rounds: int) -> dict[str, Any]:
    """The last photos' seconds by the first ones', and the large batches' peak by the small ones'.

    A batch is as large from its tenth photo on as it will be, but how large that is differs from run to
    run with what its lanes do at the same moment: one run of each says little.
    """
    # The first command keeps the optimised graph, which takes memory that later ones do not need.
    arrivals(cut(_boxed(root / "warm", photos, 1), root / "warm-out"))
    peaks: dict[int, list[float]] = {small: [], large: []}
    ratios = []
    for place in range(rounds):
        for count in (small, small, large):
            box = root / f"grown-{count}"
            if not box.exists():
                _boxed(box, photos, count)
            target = root / f"grown-{count}-{place}-{len(peaks[count])}"
            stamps, peak = arrivals(cut(box, target))
            shutil.rmtree(target)
            peaks[count].append(peak)
        # Several photos are cut at once and come in bursts, so that single gaps say nothing.
        ratios.append((stamps[-1] - stamps[-1 - small]) / (stamps[small] - stamps[0]))
    middle = {count: statistics.median(found) for count, found in peaks.items()}
    return {
        "growth": statistics.median(ratios),
        "memory": middle[large] / middle[small],
        "large_peak_mb": middle[large],
        "peaks_mb": {str(count): found for count, found in peaks.items()},
    }


def _boxed(box: Path, photos: Path, count: int) -> Path:
    """A folder with the first `count` photos."""
    box.mkdir()
    for path in sorted(photos.iterdir())[:count]:
        shutil.copyfile(path, box / path.name)
    return box


def arrivals(command: list[str]) -> tuple[list[float], float]:
    """When each line of a command's output came, and the command's peak resident MB."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        stamps = [time.perf_counter() for _ in process.stdout or ()]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return stamps, usage.ru_maxrss * (1 if platform.system() == "Darwin" else 1024) / 1e6


def hot_folder(root: Path, photos: Path, photos_asked: int, rounds: int) -> dict[str, Any]:
    """The hot folder's rate by the command's on the same photos, in turn."""
    ratios = []
    # One short round goes unmeasured, so that caches are warm for both.
    for place in range(rounds + 1):
        count = photos_asked if place else min(8, photos_asked)
        box = root / f"hot-{place}"
        box.mkdir()
        for name in ("in", "photos"):
            _boxed(box / name, photos, count)
        config = box / "config.yaml"
        config.write_text(CONFIG.format(root=box))
        seconds, *_ = run(cut(box / "photos", box / "cut"), dict(os.environ))
        hot, *_ = run([*COMMAND, "once", str(config)], dict(os.environ))
        delivered = len(list((box / "out").glob("*.png")))
        if delivered != count:
            raise SystemExit(f"the hot folder delivered {delivered} of {count}")
        if place:
            ratios.append(seconds / hot)
    return {"hot_folder": statistics.median(ratios), "hot_folder_rounds": ratios}


def cut(source: Path, target: Path) -> list[str]:
    """The command that cuts a folder."""
    return [*COMMAND, "cut", str(source), "-o", str(target), "--set", "cut.quality=fast"]


if __name__ == "__main__":
    main()
