"""Peak memory of cutting one large photo, step by step, against its decoded pixels.

Each case runs in a fresh process. The network is loaded and has seen one small photo before, so that
`loaded` is what any work costs; each step's column is the peak within it, and `times` is what the photo
adds to `loaded` at the highest of them, in sizes of its decoded pixels.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

SIZES = {"24": (6000, 4000), "100": (12_250, 8167)}
STEPS = ("read", "see", "write")


def fresh_peak() -> None:
    """Begin to count the highest resident memory anew (Linux, proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    """The highest resident memory of this process since `fresh_peak`, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3


def photo_of(size: tuple[int, int], folder: Path) -> Path:
    """A JPEG of a real photo, enlarged and grained, that weighs what a camera's does."""
    import numpy as np
    from PIL import Image
    from skimage import data

    path = folder / f"{size[0]}x{size[1]}.jpg"
    image = Image.fromarray(data.coffee()).resize(size, Image.Resampling.BICUBIC)
    grain = np.random.default_rng(0).integers(0, 6, (512, 512, 3), dtype=np.uint8)
    for top in range(0, size[1], 512):
        strip = np.array(image.crop((0, top, size[0], min(size[1], top + 512))))
        tiles = np.tile(grain, (1, size[0] // 512 + 1, 1))[: strip.shape[0], : size[0]]
        image.paste(Image.fromarray(np.minimum(strip, 249) + tiles), (0, top))
    image.save(path, quality=92)
    return path


def measure(source: Path, form: str, model: str, target: Path) -> None:
    """One case in this process: a line of JSON with the peak after each step."""
    from PIL import Image
    from skimage import data

    from mattebox.core.engine import Engine
    from mattebox.core.job import Job, StagedOutput, read_source, run_job, segment_photo, write_cutout
    from mattebox.core.settings import CutSettings, parse_output

    engine, settings = Engine(), CutSettings(model=model)
    small = target / "small.png"
    Image.fromarray(data.coffee()).save(small)
    output = parse_output({"format": form})
    # Twice: onnxruntime plans its memory in the first run and takes it in the second.
    for _ in range(2):
        run_job(Job(small, (StagedOutput(output, target / "small.out"),), settings), engine)
    loaded, peaks = peak(), {}
    job = Job(source, (StagedOutput(output, target / "large.out"),), settings)
    fresh_peak()
    opened = read_source(job)
    decoded = opened.photo.pixels.nbytes / 1e6
    peaks["read"] = peak()
    fresh_peak()
    done = segment_photo(opened, engine)
    del opened
    peaks["see"] = peak()
    fresh_peak()
    report = write_cutout(done)
    peaks["write"] = peak()
    print(json.dumps({"loaded": loaded, "decoded": decoded, "seconds": dict(report.seconds), **peaks}))


def main() -> None:
    """Run the cases and print a table."""
    from rich.console import Console
    from rich.table import Table

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", nargs="*", choices=SIZES, default=list(SIZES))
    parser.add_argument("--formats", nargs="*", default=["png", "psd"])
    parser.add_argument("--model", default="u2net")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        source, form, model, target = options.one
        measure(Path(source), form, model, Path(target))
        return
    table = Table(title="Peak memory of one photo, MB")
    for heading in (
        "MP",
        "to",
        "decoded",
        "loaded",
        *STEPS,
        "times",
        "seconds",
    ):
        table.add_column(heading, justify="right")
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in options.megapixels:
            source = photo_of(SIZES[size], folder)
            for form in options.formats:
                command = [sys.executable, __file__, "--one", source, form, options.model, folder]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                row = json.loads(done.stdout)
                row.update(megapixels=size, format=form)
                row["times"] = (max(row[step] for step in STEPS) - row["loaded"]) / row["decoded"]
                results.append(row)
                numbers = [row["decoded"], row["loaded"], *(row[step] for step in STEPS)]
                cells = [f"{value:.0f}" for value in numbers]
                table.add_row(
                    size, form, *cells, f"{row['times']:.2f}", f"{sum(row['seconds'].values()):.1f}"
                )
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
