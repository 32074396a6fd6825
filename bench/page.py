"""The light table in a real browser: key to next picture, memory over 10,000 photos, seconds of a click.

    python -m bench.page --photos 200 --rows 10000 --clicks 4 --json page.json
    python -m bench.page --photos 200 --kept FOLDER --make     make those photos for another call
    python -m bench.page --pictures docs        what docs/table.md shows

Needs Debian's chromium (`bash .ci/chromium.sh`), and for clicks and pictures the networks' weights.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.conftest import _shipped_photos
from tests.daemon.hot_folders import HotFolders
from tests.web.many import many
from tests.web.rig import REVIEW, draw_photo, hot_folders, serving, shown
from tests.web.test_looks import more

from mattebox.daemon.journal.journal import Journal
from mattebox.web.table.desk import Desk
from mattebox.web.table.looks import promise_told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# A person who looks before deciding needs at least so long, in milliseconds.
LOOK = 400
SIZE = (2000, 1333)
TOY = "toy.png"
TOY_SIZE = (560, 440)
POINTS = {
    "astronaut.png": (230, 90),
    "cat.png": (240, 150),
    "coffee.png": (290, 170),
    "flower.jpg": (330, 210),
}


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=0, help="decide so many photos by key")
    parser.add_argument("--rows", type=int, default=0, help="memory over so many photos")
    parser.add_argument("--clicks", type=int, default=0, help="so many clicks on each of four photos")
    parser.add_argument("--pictures", type=Path, help="write screenshots into this folder")
    parser.add_argument("--kept", type=Path, help="where photos are made, or were")
    parser.add_argument("--make", action="store_true", help="make the photos and measure nothing")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    found: dict[str, Any] = {"processor": platform.processor() or platform.machine()}
    with browser() as chromium, tempfile.TemporaryDirectory() as fresh:
        root = options.kept or Path(fresh)
        if options.photos:
            folders = made(root / "keys", partial(plain, count=options.photos))
            found["keys"] = None if options.make else keys(chromium, folders, options.photos)
        if options.rows:
            folders = made(root / "rows" / "many", partial(many_rows, root / "rows", options.rows))
            found["rows"] = None if options.make else rows(chromium, folders, options.rows)
        if options.clicks:
            folders = made(root / "clicks", real)
            found["clicks"] = None if options.make else clicks(chromium, folders, options.clicks)
        if options.pictures:
            pictures(chromium, root / "pictures", options.pictures)
    text = json.dumps(found, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


@contextmanager
def browser() -> Iterator[Any]:
    """The system's Chromium."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    if path is None:
        raise SystemExit("There is no chromium; 'bash .ci/chromium.sh' installs it.")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@contextmanager
def table(chromium: Any, config: Path, scheme: str = "light") -> Iterator[tuple[Any, Any]]:
    """The page with its first photo painted, and its server."""
    with serving(config) as server:
        context = chromium.new_context(viewport={"width": 1280, "height": 860}, color_scheme=scheme)
        page = context.new_page()
        page.goto(server.address)
        shown(page, "!!document.body.dataset.painted", 60)
        yield page, server
        context.close()


def made(root: Path, make: Callable[[Path], HotFolders]) -> HotFolders:
    """Hot folders with what is measured, or those of a call before, with nothing decided."""
    if not (root / "state").exists():
        return make(root)
    journal = Journal(root / "state", lock=False)
    with journal.transaction():
        while journal.decisions.undo():
            pass
    journal.close()
    return HotFolders(root, (root / "config.yaml").read_text(encoding="utf-8"))


def plain(root: Path, count: int) -> HotFolders:
    """Drawn photos of 2.7 megapixels in review."""
    folders = hot_folders(root)
    for number in range(count):
        draw_photo(folders.root / "in" / f"photo-{number + 1:04}.jpg", number + 1, SIZE)
    folders.once()
    return folders


def keys(chromium: Any, folders: HotFolders, count: int) -> dict[str, Any]:
    """Milliseconds from a key to the frame with the next picture: while looking, and as fast as it goes."""
    found = {}
    with table(chromium, folders.config) as (page, _):
        page.wait_for_timeout(2000)
        half = count // 2 - 1
        for name, pause in (("looking", LOOK), ("at once", 0)):
            page.evaluate("performance.clearMeasures()")
            decide(page, half, pause)
            spans = page.evaluate("performance.getEntriesByName('key to picture').map(e => e.duration)")
            found[name] = {"photos": len(spans), **summary(spans)}
    return {"megapixels": round(SIZE[0] * SIZE[1] / 1e6, 1), "pause_ms": LOOK, **found}


def decide(page: Any, count: int, pause: int) -> None:
    """Accept so many photos, each once it is painted and looked at for so many milliseconds."""
    for _ in range(count):
        before = page.evaluate("document.body.dataset.painted")
        page.keyboard.press("a")
        shown(page, f"document.body.dataset.painted !== {before!r}", 60)
        page.wait_for_timeout(pause)


def many_rows(root: Path, count: int, target: Path) -> HotFolders:
    """So many rows in review that share a dozen files."""
    folders = hot_folders(root / "twelve")
    for number in range(12):
        draw_photo(folders.root / "in" / f"photo-{number + 100}.jpg", number + 100)
    folders.once()
    return many(folders.root, target, count)


def rows(chromium: Any, folders: HotFolders, count: int) -> dict[str, Any]:
    """Memory of page and server when the list has just come, and after all of it was gone through."""
    with table(chromium, folders.config) as (page, server):
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        began = memory(session, server.process.pid)
        tall = page.evaluate("document.getElementById('rows').offsetHeight")
        for place in range(0, tall, max(1, tall // 100)):
            page.evaluate(f"document.getElementById('list').scrollTop = {place}")
            page.wait_for_timeout(50)
        for _ in range(200):
            page.keyboard.press("j")
            page.wait_for_timeout(20)
        page.evaluate("performance.clearMeasures()")
        decide(page, 50, LOOK)
        spans = page.evaluate("performance.getEntriesByName('key to picture').map(e => e.duration)")
        ended = memory(session, server.process.pid)
        drawn = page.evaluate("document.querySelectorAll('.row').length")
    return {"rows": count, "drawn": drawn, "at first": began, "at last": ended, "key": summary(spans)}


def memory(session: Any, pid: int) -> dict[str, float]:
    """MiB: the page's JavaScript heap after a collection, and the server's resident memory."""
    session.send("HeapProfiler.collectGarbage")
    values = {item["name"]: item["value"] for item in session.send("Performance.getMetrics")["metrics"]}
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return {"page": round(values["JSHeapUsedSize"] / 2**20, 1), "server": round(pages * 4096 / 2**20)}


def real(root: Path) -> HotFolders:
    """Real photos, cut by the real network, all in review."""
    folders = HotFolders(root, REVIEW.replace("below: 0.9", "below: 1"))
    for name, path in _shipped_photos().items():
        shutil.copy(path, folders.root / "in" / name)
    return cut(folders)


def drawn(root: Path) -> HotFolders:
    """Drawn photos, cut by the real network: photos belong to others and are not shown.

    Four in review, and one that was delivered, in four hundred rows that share its files, of which forty
    were looked at.
    """
    from bench.gimp_pictures import toy
    from bench.product_scenes import scene
    from PIL import Image

    text = REVIEW.replace("below: 0.9", "below: 1")
    sure = "      - {name: sure, when: {path: sure*}, deliver: [{format: png, to: './out/{stem}.png'}]}\n"
    folders = HotFolders(root, text.replace("      - name: all", f"{sure}      - name: all"))
    Image.fromarray(toy()).save(folders.root / "in" / TOY)
    for name in ("mug", "bag", "chair"):
        (folders.root / "in" / f"{name}.jpg").write_bytes(scene(name, 3, 700).data)
    (folders.root / "in" / "sure.jpg").write_bytes(scene("mug", 4, 700).data)
    cut(folders)
    more(folders.root, 399)
    desk = Desk(folders.root / "state", folders.config.name)
    desk.changes()
    desk.promise(0.05)
    desk.decide(promise_told(desk.looks.share, desk.drawn(), desk.looks.undrawn)["looks"][:40], "accept")
    desk.close()
    return folders


def cut(folders: HotFolders) -> HotFolders:
    """Do all that waits there."""
    command = [sys.executable, "-m", "mattebox.cli.main", "once", str(folders.config)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folders


def mended(page: Any, state: str = "edged") -> None:
    """Wait for an answer."""
    shown(page, f"document.body.dataset.mend === {state!r}", 300)


def point(page: Any, x: float, y: float, size: tuple[int, int] | None = None) -> tuple[float, float]:
    """Where a point of the photo (of a size, or a shipped one) lies on the page, as the stage fits it."""
    frame = page.locator("#canvas").bounding_box()
    name = page.inner_text("#name")
    from PIL import Image

    if size is None:
        with Image.open(_shipped_photos()[name]) as photo:
            size = photo.size
    width, height = size
    scale = min(frame["width"] / width, frame["height"] / height) * 0.98
    return (
        frame["x"] + frame["width"] / 2 + (x - width / 2) * scale,
        frame["y"] + frame["height"] / 2 + (y - height / 2) * scale,
    )


def clicks(chromium: Any, folders: HotFolders, count: int) -> dict[str, Any]:
    """Seconds until a photo is open, of each answer to a click, and until its edge is redone."""
    opened, edges = [], []
    with table(chromium, folders.config) as (page, _):
        for _ in range(len(POINTS)):
            began = time.monotonic()
            if not opened:
                page.keyboard.press("m")
            mended(page, "ready")
            opened.append(time.monotonic() - began)
            x, y = POINTS[page.inner_text("#name")]
            for number in range(count):
                # The next photo is looked at beside this one: what a person's own time hides.
                page.wait_for_timeout(1500)
                page.keyboard.press("1" if number % 2 == 0 else "2")
                began = time.monotonic()
                page.mouse.click(*point(page, x + 12 * number, y + 8 * number))
                mended(page)
                edges.append(time.monotonic() - began)
            page.keyboard.press("a")
            page.wait_for_timeout(300)
        spans = page.evaluate("performance.getEntriesByName('click to answer').map(e => e.duration)")
    return {
        "open_first_s": round(opened[0], 2),
        "open_ahead_s": [round(span, 2) for span in opened[1:]],
        "answer_ms": {"clicks": len(spans), **summary(spans)},
        "edge_s": {"median": round(statistics.median(edges), 2), "most": round(max(edges), 2)},
    }


def pictures(chromium: Any, root: Path, folder: Path) -> None:
    """The screenshots of docs/table.md."""
    folders = drawn(root)
    quality = {"type": "jpeg", "quality": 72}
    with table(chromium, folders.config) as (page, _):
        page.wait_for_timeout(1500)
        walk_to(page, TOY)
        shown(page, "document.getElementById('known').textContent.includes('more looks')")
        page.keyboard.press("s")
        page.wait_for_timeout(300)
        page.screenshot(path=folder / "table.jpg", **quality)
        page.keyboard.press("s")
        page.keyboard.press("m")
        mended(page, "ready")
        page.mouse.click(*point(page, 300, 330, TOY_SIZE))
        mended(page)
        page.keyboard.press("5")
        page.mouse.move(*point(page, 470, 350, TOY_SIZE))
        page.wait_for_timeout(200)
        page.screenshot(path=folder / "table-mend.jpg", **quality)
    with table(chromium, folders.config, "dark") as (page, _):
        page.wait_for_timeout(1500)
        walk_to(page, "bag.jpg")
        page.keyboard.press("c")
        shown(page, "+document.body.dataset.compare >= 4", 300)
        page.wait_for_timeout(300)
        page.screenshot(path=folder / "table-compare.jpg", **quality)


def walk_to(page: Any, name: str) -> None:
    """Show the photo of a name."""
    for _ in range(10):
        if page.inner_text("#name") == name:
            return
        page.keyboard.press("j")
        page.wait_for_timeout(1500)
    raise SystemExit(f"{name} is not in the list.")


def summary(spans: Sequence[float]) -> dict[str, float]:
    """Median and 95 % of spans, in their own unit."""
    ordered = sorted(spans)
    most = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return {"median": round(statistics.median(ordered), 1), "95 %": round(most, 1)}


if __name__ == "__main__":
    main()
