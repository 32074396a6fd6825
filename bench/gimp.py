"""How long a cut takes inside GIMP, and what the plug-in adds to the engine's own time.

Runs a real headless GIMP 3 (see .ci/gimp.sh) on a photo that is enlarged to the size asked for. The first
cut starts the engine and loads the network; the plug-in's share is the whole call less the engine's time:
its own process, reading the layer, sending it, and writing the mask. The steps of the last cut are shown
by the wall and by CPU: on a machine that others use too, the CPU's seconds are the ones to compare.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import skimage.data
from PIL import Image
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.gimp_plugin.rig import Rig, find_program, find_root

SCRIPT = """
import os, time
import in_gimp
image = in_gimp.load("large.png")
def cpu():
    # This script runs in a process of its own, whose parent is GIMP.
    with open(f"/proc/{os.getppid()}/stat") as file:
        values = file.read().rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")
seconds, gimp = [], []
for _ in range(CUTS):
    start, before = time.monotonic(), cpu()
    status, error = in_gimp.call("mask", image, image.get_layers(), model="MODEL")
    assert status == "success", error
    seconds.append(time.monotonic() - start)
    gimp.append(cpu() - before)
in_gimp.write_down("seconds", seconds=seconds, gimp=gimp)
"""
MAIN = 'if __name__ == "__main__":'


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=float, default=24.0)
    parser.add_argument("--model", default="u2net")
    parser.add_argument("--cuts", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    root = find_root()
    if root is None and find_program() is None:
        parser.error("no GIMP 3: run .ci/gimp.sh")
    rig = Rig(root)
    try:
        side = round((options.megapixels * 1e6) ** 0.5)
        Image.fromarray(skimage.data.astronaut()).resize((side, side)).save(
            rig.scratch / "large.png", compress_level=1
        )
        shutil.copy(Path(__file__).with_name("gimp_steps.py"), rig.plugin)
        plug_in = rig.plugin / "mattebox.py"
        source = plug_in.read_text(encoding="utf-8")
        watched = source.replace(MAIN, f"import gimp_steps\n\ngimp_steps.watch(globals())\n{MAIN}")
        plug_in.write_text(watched, encoding="utf-8")
        script = SCRIPT.replace("CUTS", str(options.cuts)).replace("MODEL", options.model)
        (rig.scratch / "measure.py").write_text(script, encoding="utf-8")
        rig.run("measure", timeout=900)
        found = rig.result("seconds")
        lines = (rig.scratch / "steps.jsonl").read_text(encoding="utf-8").splitlines()
    finally:
        rig.stop()
    cuts = [json.loads(line) for line in lines]
    shares = [
        whole - next(wall for name, wall, _ in steps if name.startswith("of it"))
        for whole, steps in zip(found["seconds"], cuts, strict=True)
    ]
    gimp = found["gimp"][-1]
    figures = {
        "megapixels": options.megapixels,
        "first_cut": round(found["seconds"][0], 2),
        "warm_cuts": [round(value, 2) for value in found["seconds"][1:]],
        "plug_in_in_warm_cuts": [round(value, 2) for value in shares[1:]],
        "plug_in_and_gimp_cpu_in_the_last": round(cuts[-1][-1][2] + gimp, 2),
    }
    steps = [*cuts[-1], ["GIMP's own work meanwhile", None, gimp]]
    figures["walls"] = {name: [round(wall, 3) for wall in walls] for name, walls in _by_step(cuts).items()}
    table = Table("figure", "seconds")
    for name, value in figures.items():
        table.add_row(name, str(value))
    by_step = Table("step of the last cut", "wall", "CPU")
    for name, wall, cpu in steps:
        by_step.add_row(name, "" if wall is None else f"{wall:.3f}", "" if cpu is None else f"{cpu:.3f}")
    Console().print(table, by_step)
    figures["steps"] = steps
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _by_step(cuts: list[list[list[Any]]]) -> dict[str, list[float]]:
    """The seconds of each step by the wall, a cut each."""
    return {name: [steps[place][1] for steps in cuts] for place, (name, _, _) in enumerate(cuts[0])}


if __name__ == "__main__":
    main()
