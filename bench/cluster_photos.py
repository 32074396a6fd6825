"""A thousand photos through two hot folders of one daemon on a cluster whose workers are killed twice.

    python -m bench.cluster_photos --photos 1000 PHOTO...
    python -m bench.cluster_photos --photos 1000

Everything is the product's own: `mattebox cluster up`, `mattebox watch`, real networks, and the light table
open in a real browser (Debian's chromium) all the while, beside `mattebox status` once in a while. Photos are
small copies of PHOTO, each of another size. Without PHOTO the jobs copy bytes, for machines on which a
thousand cutouts last too long. In the end each has its original in done/ and its output, and the page has
been told of each; exit status 1 where that is not so.
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
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.page import browser
from tests.daemon.work.cluster.real import children, kill

from mattebox.daemon.work.cluster.host import listen_address

if TYPE_CHECKING:
    from collections.abc import Iterator

# Hears what the page hears.
LISTEN = """() => {
  window.heard = { messages: 0, lost: 0, done: new Set() };
  const source = new EventSource("/api/events");
  source.onerror = () => window.heard.lost++;
  source.onmessage = (event) => {
    const told = JSON.parse(event.data);
    window.heard.messages++;
    for (const item of told.all || told.items || [])
      if (item.state === "done") window.heard.done.add(item.id);
  };
}"""
HEARD = "() => ({...window.heard, done: window.heard.done.size})"
# Between two questions for `status`, each a process of its own.
ASK = 10.0
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
    if figures["missing"] or figures["too_many"] or figures["unheard"]:
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
    begun, kills, asked, asked_at = time.monotonic(), 0, 0, 0.0
    try:
        with opened_page(root) as page:
            while (done := ended(root, names)) < count and time.monotonic() - begun < 3600:
                # A third and two thirds on, everything that works is killed, the scheduler too.
                if done >= count * (kills + 1) // 3 and kills < 2:
                    for pid in children(up.pid):
                        kill(pid)
                    kills += 1
                if time.monotonic() - asked_at > ASK:
                    asked += bool(status(root)["folders"])
                    asked_at = time.monotonic()
                page.wait_for_timeout(500)
            minutes = (time.monotonic() - begun) / 60
            heard = page.evaluate(HEARD)
            while heard["done"] < count and time.monotonic() - begun < 60 * minutes + 60:
                page.wait_for_timeout(500)
                heard = page.evaluate(HEARD)
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
        "page_messages": heard["messages"],
        "page_connections_lost": heard["lost"],
        "unheard": count - heard["done"],
        "minutes": round(minutes, 1),
        "photos_a_minute": round(count / minutes, 1),
        "missing": len(expected - outputs) + len(kept - originals),
        "too_many": len(outputs - expected) + len(originals - kept),
        "failed": len(list(root.glob("*/failed/*.reason.json"))),
    }


@contextmanager
def opened_page(root: Path) -> Iterator[Any]:
    """The light table of the hot folders, open in a browser."""
    command = [*MATTEBOX, "table", os.fspath(root / "c.yaml"), "--no-browser"]
    with (
        browser() as chromium,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as table,
    ):
        address = next(line.split()[-1] for line in table.stdout or () if "http" in line)
        page = chromium.new_page()
        page.goto(address)
        page.evaluate(LISTEN)
        try:
            yield page
        finally:
            table.terminate()


def status(root: Path) -> dict[str, Any]:
    """What `mattebox status` says."""
    command = [*MATTEBOX, "status", os.fspath(root / "c.yaml"), "--json"]
    told: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return told


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
