"""How a cluster scales: photos a minute by workers, and how many jobs a second one daemon can lead.

    python -m bench.scale workers --counts 1 2 4 8
    python -m bench.scale ceiling --files 10000 --folder /dev/shm

`workers`: the product's scheduler, workers, loop and pool; the job sleeps as one does that waits for a card,
and writes one small file. The rate is counted between the first and the last tenth of the deliveries.
`ceiling`: so many files wait; the job copies some bytes within the daemon's own process, so that everything
else that is counted is the daemon's: scan, looks, claims, journal, names, moves. On a disk its waits for
the disk count too; in memory only what it computes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.daemon.hot_folders import CONFIG as INLINE
from tests.daemon.hot_folders import HotFolders
from tests.daemon.work.cluster.real import CONFIG, CopyingPool, good, real_cluster

from mattebox.daemon.config.load import load_config
from mattebox.daemon.events import Events
from mattebox.daemon.run import run
from mattebox.daemon.work.cluster.start import start_cluster

ONE_OUTPUT = '          - {{format: psd, to: "./out/{{tree}}/{{stem}}.psd"}}\n'


def rate(times: list[float]) -> float:
    """Deliveries a second between the first and the last tenth."""
    edge = max(1, len(times) // 10)
    first, last = times[edge], times[-edge]
    return (len(times) - 2 * edge) / (last - first)


def with_workers(count: int, seconds: float, photos: int) -> dict[str, Any]:
    """Photos a minute of so many workers whose job takes so long."""
    with tempfile.TemporaryDirectory(prefix="mattebox-scale-") as name, real_cluster(Path(name)) as cluster:
        root = Path(name, "hot")
        root.mkdir()
        folders = HotFolders(root, CONFIG.replace(ONE_OUTPUT, "").format(port=cluster.port))
        cluster.start_workers("w", count)
        folders.drop(dict(good(photos * count, seconds)))
        loaded, events = load_config(folders.config), Events(folders.events.append)

        def start(inbox: Any) -> Any:
            started = start_cluster(loaded, inbox, events, CopyingPool)
            deadline = time.monotonic() + 120
            while started.room() < 2 * count and time.monotonic() < deadline:
                time.sleep(0.1)
            return started

        summary = run(loaded, events, once=True, start_pool=start)
        times = [event.time for event in folders.events_named("delivered")]
    if summary.delivered != photos * count:
        raise SystemExit(f"Only this was done: {summary}")
    per_minute = 60 * rate(times)
    return {
        "workers": count,
        "photos_a_minute": round(per_minute, 1),
        "of_what_they_could": round(per_minute / (60 * count / seconds), 3),
    }


def ceiling(files: int, folder: Path) -> dict[str, Any]:
    """Jobs a second of one daemon with so many files waiting."""
    with tempfile.TemporaryDirectory(prefix="mattebox-ceiling-", dir=folder) as name:
        # As users have it: a look at everything once a minute, beside events.
        lines = INLINE.replace(ONE_OUTPUT.format(), "").replace("    rescan: 1s\n", "")
        folders = HotFolders(Path(name), lines)
        for number in range(files):
            (folders.root / "in" / f"{number:06}.jpg").write_bytes(b"good %d" % number)
        before, begun = time.process_time(), time.monotonic()
        summary = folders.once()
        spent, lasted = time.process_time() - before, time.monotonic() - begun
        times = [event.time for event in folders.events_named("delivered")]
    if summary.delivered != files:
        raise SystemExit(f"Only this was done: {summary}")
    return {
        "files": files,
        "jobs_a_second": round(files / lasted, 1),
        "while_most_wait": round(rate(times[: files // 4]), 1),
        "milliseconds_of_cpu_a_job": round(1000 * spent / files, 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    scaling = kinds.add_parser("workers")
    scaling.add_argument("--counts", nargs="+", type=int, default=[1, 2, 4, 8])
    scaling.add_argument("--seconds", type=float, default=1.0)
    scaling.add_argument("--photos", type=int, default=20, help="for each worker")
    leading = kinds.add_parser("ceiling")
    leading.add_argument("--files", type=int, default=10_000)
    leading.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    for one in (scaling, leading):
        one.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.kind == "workers":
        rows = [with_workers(count, options.seconds, options.photos) for count in options.counts]
    else:
        rows = [ceiling(options.files, options.folder)]
    table = Table(*(name.replace("_", " ") for name in rows[0]))
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
