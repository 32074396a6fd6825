"""How long GIMP's window for clicking waits for each click, box, stroke and edge choice on a large layer.

The photo is one of scikit-image's, enlarged to the size asked for. The seconds are those of the engine's end,
by the wall and by CPU: on a machine that others use too, the CPU's seconds are the ones to compare.
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import skimage.data
from PIL import Image
from rich.console import Console
from rich.table import Table

from mattebox.core.engine import Engine
from mattebox.gimp_plugin.mattebox.point_request import PointRequest
from mattebox.gimp_plugin.mattebox.protocol import CutRequest
from mattebox.gimp_plugin.open_photo import OpenPhoto

if TYPE_CHECKING:
    from collections.abc import Callable

# In shares of the layer's width: clicks on the cup and beside it, strokes of the brush, a box around the cup.
CLICKS = [
    (0.483, 0.283, True),
    (0.1, 0.6, False),
    (0.93, 0.07, False),
    (0.55, 0.25, True),
    (0.25, 0.42, True),
]
STROKES = [("in", 0.33, 0.28), ("out", 0.08, 0.62)]
LENGTH = 0.2
BRUSH = 0.025
BOX = (0.2, 0.05, 0.8, 0.58)


def cpu() -> float:
    """Seconds of this process's CPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(table: Table, name: str, work: Callable[[], Any]) -> Any:
    """Do something and write a row about it."""
    wall, before = time.perf_counter(), cpu()
    made = work()
    table.add_row(name, f"{time.perf_counter() - wall:.2f}", f"{cpu() - before:.2f}")
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=float, default=24.0)
    parser.add_argument("--quality", choices=["fast", "balanced", "best"], default="balanced")
    options = parser.parse_args()
    height = round((options.megapixels * 1e6 / 1.5) ** 0.5)
    width = round(1.5 * height)
    pixels = np.asarray(Image.fromarray(skimage.data.coffee()).resize((width, height)))
    request = CutRequest(width, height, 3, 8, {"quality": options.quality})
    engine = Engine()
    table = Table(f"{width} x {height}, {options.quality}", "wall", "CPU")
    photo = timed(
        table,
        "open, networks loaded too",
        lambda: OpenPhoto(request, [pixels.tobytes()], engine, lambda _: None),
    )

    def ask(name: str, **asked: Any) -> None:
        timed(table, name, lambda: photo.matte(PointRequest(**asked), lambda _: None))

    clicks = [[x * width, y * width, inside] for x, y, inside in CLICKS]
    strokes = [
        {
            "say": say,
            "size": BRUSH * width,
            "points": [[(x + LENGTH * share) * width, y * width] for share in np.linspace(0, 1, 60).tolist()],
        }
        for say, x, y in STROKES
    ]
    ask("the automatic matte")
    for count in range(1, len(clicks) + 1):
        ask(f"click {count}", clicks=clicks[:count])
    for count in range(1, len(strokes) + 1):
        ask(f"stroke {count} behind the clicks", clicks=clicks, strokes=strokes[:count])
    ask("undo", clicks=clicks)
    ask("a box", box=[edge * width for edge in BOX])
    ask("the edge moved", box=[edge * width for edge in BOX], edges={"shift": 2.0})
    ask("the mask of the whole layer", clicks=clicks, full=True)
    Console().print(table)


if __name__ == "__main__":
    main()
