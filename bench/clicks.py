"""Measures pointing on labelled photos, as interactive segmentation is measured: simulated clicks and boxes.

FOLDER holds im/ and gt/ with equal stems; gt is gray, 255 is subject. The first click is at the middle of the
truth, each next one at the middle of the largest error (Sofiiuk, Petrov, Konushin: "Reviving Iterative
Training with Mask Guidance for Interactive Segmentation", ICIP 2022). "clicks to .90" are those needed for
an IoU of .90, at most --most. "alone" has no salient map, "refined" is the finished matte after one click.
"fell" counts photos that a further click made worse by more than .01, of five. What networks say is kept in
--cache.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from metrics import edge_error, iou
from PIL import Image
from pointing_cache import known, session_of
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mattebox.core.engine import Engine
from mattebox.core.segment.prepare import network_input
from mattebox.core.segment.prompt.network import Promptable
from mattebox.core.segment.prompt.places import middle
from mattebox.core.segment.prompt.prompts import Prompts
from mattebox.core.settings import CutSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from metrics import Matte

    from mattebox.core.session import Session

_TOLD: Final = (1, 2, 3, 5)
_GOOD: Final = 0.9
_FALL: Final = 0.01
_WIDTH: Final = 130


def main() -> None:
    """Measure each folder, print its table, write JSON."""
    chosen = _arguments()
    engine = Engine()
    network, missing = engine.promptable()
    if not isinstance(network, Promptable):
        raise SystemExit(missing)
    console, report = Console(), {}
    console.width = max(console.width, _WIDTH)
    for folder in chosen.data if not chosen.speed else ():
        photos = sorted((folder / "im").iterdir())
        random.Random(chosen.seed).shuffle(photos)
        photos = sorted(photos[: chosen.count]) if chosen.count else photos
        rows = []
        for path in track(photos, folder.name, console=Console(stderr=True)):
            told = known(path, engine, network, chosen.cache)
            truth = _gray(next((folder / "gt").glob(f"{path.stem}.*")))
            row: dict[str, Any] = {"photo": path.name}
            for name in ("with", "alone") if chosen.alone else ("with",):
                session = session_of(told, network, salient=name == "with")
                row[name] = _pointed(session, truth, chosen.most, box=True)
                if name == "with" and chosen.refine:
                    row |= _refined(session, truth)
            rows.append(row)
        report[folder.name] = rows
        console.print(_table(folder.name, rows))
    if chosen.speed:
        report["seconds"] = _speed(engine, network, chosen.data[0], chosen.cache)
        console.print(report["seconds"])
    if chosen.json:
        chosen.json.write_text(json.dumps(report, indent=1))


def _pointed(session: Session, truth: Matte, most: int, *, box: bool) -> dict[str, Any]:
    """IoU after each click, at most `most`, and for the true box."""
    found: list[float] = []
    prompts, level = Prompts(), np.zeros_like(truth)
    while len(found) < most:
        wrong = (level >= 0.5) != (truth >= 0.5)
        place = middle(wrong)
        if place is None:
            break
        x, y = place
        prompts = prompts.with_click(float(x), float(y), inside=bool(truth[y, x] >= 0.5))
        level = _of_size(session.answer(prompts).level, truth)
        found.append(iou(level, truth))
        if len(found) >= max(_TOLD) and max(found) >= _GOOD:
            break
    found += [found[-1]] * (most - len(found))
    row: dict[str, Any] = {"clicks": found}
    if box:
        left, top, width, height = cv2.boundingRect((truth >= 0.5).astype(np.uint8))
        edges = (float(left), float(top), float(left + width), float(top + height))
        row["box"] = iou(_of_size(session.answer(Prompts(box=edges)).level, truth), truth)
    return row


def _refined(session: Session, truth: Matte) -> dict[str, float]:
    """IoU and edge error of the finished matte after one click."""
    place = middle(truth >= 0.5)
    if place is None:
        return {}
    alpha = session.cut(Prompts().with_click(*map(float, place))).alpha
    matte = np.asarray(alpha, np.float32) / np.float32(np.iinfo(alpha.dtype).max)
    return {"refined_iou": iou(matte, truth), "refined_edge": edge_error(matte, truth)}


def _table(name: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=f"{name}: {len(rows)} photos")
    headings = (
        "",
        *(f"{count} clicks" for count in _TOLD),
        "box",
        "clicks to .90",
        "fell",
        "refined",
        "edge",
    )
    for heading in headings:
        table.add_column(heading)
    for way in ("with", "alone"):
        if way not in rows[0]:
            continue
        clicks = [row[way]["clicks"] for row in rows]
        needed = [next((n for n, v in enumerate(each, 1) if v >= _GOOD), len(each)) for each in clicks]
        fell = sum(any(b < a - _FALL for a, b in pairwise(each[:5])) for each in clicks)
        cells = [f"{mean(each[min(n, len(each)) - 1] for each in clicks):.3f}" for n in _TOLD]
        cells += [f"{mean(row[way]['box'] for row in rows):.3f}", f"{mean(needed):.2f}", str(fell)]
        refined = [row for row in rows if "refined_iou" in row] if way == "with" else []
        cells += (
            [f"{mean(row[key] for row in refined):.3f}" for key in ("refined_iou", "refined_edge")]
            if refined
            else ["", ""]
        )
        table.add_row(way, *cells)
    return table


def _speed(engine: Engine, network: Promptable, folder: Path, cache: Path) -> dict[str, float]:
    """Seconds of one look, of encoding and of a session's first and further answers, medians of seven."""
    path = min((folder / "im").iterdir())
    told = known(path, engine, network, cache)
    view = network_input(told.segmented.photo).enhanced
    segmenter = engine.segmenter(CutSettings(precision="full"))
    height, width = view.shape[:2]
    one = Prompts().with_click(width / 2, height / 2)
    two = one.with_click(width / 3, height / 3, inside=False)
    works: dict[str, Callable[[Session], object]] = {
        "look": lambda _: segmenter.probability(view),
        "encode": lambda _: network.encode(view),
        "first": lambda session: session.answer(one),
        "further": lambda session: session.answer(two),
        "third": lambda session: session.answer(two.with_click(width / 2, height / 3)),
    }
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(7):
        session = session_of(told, network)
        for name, work in works.items():
            start = time.perf_counter()
            work(session)
            found[name].append(time.perf_counter() - start)
    seconds = {name: float(np.median(each)) for name, each in found.items()}
    ratios = {f"{name} by look": seconds[name] / seconds["look"] for name in works if name != "look"}
    return {**seconds, **ratios}


def _of_size(level: Matte, truth: Matte) -> Matte:
    height, width = truth.shape
    return np.asarray(cv2.resize(level, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _gray(path: Path) -> Matte:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"), np.float32) / np.float32(255)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--count", type=int, default=0, help="so many photos of each folder, chosen by --seed"
    )
    parser.add_argument("--seed", type=int, default=27)
    parser.add_argument("--most", type=int, default=20, help="clicks at most")
    parser.add_argument("--alone", action="store_true", help="also without the salient map")
    parser.add_argument("--refine", action="store_true", help="also the finished matte after the first click")
    parser.add_argument("--speed", action="store_true", help="seconds, on the first photo, and nothing else")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "mattebox-pointing")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
