"""A thousand photos through two hot folders of one daemon on a cluster whose workers are killed twice.

    python -m bench.cluster_photos --photos 1000 PHOTO...
    python -m bench.cluster_photos --photos 1000

Everything is the product's own: `mattebox cluster up`, `mattebox watch`, real networks; `mattebox status` is
asked the whole time, as a page would. Photos are small copies of PHOTO, each of another size. Without PHOTO
the jobs copy bytes, for machines on which a thousand cutouts last too long. In the end each has its original
in done/ and its output; exit status 1 where one has not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.daemon.work.cluster.real import children, kill

from mattebox.daemon.work.cluster.host import listen_address

MATTEBOX = (sys.executable, "-m", "mattebox.cli.main")
FOLDER = """\
  - name: {name}
    watch: ./{name}/in
    settle: 100ms
    done: ./{name}/done
    failed: ./{name}/failed
    rules:
      - name: all
        cut: {{quality: fast, refine: none}}
        deliver: [{{format: png, to: "./{name}/out/{{stem}}.png"}}]
"""


def main() -> None:
    """Run, and count."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photo", nargs="*", type=Path)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="mattebox-cluster-photos-"))
    figures = run(root, options.photo, options.photos, options.workers)
    print(json.dumps(figures, indent=2))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if figures["missing"] or figures["too_many"]:
        sys.exit(f"See {root}.")
    shutil.rmtree(root)


def run(root: Path, sources: list[Path], count: int, workers: int) -> dict[str, Any]:
    """The figures of one run."""
    address = listen_address("127.0.0.1", 0, None)
    names = ("studio", "outdoors")
    head = f"version: 1\nstate: ./state\nengine: {{model: u2netp, workers: dask, scheduler: '{address}'}}\n"
    folders = "".join(FOLDER.format(name=name) for name in names)
    (root / "c.yaml").write_text(f"{head}folders:\n{folders}", encoding="utf-8")
    wanted = drop(root, sources, count, names)
    with (root / "log").open("wb") as log:
        port = address.rpartition(":")[2]
        up = subprocess.Popen(
            [*MATTEBOX, "cluster", "up", "--port", port, "--workers", str(workers)], stdout=log, stderr=log
        )
        copying = (sys.executable, "-m", "bench.cluster_soak", "--daemon")
        leading = [*MATTEBOX, "watch"] if sources else copying
        daemon = subprocess.Popen([*leading, os.fspath(root / "c.yaml")], stdout=log, stderr=log)
    begun, kills, asked = time.monotonic(), 0, 0
    try:
        while (done := ended(root, names)) < count and time.monotonic() - begun < 3600:
            # A third and two thirds on, everything that works is killed, the scheduler too.
            if done >= count * (kills + 1) // 3 and kills < 2:
                for pid in children(up.pid):
                    kill(pid)
                kills += 1
            status = subprocess.run(
                [*MATTEBOX, "status", os.fspath(root / "c.yaml"), "--json"], capture_output=True, check=True
            )
            asked += bool(json.loads(status.stdout)["folders"])
            time.sleep(2)
        minutes = (time.monotonic() - begun) / 60
    finally:
        for process in (daemon, up):
            process.send_signal(signal.SIGTERM)
        for process in (daemon, up):
            process.wait(60)
    outputs = {path.relative_to(root).as_posix() for path in root.glob("*/out/*")}
    originals = {path.relative_to(root).as_posix() for path in root.glob("*/done/*")}
    expected = {f"{name}/out/{stem}.png" for name, stem in wanted}
    kept = {f"{name}/done/{stem}.jpg" for name, stem in wanted}
    return {
        "photos": count,
        "workers": workers,
        "times_everything_was_killed": kills,
        "status_asked": asked,
        "minutes": round(minutes, 1),
        "photos_a_minute": round(count / minutes, 1),
        "missing": len(expected - outputs) + len(kept - originals),
        "too_many": len(outputs - expected) + len(originals - kept),
        "failed": len(list(root.glob("*/failed/*.reason.json"))),
    }


def drop(root: Path, sources: list[Path], count: int, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Small photos into both folders; which ones."""
    wanted = []
    for name in names:
        (root / name / "in").mkdir(parents=True)
    pictures = [Image.open(path).convert("RGB") for path in sources]
    for number in range(count):
        name = names[number % len(names)]
        path = root / name / "in" / f"{number:05}.jpg"
        if sources:
            side = 160 + number % 97
            pictures[number % len(sources)].resize((side, side * 2 // 3)).save(path, quality=90)
        else:
            path.write_bytes(b"slow 0.02 %d" % number)
        wanted.append((name, f"{number:05}"))
    return wanted


def ended(root: Path, names: tuple[str, ...]) -> int:
    """How many photos are at their end."""
    return sum(
        len(list((root / name / "done").glob("*.jpg"))) + len(list((root / name / "failed").glob("*.jpg")))
        for name in names
    )


if __name__ == "__main__":
    main()
