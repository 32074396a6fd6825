"""Random kills over a cluster: workers, scheduler, daemon, and the share that is unmounted and comes back.

    python -m bench.cluster_soak --seeds 100
    python -m bench.cluster_soak --seeds 0 --away 60

Everything that is killed is the product's own process; only the job copies bytes. Each seed is a fresh hot
folder on a bind mount, or without the rights for that behind a link, which is taken away for a while. When
all parts run again, every photo must be in done/ with exactly its own outputs, a poison photo in failed/,
and nothing else anywhere. `--away` takes the scheduler away once for so many seconds, while photos are in
work and new ones come: nobody is blamed, nothing is delivered, and afterwards everything is. Exit status 1
where that is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.daemon.work.cluster.real import CopyingPool, RealCluster, kill, real_cluster

from mattebox.daemon.config.load import load_config
from mattebox.daemon.events import Events, log_line
from mattebox.daemon.serve import serve
from mattebox.daemon.work.cluster.start import start_cluster

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
MAY_MOUNT = sys.platform == "linux" and os.geteuid() == 0
GROUPS = ("one", "two", "three")
# Without any change of a file for so long, what waits is stuck; a slow machine is not.
STUCK = 180
CONFIG = """\
version: 1
state: {state}
engine: {{model: u2netp, workers: dask, scheduler: "tcp://127.0.0.1:{port}", timeout: 20s}}
folders:
  - name: studio
    watch: {share}/in
    settle: 50ms
    mode: poll
    poll: 500ms
    done: {share}/done
    failed: {share}/failed
    rules:
      - name: all
        deliver:
          - {{format: psd, to: "{share}/out/{{stem}}.psd"}}
          - {{format: png, to: "{share}/out/{{stem}}.png"}}
"""


@dataclass
class Share:
    """A folder that can be taken away from everybody at once."""

    store: Path
    place: Path

    def attach(self) -> None:
        """Bring it back."""
        if not MAY_MOUNT:
            if not self.place.is_symlink():
                self.place.symlink_to(self.store)
        elif not mounted(self.place):
            self.place.mkdir(exist_ok=True)
            subprocess.run(["mount", "--bind", self.store, self.place], check=True)

    def detach(self) -> None:
        """Take it away, whoever uses it."""
        if not MAY_MOUNT:
            self.place.unlink(missing_ok=True)
        elif mounted(self.place):
            subprocess.run(["umount", "-l", self.place], check=True)


def mounted(place: Path) -> bool:
    """Whether something is mounted at a folder."""
    return f" {place} " in Path("/proc/self/mounts").read_text(encoding="utf-8")


@dataclass
class Daemon:
    """The daemon's process."""

    config: Path
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or again."""
        path = os.pathsep.join([os.fspath(ROOT), *sys.path])
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bench.cluster_soak", "--daemon", os.fspath(self.config)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": path},
                stdout=log,
                stderr=log,
            )

    def kill(self, number: int = signal.SIGKILL) -> bool:
        """End it; whether it did not have to be forced."""
        process, self.process = self.process, None
        if process is None:
            return True
        process.send_signal(number)
        try:
            process.wait(STUCK)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
        return True


def be_daemon(config: Path) -> None:
    """Hot folders for years, with jobs that copy bytes."""
    events = Events(lambda event: print(log_line(event), flush=True))
    serve(
        config,
        events,
        start_pool=lambda inbox: start_cluster(load_config(config), inbox, events, CopyingPool),
    )


def new_daemon(name: str, cluster: RealCluster, root: Path, share: Share) -> Daemon:
    """A daemon that is to be started, and an empty share."""
    share.attach()
    for path in share.store.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (share.store / "in").mkdir()
    config = root / f"{name}.yaml"
    settings = CONFIG.format(state=root / f"state-{name}", port=cluster.port, share=share.place)
    config.write_text(settings, encoding="utf-8")
    return Daemon(config, root / f"{name}.log")


def one_seed(seed: int, cluster: RealCluster, root: Path, share: Share) -> list[str]:
    """What was wrong with one seed; nothing, as it should be."""
    dice = random.Random(seed)
    daemon = new_daemon(str(seed), cluster, root, share)
    photos = {f"{number:02}.jpg": b"slow %.2f %d" % (dice.uniform(0, 0.5), number) for number in range(12)}
    poison = {"poison.jpg": b"deadly"} if seed % 10 == 0 else {}
    drop({**photos, **poison}, share)
    daemon.start()
    try:
        for _ in range(dice.randint(2, 5)):
            time.sleep(dice.uniform(0.2, 2.5))
            strike(dice, cluster, daemon, share)
        wrong = settled(photos, poison, share)
    finally:
        stopped = daemon.kill(signal.SIGTERM)
    return wrong if stopped else [*wrong, "the daemon did not stop when asked"]


def scheduler_away(seconds: float, cluster: RealCluster, root: Path, share: Share) -> list[str]:
    """What was wrong while the scheduler was away for so long, and when it was back."""
    daemon = new_daemon("away", cluster, root, share)
    photos = {f"{number:02}.jpg": b"slow 0.5 %d" % number for number in range(48)}
    early, late = dict(list(photos.items())[:36]), dict(list(photos.items())[36:])
    wrong: list[str] = []
    drop(early, share)
    daemon.start()
    try:
        wait_for(lambda: len(list(share.store.glob("done/*"))) >= len(early) // 3, share)
        cluster.kill("scheduler")
        gone = time.monotonic()
        drop(late, share)
        time.sleep(seconds / 4)  # what a worker had answered is delivered yet
        held = listing(share, "done", "out")
        time.sleep(max(0.0, gone + seconds - time.monotonic()))
        if listing(share, "done", "out") != held:
            wrong.append("something was delivered without a scheduler")
        if len(held) >= 3 * len(early):
            wrong.append("nothing was held: all was done before")
        cluster.start_scheduler()
        wrong += settled(photos, {}, share)
    finally:
        stopped = daemon.kill(signal.SIGTERM)
    told = daemon.log.read_text("utf-8").splitlines()
    if not any(" held " in line and "scheduler" in line for line in told):
        wrong.append("nothing tells that the scheduler was away")
    wrong += [f"a photo lost an attempt: {line}" for line in told if " retry " in line]
    return wrong if stopped else [*wrong, "the daemon did not stop when asked"]


def strike(dice: random.Random, cluster: RealCluster, daemon: Daemon, share: Share) -> None:
    """One blow, and after a while its end."""
    what = dice.choice(["worker", "worker", "group", "scheduler", "daemon", "share"])
    name = dice.choice(GROUPS)
    if what == "worker":
        for pid in cluster.workers(name):
            kill(pid)
    elif what == "group":
        cluster.kill(name)
        start_group(cluster, name)
    elif what == "scheduler":
        cluster.kill("scheduler")
        time.sleep(dice.uniform(0, 3))
        cluster.start_scheduler()
    elif what == "daemon":
        daemon.kill()
        time.sleep(dice.uniform(0, 1))
        daemon.start()
    else:
        share.detach()
        time.sleep(dice.uniform(0.2, 3))
        share.attach()


def start_group(cluster: RealCluster, name: str) -> None:
    """One worker, with what keeps it running."""
    cluster.start_workers(name, 1)


def settled(photos: dict[str, bytes], poison: dict[str, bytes], share: Share) -> list[str]:
    """Wait until every photo has ended; then what is not as it must be."""
    names = {*photos, *poison}

    def ended() -> bool:
        found = {path.name for path in (*share.store.glob("done/*"), *share.store.glob("failed/*.jpg"))}
        return names <= found

    wait_for(ended, share)
    time.sleep(1)  # a late twin would write now
    wait_for(lambda: not astray(photos, poison, share), share, 30)
    return astray(photos, poison, share)


def wait_for(condition: Callable[[], bool], share: Share, stuck: float = STUCK) -> None:
    """Wait until a condition holds, as long as files on the share change at all."""
    before, since = listing(share), time.monotonic()
    while not condition() and time.monotonic() - since < stuck:
        time.sleep(0.2)
        now = listing(share)
        if now != before:
            before, since = now, time.monotonic()


def listing(share: Share, *folders: str) -> set[Path]:
    """The files on the share, or in some of its folders, while others move them."""
    tops = [share.store / name for name in folders] or [share.store]
    return {Path(below, name) for top in tops for below, _, names in os.walk(top) for name in names}


def drop(photos: dict[str, bytes], share: Share) -> None:
    """Put photos into the hot folder."""
    for name, data in photos.items():
        (share.store / "in" / name).write_bytes(data)


def astray(photos: dict[str, bytes], poison: dict[str, bytes], share: Share) -> list[str]:
    """What is missing on the share, what is too much, and what has other bytes than it must have."""
    files = {}
    for path in listing(share):
        with suppress(FileNotFoundError):
            files[path.relative_to(share.store).as_posix()] = path.read_bytes()
    expected = {f"done/{name}": data for name, data in photos.items()}
    for name, data in photos.items():
        for form in ("psd", "png"):
            expected[f"out/{Path(name).stem}.{form}"] = form.encode() + b":" + data
    expected |= {f"failed/{name}": data for name, data in poison.items()}
    reasons = {f"failed/{name}.reason.json" for name in poison}
    wrong = [f"missing {name}" for name in sorted({*expected, *reasons} - files.keys())]
    wrong += [f"too many {name}" for name in sorted(files.keys() - {*expected, *reasons})]
    wrong += [f"other bytes {name}" for name in expected if name in files and files[name] != expected[name]]
    return wrong


def main() -> None:
    """Go through the seeds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--away", type=float, metavar="SECONDS")
    parser.add_argument("--daemon", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.daemon is not None:
        be_daemon(options.daemon)
        return
    figures = soak(range(options.first, options.first + options.seeds), options.away)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    sys.exit(1 if figures["wrong"] else 0)


def soak(seeds: range, away: float | None = None) -> dict[str, Any]:
    """All seeds over one cluster, whose parts are killed and come back; then the scheduler away once."""
    root = Path(tempfile.mkdtemp(prefix="mattebox-cluster-soak-"))
    share = Share(root / "store", root / "share")
    share.store.mkdir()
    wrong: dict[str, list[str]] = {}
    trials: dict[str, Callable[..., list[str]]] = {f"seed {seed}": partial(one_seed, seed) for seed in seeds}
    if away is not None:
        trials[f"scheduler away for {away:g} s"] = partial(scheduler_away, away)
    begun = time.monotonic()
    try:
        with real_cluster(root) as cluster:
            for name in GROUPS:
                start_group(cluster, name)
            for name, trial in trials.items():
                found = trial(cluster, root, share)
                if found:
                    wrong[name] = found
                spent = f"{time.monotonic() - begun:.0f} s"
                print(f"{name}: {'; '.join(found) or 'right'} ({spent})", flush=True)
    finally:
        share.detach()
    if not wrong:
        shutil.rmtree(root)
    else:
        print(f"See {root}.", file=sys.stderr)
    return {"seeds": len(seeds), "wrong": wrong, "minutes": round((time.monotonic() - begun) / 60, 1)}


if __name__ == "__main__":
    main()
