"""Time and peak memory of writing one layered PSD: ours, psd-tools' own save(), and ag-psd.

    python bench/psd.py [--megapixels 24 100] [--rounds 3] [--plain-limit 24] [--json FILE]

Each route runs in a process of its own, one after the other in each round; medians of the rounds. The
seconds are those of making the layers and writing the file, the memory is that of the whole process with
the picture in it. psd-tools' own way runs up to --plain-limit megapixels only. ag-psd comes from
.ci/ag-psd.sh; without it that route is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

ROUTES = ("ours", "ours zip", "plain", "ag-psd")


def make_picture(folder: Path, megapixels: float) -> tuple[int, int]:
    """A smooth picture with a photo's grain, and a soft matte over a third of it, as raw files."""
    width = round((megapixels * 1e6 * 1.5) ** 0.5)
    height = round(width / 1.5)
    rng = np.random.default_rng(3)
    with (folder / "rgb.raw").open("wb") as colours, (folder / "alpha.raw").open("wb") as matte:
        columns = np.linspace(0, 1, width, dtype=np.float32)
        for top in range(0, height, 256):
            rows = np.arange(top, min(height, top + 256), dtype=np.float32)[:, None] / height
            base = np.stack([rows + 0 * columns, columns + 0 * rows, (rows + columns) / 2], axis=2)
            grain = rng.normal(0, 3, base.shape).astype(np.float32)
            colours.write(np.clip(base * 200 + 25 + grain, 0, 255).astype(np.uint8).tobytes())
            away = np.hypot(rows - 0.5, columns - 0.5)
            matte.write((np.clip((0.33 - away) * 200, 0, 1) * 255).astype(np.uint8).tobytes())
    return width, height


def read_picture(folder: Path, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """The picture's colours (h, w, 3) and matte (h, w)."""
    colours = np.fromfile(folder / "rgb.raw", np.uint8).reshape(height, width, 3)
    return colours, np.fromfile(folder / "alpha.raw", np.uint8).reshape(height, width)


def write_ours(folder: Path, width: int, height: int, compression: str) -> float:
    """The photo, its mask and a white background by our writer; seconds."""
    from mattebox.core.composition import Composition
    from mattebox.core.photo import Photo
    from mattebox.core.settings import PsdOutput
    from mattebox.core.write.psd import write

    colours, matte = read_picture(folder, width, height)
    begin = time.perf_counter()
    photo = Photo(colours, mode="rgb")
    made = Composition(photo, colours, colours, matte)
    write(made, PsdOutput(compression=compression), folder / f"ours-{compression}.psd")
    return time.perf_counter() - begin


def write_plain(folder: Path, width: int, height: int) -> float:
    """The same layers by psd-tools' public calls and its save(); seconds."""
    from PIL import Image
    from psd_tools import PSDImage
    from psd_tools.constants import Compression

    colours, matte = read_picture(folder, width, height)
    begin = time.perf_counter()
    psd = PSDImage.new("RGB", (width, height), compression=Compression.RLE)
    psd.create_pixel_layer(Image.new("RGB", (width, height), "white"), name="Background")
    layer = psd.create_pixel_layer(Image.fromarray(colours), name="Subject")
    layer.create_mask(Image.fromarray(matte), left=0, top=0)
    psd.save(folder / "plain.psd")
    return time.perf_counter() - begin


def node_modules() -> Path:
    """Where .ci/ag-psd.sh puts ag-psd."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "mattebox-ci" / "ag-psd" / "node_modules"


def measure(route: str, folder: Path, size: tuple[int, int]) -> tuple[float, float]:
    """Seconds and peak resident megabytes of one route in its own process."""
    numbers = [str(number) for number in size]
    command = [sys.executable, __file__, "--child", route, str(folder), *numbers]
    environment = dict(os.environ)
    if route == "ag-psd":
        script = Path(__file__).with_name("psd_write_ag.cjs")
        command = ["node", "--max-old-space-size=16384", str(script), str(folder), *numbers]
        environment["NODE_PATH"] = str(node_modules())
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, env=environment)
        _, status, usage = os.wait4(process.pid, 0)  # the peak of this one child
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{route} failed with {process.returncode}")
        said.seek(0)
        seconds = float(said.read().split()[-1])
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return seconds, usage.ru_maxrss / scale


def bench(megapixels: float, rounds: int, routes: list[str]) -> dict[str, dict[str, float]]:
    """Medians of each route over the rounds."""
    runs: dict[str, list[tuple[float, float]]] = {route: [] for route in routes}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = make_picture(folder, megapixels)
        for _ in range(rounds):
            for route in routes:
                runs[route].append(measure(route, folder, size))
        sizes = {path.stem: path.stat().st_size / 1e6 for path in folder.glob("*.psd")}
    files = {"ours": "ours-rle", "ours zip": "ours-zip", "plain": "plain", "ag-psd": "ag-psd"}
    return {
        route: {
            "seconds": statistics.median(run[0] for run in found),
            "peak_mb": statistics.median(run[1] for run in found),
            "file_mb": sizes[files[route]],
        }
        for route, found in runs.items()
    }


def main() -> None:
    """Run the routes and print a table a size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=float, nargs="+", default=[24, 100])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plain-limit", type=float, default=24)
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        route, folder, width, height = options.child
        place = (Path(folder), int(width), int(height))
        seconds = write_plain(*place) if route == "plain" else write_ours(*place, route[5:] or "rle")
        print(seconds)
        return
    found = {}
    for megapixels in options.megapixels:
        routes = [
            route
            for route in ROUTES
            if (route != "plain" or megapixels <= options.plain_limit)
            and (route != "ag-psd" or node_modules().is_dir())
        ]
        found[megapixels] = bench(megapixels, options.rounds, routes)
        ours = found[megapixels]["ours"]
        table = Table(
            "route", "seconds", "times ours", "peak MB", "times ours", "file MB", title=f"{megapixels:g} MP"
        )
        for route, figures in found[megapixels].items():
            table.add_row(
                route,
                f"{figures['seconds']:.2f}",
                f"{figures['seconds'] / ours['seconds']:.1f}",
                f"{figures['peak_mb']:.0f}",
                f"{figures['peak_mb'] / ours['peak_mb']:.1f}",
                f"{figures['file_mb']:.0f}",
            )
        Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
