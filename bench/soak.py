"""Hours of a hot folder: memory at the start and at the end, files a minute, and files lost.

    python -m bench.soak --minutes 10 PHOTO...

The daemon is the product's own process (`mattebox watch`); photos are copied into its folder, now and then
it is killed with kill -9 and started again, and in the end every input must have its outputs.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

CONFIG = """\
version: 1
state: ./state
engine: {model: MODEL}
folders:
  - name: soak
    watch: ./in
    settle: 500ms
    done: ./done
    failed: ./failed
    rules:
      - name: all
        deliver: [{format: png, to: "./out/{tree}/{stem}.png"}]
"""


def memory(pid: int) -> float:
    """Megabytes of a process and its children (proportional share, so that shared pages count once)."""
    total = 0.0
    for process in [pid, *children(pid)]:
        try:
            for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) / 1000
        except OSError:
            continue
    return total


def children(pid: int) -> list[int]:
    """The processes below one."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    direct = [int(part) for part in text.split()]
    # Workers are started by threads of the daemon, whose children are listed with the thread.
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            direct += [int(part) for part in (task / "children").read_text(encoding="ascii").split()]
        except OSError:
            continue
    return sorted(set(direct))


def start(config: Path, log: Path) -> subprocess.Popen[bytes]:
    """The daemon."""
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "mattebox.cli.main", "watch", os.fspath(config)], stdout=file, stderr=file
        )


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--minutes", default=10.0, show_default=True)
@click.option("--model", default="u2netp", show_default=True)
@click.option("--kill-every", default=60.0, show_default=True, help="Seconds between kills; 0 never kills.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write the figures here too.")
def main(
    photos: tuple[Path, ...], minutes: float, model: str, kill_every: float, target: Path | None
) -> None:
    """Run the daemon for a while over copies of PHOTOS."""
    root = Path(tempfile.mkdtemp(prefix="mattebox-soak-"))
    config = root / "config.yaml"
    config.write_text(CONFIG.replace("MODEL", model), encoding="utf-8")
    (root / "in").mkdir()
    log = root / "log"
    daemon = start(config, log)
    begun = time.monotonic()
    samples: list[tuple[float, float]] = []
    dropped, kills = 0, 0
    next_kill = begun + kill_every
    names = itertools.cycle(photos)
    while time.monotonic() - begun < minutes * 60:
        if len(list((root / "in").rglob("*.*"))) < 12:
            photo = next(names)
            shutil.copyfile(photo, root / "in" / f"{dropped:06}{photo.suffix}")
            dropped += 1
        time.sleep(0.1)
        samples.append((time.monotonic() - begun, memory(daemon.pid)))
        if kill_every and time.monotonic() > next_kill:
            daemon.send_signal(signal.SIGKILL)
            daemon.wait()
            kills += 1
            daemon = start(config, log)
            next_kill = time.monotonic() + kill_every * random.uniform(0.5, 1.5)
    within = len(list((root / "done").glob("*")))
    seconds = time.monotonic() - begun
    daemon.send_signal(signal.SIGTERM)
    daemon.wait(120)
    subprocess.run(
        [sys.executable, "-m", "mattebox.cli.main", "once", os.fspath(config)],
        check=False,
        capture_output=True,
    )
    outputs = {path.stem for path in (root / "out").rglob("*.png")}
    originals = {path.stem for path in (root / "done").glob("*")}
    # A photo that was in work at three kills goes to failed/ with that reason: told, and not lost.
    failed = {path.name.partition(".")[0] for path in (root / "failed").glob("*")}
    wanted = {f"{number:06}" for number in range(dropped)}
    figures: dict[str, Any] = {
        "minutes": round(seconds / 60, 1),
        "dropped": dropped,
        "kills": kills,
        "files_per_minute": round(within / (seconds / 60), 1),
        "most_megabytes_in_first_third": round(max(size for at, size in samples if at <= seconds / 3)),
        "most_megabytes_in_last_third": round(max(size for at, size in samples if at >= seconds * 2 / 3)),
        "failed": len(failed),
        "lost": len(wanted - failed - outputs) + len(wanted - failed - originals),
        "twice": len(list((root / "out").rglob("*.png"))) - len(outputs & wanted),
        "temporary_files_left": len(list(root.rglob(".mattebox*"))),
    }
    show(figures)
    if target is not None:
        target.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if figures["lost"] or figures["twice"]:
        click.echo(f"See {root}.", err=True)
        sys.exit(1)
    shutil.rmtree(root)


def show(figures: dict[str, Any]) -> None:
    """The figures as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("Figure", "Value")
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
