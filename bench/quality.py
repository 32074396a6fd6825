"""Measures mattes against the truth, with rembg's in the same run.

FOLDER holds im/ and gt/ with equal stems; gt is gray, 255 is subject. Needs pysodmetrics
(`pip install --no-deps pysodmetrics`). --peer rembg needs an environment of its own with `rembg[cpu,cli]`,
whose interpreter --peer-python names; its answers are kept by the photo's hash, since its alpha matting is
slow and its first import compiles.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import tempfile
from dataclasses import asdict
from itertools import product
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from metrics import Errors, measure
from PIL import Image
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metrics import Matte

QUALITIES = ("fast", "balanced", "best")
PEER_MODES = ("default", "a", "ppm")
BETTER_IS_MORE = ("iou", "smeasure", "weighted_f")
SHOWN = ("mae", "iou", "smeasure", "weighted_f", "sad", "gradient", "connectivity", "edge")
TILE = 200
_WIDTH = 190
Results = dict[str, dict[str, Errors]]


def main() -> None:
    """Measure each folder, print its table, write JSON and contact sheets."""
    chosen = _arguments()
    console, report = Console(), {}
    # Beside a file or a pipe the table is not folded.
    console.width = max(console.width, _WIDTH)
    for folder in chosen.data:
        photos = list(_pairs(folder))[:: chosen.every]
        if chosen.peer:
            _ask_rembg([photo for photo, _ in photos], chosen)
        mattes = _ours(photos, chosen)
        if chosen.peer:
            for mode in chosen.peer_modes:
                mattes[f"rembg {mode}"] = {
                    photo.stem: _gray(_peer_file(photo, chosen, mode)) for photo, _ in photos
                }
        results: Results = {name: {} for name in mattes}
        for photo, truth in photos:
            true = _gray(truth)
            for name, found in mattes.items():
                results[name][photo.stem] = measure(found[photo.stem], true)
        console.print(_table(folder.name, results, "rembg default" if chosen.peer else None))
        report[folder.name] = {
            name: {stem: asdict(item) for stem, item in each.items()} for name, each in results.items()
        }
        if chosen.sheet:
            chosen.sheet.mkdir(parents=True, exist_ok=True)
            _sheet(photos, mattes, results, chosen.sheet / f"{folder.name}.png")
    if chosen.json:
        chosen.json.write_text(json.dumps(report, indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--every", type=int, default=1, help="take every Nth photo")
    parser.add_argument("--quality", nargs="+", choices=QUALITIES, default=["balanced"])
    parser.add_argument(
        "--precision",
        nargs="+",
        choices=("auto", "full"),
        default=["auto"],
        help="auto: 8 bits where kept",
    )
    parser.add_argument("--model", default="u2net")
    parser.add_argument("--refine", default="auto", choices=("auto", "none", "hair", "hard"))
    parser.add_argument("--peer", choices=("rembg",))
    parser.add_argument("--peer-python", type=Path, help="the interpreter of rembg's environment")
    parser.add_argument("--peer-modes", nargs="+", choices=PEER_MODES, default=list(PEER_MODES))
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "mattebox-quality")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path, help="folder for contact sheets of the best and worst")
    chosen = parser.parse_args()
    if chosen.peer and chosen.peer_python is None:
        parser.error("--peer rembg: name its interpreter with --peer-python")
    return chosen


def _pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    for photo in sorted((folder / "im").iterdir()):
        yield photo, next((folder / "gt").glob(f"{photo.stem}.*"))


def _gray(path: Path) -> Matte:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"), np.float32) / np.float32(255)


def _ours(photos: list[tuple[Path, Path]], chosen: argparse.Namespace) -> dict[str, dict[str, Matte]]:
    from mattebox.core.engine import Engine
    from mattebox.core.photo import read_photo
    from mattebox.core.settings import CutSettings

    engine, mattes = Engine(), {}
    for quality, precision in product(chosen.quality, chosen.precision):
        settings = CutSettings(
            model=chosen.model,
            quality=quality,
            precision=precision,
            refine=chosen.refine,
            decontaminate=False,
        )
        name = f"ours {quality}" if len(chosen.precision) == 1 else f"ours {quality}, {precision}"
        mattes[name] = {
            path.stem: np.asarray(engine.cut(read_photo(path), settings).alpha, np.float32) / np.float32(255)
            for path, _ in photos
        }
    return mattes


def _peer_file(photo: Path, chosen: argparse.Namespace, mode: str) -> Path:
    key = hashlib.sha256(photo.read_bytes()).hexdigest()
    cache: Path = chosen.cache
    return cache / f"{key}.{chosen.model}.{mode}.png"


def _ask_rembg(photos: list[Path], chosen: argparse.Namespace) -> None:
    """Have rembg's own interpreter make what the cache lacks, from the weights that we use."""
    from mattebox.models.catalogue import find_network
    from mattebox.models.store import Store

    wanted = [
        (os.fspath(photo), mode)
        for photo in photos
        for mode in chosen.peer_modes
        if not _peer_file(photo, chosen, mode).exists()
    ]
    if not wanted:
        return
    weights = Store().ensure(find_network(chosen.model))
    script = Path(__file__).with_name("rembg_mattes.py")
    subprocess.run(
        [chosen.peer_python, script, chosen.cache, chosen.model],
        input=json.dumps(wanted),
        text=True,
        check=True,
        env={**os.environ, "U2NET_HOME": os.fspath(weights.parent), "PYTHONPATH": ""},
        stdout=subprocess.DEVNULL,
    )


def _table(title: str, results: Results, base: str | None) -> Table:
    """Mean / median of each error, and wins over `base` by IoU and by edge error."""
    count = len(next(iter(results.values())))
    table = Table(title=f"{title}: {count} photos, mean / median")
    for heading in ("", *SHOWN, "wins iou", "wins edge"):
        table.add_column(heading)
    for name, each in results.items():
        cells: list[str] = []
        for field in SHOWN:
            values = [getattr(item, field) for item in each.values()]
            cells.append(f"{mean(values):.4g} / {median(values):.4g}")
        cells.extend(
            f"{_wins(each, results[base], field)}" if base and name != base else ""
            for field in ("iou", "edge")
        )
        table.add_row(name, *cells)
    return table


def _wins(ours: dict[str, Errors], theirs: dict[str, Errors], field: str) -> int:
    sign = 1 if field in BETTER_IS_MORE else -1
    return sum(sign * (getattr(ours[stem], field) - getattr(theirs[stem], field)) > 0 for stem in ours)


def _sheet(
    photos: list[tuple[Path, Path]], mattes: dict[str, dict[str, Matte]], results: Results, path: Path
) -> None:
    """A contact sheet: photo, truth and every matte of the five worst and five best by our edge error."""
    first = next(iter(results))
    order = sorted(photos, key=lambda pair: -results[first][pair[0].stem].edge)
    rows = order if len(order) <= 10 else order[:5] + order[-5:]
    lines = [
        np.hstack(
            [
                _tile(_picture(photo)),
                _tile(_gray(truth)),
                *(_tile(each[photo.stem]) for each in mattes.values()),
            ]
        )
        for photo, truth in rows
    ]
    Image.fromarray(np.vstack(lines)).save(path)


def _picture(path: Path) -> Any:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), np.float32) / 255


def _tile(picture: Any) -> Any:
    levels = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    if levels.ndim == 2:
        levels = np.repeat(levels[..., None], 3, axis=2)
    scale = TILE / max(levels.shape[:2])
    small = cv2.resize(levels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile = np.full((TILE, TILE, 3), 40, np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small[:TILE, :TILE]
    return tile


if __name__ == "__main__":
    main()
