"""Times the plug-in's steps from inside: bench/gimp.py puts this beside the plug-in that it measures.

Runs in GIMP's own Python: standard library only, 3.9 and later. A row is a step's name, its seconds by the
wall and its seconds of this process's CPU. Nothing of this is in the plug-in that users get.
"""

from __future__ import annotations

import functools
import json
import os
import time
from pathlib import Path
from typing import Any

ROWS: list[list[Any]] = []


def since_start() -> float:
    """Seconds since this process began."""
    ticks = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
    up = float(Path("/proc/uptime").read_text(encoding="utf-8").split()[0])
    return up - ticks / os.sysconf("SC_CLK_TCK")


def watch(plug_in: dict[str, Any]) -> None:
    """Measure the steps of the plug-in whose names these are; they are written down when a run ends."""
    ROWS.append(["start Python, load gi", since_start(), time.process_time()])
    engine = plug_in["Engine"]
    engine.__init__ = timed(engine.__init__, "connect")
    engine.pack = timed(engine.pack, "read the layer")
    engine.cut = timed(engine.cut, "wait for the engine", and_its_own=True)
    plug_in["apply"] = timed(plug_in["apply"], "write the mask")
    run = plug_in["_run"]

    def watched(*values: Any) -> Any:
        result = run(*values)
        ROWS.append(["all", since_start(), time.process_time()])
        with (Path(os.environ["MATTEBOX_SCRATCH"]) / "steps.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(ROWS) + "\n")
        return result

    plug_in["_run"] = watched


def timed(work: Any, name: str, *, and_its_own: bool = False) -> Any:
    """The same function, whose time becomes a row; with what the engine says of its own work as another."""

    @functools.wraps(work)
    def measured(*values: Any, **named: Any) -> Any:
        wall, cpu = time.monotonic(), time.process_time()
        result = work(*values, **named)
        ROWS.append([name, time.monotonic() - wall, time.process_time() - cpu])
        if and_its_own:
            ROWS.append(["of it the engine's own work", result.report["took"], None])
        return result

    return measured
