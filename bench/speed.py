"""How fast Mattebox is beside another tool: whole commands, alternating, medians of paired ratios.

    python bench/speed.py --peer rembg --json speed.json --plot speed.svg

Both tools cut the same drawn photos with the same u2net weights. A ratio is the peer's seconds divided
by ours in the same round, so that a busy machine disturbs both alike; the ratio of CPU seconds hardly
knows how busy it is. Ours runs with one look (`fast`,
what the peer does) and with the default (`balanced`), each with the original network and, where
`mattebox models optimize u2net` has been run, with the optimised one.
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
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from bars import draw_bars
from PIL import Image
from product_scenes import SHAPES, scene
from rich.console import Console
from rich.table import Table

from mattebox.core.network.device import usable_kinds
from mattebox.core.network.pictures import synthetic_scenes
from mattebox.models.catalogue import find_network
from mattebox.models.optimised import find_optimised
from mattebox.models.store import Store

if TYPE_CHECKING:
    from peers import Rembg

# How many times as fast as the peer's plain u2net we want to be, by work and tool.
TARGETS = {
    "1 MP": {"fast": 2.6, "fast, int8": 4.0},
    "24 MP": {"fast": 5.5, "fast, int8": 8.0, "balanced": 3.5, "balanced, int8": 5.5},
    "20 photos": {"fast": 1.45, "fast, int8": 4.0, "balanced": 1.0, "balanced, int8": 2.5},
    "packshots": {"balanced": 1.4, "balanced, int8": 3.5},
}
SIZES = {"1 MP": (1200, 850), "24 MP": (6000, 4000)}
MIXED = [(1024, 683), (1500, 1000), (2048, 1365), (1080, 1350)]


@dataclass
class Runs:
    """Seconds, peak MB and CPU seconds of one tool at one work, a round each."""

    seconds: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", choices=["rembg"], help="measure this tool beside us")
    parser.add_argument("--work", nargs="+", choices=[*TARGETS], default=[*TARGETS])
    parser.add_argument("--quality", nargs="+", choices=["fast", "balanced"], default=["fast", "balanced"])
    parser.add_argument("--packshots", type=int, default=200, metavar="COUNT", help="how many of them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help="where peers are installed")
    options = parser.parse_args()
    store = Store()
    weights = store.ensure(find_network("u2net"))
    peer = None
    if options.peer:
        import peers

        peer = peers.rembg(weights, options.peers)
    ours = {quality: (quality, "full") for quality in options.quality}
    if find_optimised(store, find_network("u2net"), usable_kinds()):
        ours |= {f"{quality}, int8": (quality, "auto") for quality in options.quality}
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="mattebox-speed-") as scratch:
        sources = {work: make_photos(Path(scratch), work, options.packshots) for work in options.work}
        results, steps = measure(Path(scratch), sources, options.rounds, ours, peer)
    report = {
        "machine": machine(),
        "load": {"before": load, "after": os.getloadavg()},
        "rounds": options.rounds,
        "results": {
            work: {tool: vars(runs) for tool, runs in tools.items()} for work, tools in results.items()
        },
        "ratios": ratios(results),
        "steps": steps,
    }
    show(report, results)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    if options.plot and peer is not None:
        options.plot.write_text(plot(report, options.peer))


def measure(
    scratch: Path, works: dict[str, Path], rounds: int, ours: dict[str, tuple[str, str]], peer: Rembg | None
) -> tuple[dict[str, dict[str, Runs]], dict[str, dict[str, float]]]:
    """Every tool at every work, alternating; and where our time goes, by step."""
    results: dict[str, dict[str, Runs]] = {}
    steps: dict[str, dict[str, float]] = {}
    for work, source in works.items():
        tools = [*ours, *(["peer"] if peer is not None else [])]
        results[work] = {tool: Runs() for tool in tools}
        # One round goes unmeasured: kept graphs, compiled caches and the page cache are warm for all.
        for count in range(rounds + 1):
            for tool in tools:
                target = scratch / "out"
                shutil.rmtree(target, ignore_errors=True)
                target.mkdir()
                if tool == "peer" and peer is not None:
                    command = peer_command(peer, source, target)
                    seconds, peak, cpu, _ = run(command, peer.environment)
                else:
                    command = our_command(source, target, *ours[tool])
                    seconds, peak, cpu, output = run(command, dict(os.environ))
                    steps[f"{work}, {tool}"] = mean_steps(output)
                if count:
                    results[work][tool].seconds.append(seconds)
                    results[work][tool].peaks.append(peak)
                    results[work][tool].cpu.append(cpu)
    return results, steps


def our_command(source: Path, target: Path, quality: str, precision: str) -> list[str]:
    """Our command for one photo or a folder; JSON lines tell the seconds of each step."""
    where = target if source.is_dir() else target / "out.png"
    return [
        *(sys.executable, "-m", "mattebox.cli.main", "cut", str(source), "-o", str(where)),
        *("--json", "--set", f"cut.precision={precision}", "--set", f"cut.quality={quality}"),
    ]


def peer_command(peer: Rembg, source: Path, target: Path) -> list[str]:
    """The peer's command for one photo or a folder."""
    return peer.folder(source, target) if source.is_dir() else peer.one(source, target / "out.png")


# A child's peak counts the memory of the process that forked it: commands are started by a small one.
LAUNCHER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - start
with open(sys.argv[1], "w") as file:
    cpu = usage.ru_utime + usage.ru_stime
    json.dump([seconds, usage.ru_maxrss, cpu, os.waitstatus_to_exitcode(status)], file)
"""


def run(command: list[str], environment: dict[str, str]) -> tuple[float, float, float, str]:
    """Wall seconds, peak resident MB, CPU seconds and stdout of a command that must succeed."""
    with tempfile.TemporaryDirectory() as scratch:
        facts = Path(scratch) / "facts.json"
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", LAUNCHER, str(facts), *command],
            check=True,
            capture_output=True,
            text=True,
            env=environment | installed(),
        )
        seconds, peak, cpu, status = json.loads(facts.read_text())
    if status:
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    scale = 1 if platform.system() == "Darwin" else 1024  # ru_maxrss is in bytes there
    return seconds, peak * scale / 1e6, cpu, done.stdout


@cache
def _bytecode() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="mattebox-bytecode-")


def installed() -> dict[str, str]:
    """What makes a command keep its compiled modules, as those of an installed one are kept."""
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": _bytecode().name}


def make_photos(scratch: Path, work: str, packshots: int) -> Path:
    """One drawn JPEG, a folder of twenty between 0.7 and 3 MP, or products before a sweep of 1.4 MP."""
    if work in SIZES:
        path = scratch / f"{work.replace(' ', '')}.jpg"
        draw(path, SIZES[work], 0)
        return path
    folder = scratch / work.replace(" ", "")
    folder.mkdir(exist_ok=True)
    if work == "packshots":
        names = list(SHAPES)
        for place in range(packshots):
            data = scene(names[place % len(names)], place // len(names)).data
            (folder / f"{place:03}.jpg").write_bytes(data)
        return folder
    for place in range(20):
        draw(folder / f"{place:02}.jpg", MIXED[place % len(MIXED)], place)
    return folder


def draw(path: Path, size: tuple[int, int], seed: int) -> None:
    """A drawn scene with a sensor's grain, as a camera would save it."""
    (scene,) = synthetic_scenes(1, seed)
    large = cv2.resize(scene, size, interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(seed).normal(0, 3, large.shape)
    Image.fromarray(np.clip(large + grain, 0, 255).astype(np.uint8)).save(path, quality=92)


def mean_steps(output: str) -> dict[str, float]:
    """Mean seconds a photo by step, from our JSON lines."""
    rows = [json.loads(line)["seconds"] for line in output.splitlines() if line.startswith("{")]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: round(statistics.fmean(row.get(name, 0.0) for row in rows), 4) for name in names}


def ratios(results: dict[str, dict[str, Runs]]) -> dict[str, dict[str, float]]:
    """Medians over rounds, by work and tool: the peer's seconds by ours, and our peak MB by the peer's."""
    found: dict[str, dict[str, float]] = {}
    for work, tools in results.items():
        if "peer" not in tools:
            continue
        peer = tools["peer"]
        for tool, runs in tools.items():
            if tool == "peer":
                continue
            speed = statistics.median(a / b for a, b in zip(peer.seconds, runs.seconds, strict=True))
            memory = statistics.median(b / a for a, b in zip(peer.peaks, runs.peaks, strict=True))
            cpu = statistics.median(a / b for a, b in zip(peer.cpu, runs.cpu, strict=True))
            found[f"{work}, {tool}"] = {
                "speed": round(speed, 2),
                "cpu": round(cpu, 2),
                "memory": round(memory, 2),
            }
    return found


def machine() -> str:
    """The processor and how many cores are ours."""
    from mattebox.core.network.device import available_cores

    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model
        )
    return f"{available_cores()} cores of {model}"


def target(name: str) -> float | None:
    """The ratio that is asked for."""
    work, tool = name.split(", ", 1)
    return TARGETS.get(work, {}).get(tool)


def show(report: dict[str, Any], results: dict[str, dict[str, Runs]]) -> None:
    """Print the tables."""
    console = Console()
    console.print(f"{report['machine']}; load {report['load']['before'][0]:.1f} before")
    columns = (
        "work",
        "tool",
        "seconds",
        "peak MB",
        "times the peer",
        "asked for",
        "in CPU seconds",
        "memory",
    )
    table = Table(*columns)
    for work, tools in results.items():
        for tool, runs in tools.items():
            ratio = report["ratios"].get(f"{work}, {tool}")
            asked = target(f"{work}, {tool}") if tool != "peer" else None
            table.add_row(
                work,
                tool,
                f"{statistics.median(runs.seconds):.2f}",
                f"{statistics.median(runs.peaks):.0f}",
                f"{ratio['speed']:.2f}" if ratio else "",
                f"{asked}" if asked and ratio else "",
                f"{ratio['cpu']:.2f}" if ratio else "",
                f"{ratio['memory']:.2f}" if ratio else "",
            )
    console.print(table)
    names = list(dict.fromkeys(name for row in report["steps"].values() for name in row))
    table = Table("ms a photo", *names)
    for work, row in report["steps"].items():
        table.add_row(work, *(f"{1000 * row.get(name, 0):.0f}" for name in names))
    console.print(table)


def plot(report: dict[str, Any], peer: str) -> str:
    """The ratios as bars."""
    rows = [(name, ratio["speed"], target(name)) for name, ratio in report["ratios"].items()]
    note = f"{report['machine']}; same u2net weights, same photos, alternating; the mark is our own goal"
    return draw_bars(f"Mattebox beside {peer}: times as fast", note, rows)


if __name__ == "__main__":
    main()
