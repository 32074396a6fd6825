"""Hours of a hot folder: memory at the start and at the end, files a minute, and files lost.

    python -m bench.soak --minutes 10 PHOTO...
    python -m bench.soak --minutes 30 --troubles PHOTO...     (as root, for the disks)

The daemon is the product's own process (`mattebox watch`); photos are copied into its folder, now and then
it is killed with kill -9 and started again, and in the end every input must have its outputs, once. With
`--troubles`, `bench/troubles.py` also renames roots, fills the disks under outputs and journal, and answers
the webhook wrongly, and a customer takes each output away once its original is in done/.
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
from typing import TYPE_CHECKING, Any

import click
from bench.troubles import Day, FullDisk, MadWebhook, Renamed

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = """\
version: 1
state: ./state/journal
engine: {model: MODEL, workers: 1}
NOTIFYfolders:
  - name: soak
    watch: ./in
    settle: 500ms
    done: ./done
    failed: ./failed
    rules:
      - name: all
        cut: {quality: fast}
        deliver: [{format: png, to: "./out/{tree}/{stem}.png"}]
"""
NOTIFY = "notify: {webhook: {url: ADDRESS, timeout: 2s}}\n"


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
@click.option("--troubles", is_flag=True, help="Renamed roots, full disks and a mad webhook too; needs root.")
@click.option("--pause", default=0.0, show_default=True, help="Seconds between photos.")
@click.option("--seed", type=int, help="Of what happens when; the clock's by default.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write the figures here too.")
def main(
    photos: tuple[Path, ...],
    minutes: float,
    model: str,
    kill_every: float,
    *,
    troubles: bool,
    pause: float,
    seed: int | None,
    target: Path | None,
) -> None:
    """Run the daemon for a while over copies of PHOTOS."""
    root = Path(tempfile.mkdtemp(prefix="mattebox-soak-"))
    seed = time.time_ns() % 1_000_000 if seed is None else seed
    click.echo(f"{root}, seed {seed}")
    (root / "in").mkdir()
    disks = [FullDisk(root / "out", 64), FullDisk(root / "state", 24)] if troubles else []
    webhook = MadWebhook()
    text = CONFIG.replace("MODEL", model).replace("NOTIFY", NOTIFY if troubles else "")
    (root / "config.yaml").write_text(text.replace("ADDRESS", webhook.address), encoding="utf-8")
    for disk in disks:
        disk.mount()
    webhook.start()
    studio = Studio(root, random.Random(seed), troubles=troubles)
    try:
        figures = studio.run(itertools.cycle(photos), minutes * 60, kill_every, pause)
        show({"seed": seed, **figures, "webhook_calls": webhook.calls})
    finally:
        studio.daemon.kill()
        for disk in disks:
            disk.unmount()
    if target is not None:
        target.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if figures["lost"] or figures["twice"] or figures["ended_by_itself"]:
        click.echo(f"See {root}.", err=True)
        sys.exit(1)
    shutil.rmtree(root)


class Studio:
    """Hot folders below `root`, the daemon over them, and what goes on around it."""

    def __init__(self, root: Path, chance: random.Random, *, troubles: bool) -> None:
        self.root = root
        self.random = chance
        self.day = Day({}, chance)
        if troubles:
            self.day.troubles.update(
                watched_folder_renamed=Renamed(root / "in"),
                done_folder_renamed=Renamed(root / "done"),
                output_disk_full=FullDisk(root / "out", 64),
                journal_disk_full=FullDisk(root / "state", 24),
            )
        self.troubles = troubles
        self.taken: list[str] = []
        self.samples: list[tuple[float, float]] = []
        self.dropped = self.kills = self.ended = 0
        self.daemon = start(root / "config.yaml", root / "log")

    def run(self, photos: Iterator[Path], seconds: float, kill_every: float, pause: float) -> dict[str, Any]:
        """Let `seconds` pass, then quiet, all that waits done; the figures."""
        begun = time.monotonic()
        next_kill = begun + (kill_every or seconds * 2)
        next_photo = begun
        while (now := time.monotonic()) - begun < seconds:
            if now > next_photo:
                self.drop(photos)
                next_photo = now + pause
            time.sleep(0.1)
            self.samples.append((now - begun, memory(self.daemon.pid)))
            if self.troubles:
                self.day.step(now - begun)
                self.take()
            if self.daemon.poll() is not None:
                self.ended += 1
                self.daemon = start(self.root / "config.yaml", self.root / "log")
            if now > next_kill:
                self.daemon.kill()
                self.daemon.wait()
                self.kills += 1
                self.daemon = start(self.root / "config.yaml", self.root / "log")
                next_kill = time.monotonic() + kill_every * self.random.uniform(0.5, 1.5)
        within = len(list((self.root / "done").glob("*")))
        self.settle()
        return {"files_per_minute": round(within / (seconds / 60), 1), **self.figures(seconds)}

    def drop(self, photos: Iterator[Path]) -> None:
        """One more photo, where the folder is there and little waits in it."""
        folder = self.root / "in"
        if folder.is_dir() and len(list(folder.rglob("*.*"))) < 12:
            photo = next(photos)
            shutil.copyfile(photo, folder / f"{self.dropped:06}{photo.suffix}")
            self.dropped += 1

    def take(self) -> None:
        """A customer's hand: outputs whose originals are in done/ leave the folder, each name noted."""
        for path in (self.root / "out").rglob("*.png"):
            if any((self.root / "done").glob(f"{path.stem}.*")):
                self.taken.append(path.stem)
                path.unlink()

    def settle(self) -> None:
        """End the day: no trouble, the daemon stopped, what waits done by `once`."""
        self.day.quiet()
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait(120)
        for _ in range(2):  # what was put off until a disk came back may be due a moment later
            subprocess.run(
                [sys.executable, "-m", "mattebox.cli.main", "once", os.fspath(self.root / "config.yaml")],
                check=False,
                capture_output=True,
            )

    def figures(self, seconds: float) -> dict[str, Any]:
        """What the folders hold now."""
        outputs = [*self.taken, *(path.stem for path in (self.root / "out").rglob("*.png"))]
        originals = {path.stem for path in (self.root / "done").glob("*")}
        # A photo that was in work at three kills goes to failed/ with that reason: told, and not lost.
        failed = {path.name.partition(".")[0] for path in (self.root / "failed").glob("*")}
        wanted = {f"{number:06}" for number in range(self.dropped)}
        return {
            "minutes": round(seconds / 60, 1),
            "dropped": self.dropped,
            "kills": self.kills,
            "ended_by_itself": self.ended,
            **self.day.counts,
            "most_megabytes_in_first_third": round(max(m for at, m in self.samples if at <= seconds / 3)),
            "most_megabytes_in_last_third": round(max(m for at, m in self.samples if at >= seconds * 2 / 3)),
            "failed": len(failed),
            "lost": len(wanted - failed - set(outputs)) + len(wanted - failed - originals),
            "twice": len(outputs) - len(set(outputs) & wanted),
            "temporary_files_left": len(list(self.root.rglob(".mattebox*"))),
        }


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
