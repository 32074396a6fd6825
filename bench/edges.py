"""Compares the ways to refine on labelled photos, from the same maps in one run: is refining never worse?

FOLDER holds im/ and gt/ with equal stems; gt is gray, 255 is subject. Each photo is looked at once and its
map kept in --cache by the photo's hash, so that a second run only refines. "better" and "worse" count
photos by edge error against `none`. Exit status 1 where a way of --promise is worse than `none` in mean
edge error on a folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING

import numpy as np
from metrics import edge_error, iou
from PIL import Image
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from metrics import Matte
    from numpy.typing import NDArray

    from mattebox.core.engine import Engine
    from mattebox.core.photo import Photo
    from mattebox.core.settings import CutSettings

_WIDTH = 110
MODES = ("none", "auto", "hair", "hard")


@dataclass(frozen=True, slots=True)
class Row:
    """One way to refine on one folder."""

    mode: str
    photos: int
    edge_mean: float
    edge_median: float
    better: int
    worse: int
    most_lost: float
    iou: float
    sad: float


def main() -> None:
    """Measure each folder, print its table, write JSON."""
    chosen = _arguments()
    from mattebox.core.engine import Engine
    from mattebox.core.settings import CutSettings

    engine, settings = Engine(), CutSettings(model=chosen.model, quality=chosen.quality)
    console, report, broken = Console(), {}, False
    console.width = max(console.width, _WIDTH)
    for folder in chosen.data:
        photos = sorted((folder / "im").iterdir())[:: chosen.every]
        rows = _measure(photos, folder, engine, settings, chosen.cache)
        table = Table(title=f"{folder.name}: {len(photos)} photos, {chosen.model}, {chosen.quality}")
        for heading in Row.__slots__:
            table.add_column(heading.replace("_", " "))
        for row in rows:
            cells = asdict(row).values()
            table.add_row(*(f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in cells))
        console.print(table)
        report[folder.name] = [asdict(row) for row in rows]
        broken |= any(row.mode in chosen.promise and row.edge_mean > rows[0].edge_mean for row in rows)
    if chosen.json:
        chosen.json.write_text(json.dumps(report, indent=1))
    sys.exit(int(broken))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--every", type=int, default=1, help="take every Nth photo")
    parser.add_argument("--model", default="u2net")
    parser.add_argument("--quality", choices=("fast", "balanced", "best"), default="balanced")
    parser.add_argument("--promise", nargs="*", choices=MODES, default=["auto"])
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "mattebox-edges")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _measure(
    photos: list[Path], folder: Path, engine: Engine, settings: CutSettings, cache: Path
) -> list[Row]:
    from mattebox.core.matte.refine import refine_matte
    from mattebox.core.photo import read_photo

    found: dict[str, list[tuple[float, float, float]]] = {mode: [] for mode in MODES}
    for path in photos:
        photo = read_photo(path)
        probability, detail = _seen(path, photo, engine, settings, cache)
        truth = _gray(next((folder / "gt").glob(f"{path.stem}.*")))
        for mode, each in found.items():
            alpha = refine_matte(photo, probability, mode, detail, learned=settings.quality != "fast")
            matte = np.asarray(alpha, np.float32) / np.float32(np.iinfo(alpha.dtype).max)
            sad = float(np.abs(matte - truth).sum()) / 1000
            each.append((edge_error(matte, truth), iou(matte, truth), sad))
    plain = [edge for edge, _, _ in found["none"]]
    return [_row(mode, each, plain) for mode, each in found.items()]


def _row(mode: str, found: list[tuple[float, float, float]], plain: list[float]) -> Row:
    edges, ious, sads = (list(column) for column in zip(*found, strict=True))
    lost = [edge - before for edge, before in zip(edges, plain, strict=True)]
    better, worse = sum(each < 0 for each in lost), sum(each > 0 for each in lost)
    return Row(
        mode, len(edges), mean(edges), median(edges), better, worse, max(lost), mean(ious), mean(sads)
    )  # fmt: skip


def _seen(
    path: Path, photo: Photo, engine: Engine, settings: CutSettings, cache: Path
) -> tuple[NDArray[np.float32], float]:
    """The fused map of a photo's subject and its detail, from the cache where it is there."""
    from mattebox.core.segment.segmentation import segment
    from mattebox.core.segment.subject import choose_subject
    from mattebox.core.segment.view import network_view

    key = hashlib.sha256(path.read_bytes()).hexdigest()
    kept = cache / f"{key}.{settings.model}.{settings.quality}.npz"
    if not kept.exists():
        view = network_view(photo)
        segmentation = segment(view, engine.segmenters(settings), settings.quality)
        probability, _ = choose_subject(segmentation.probability, settings, view.shape[1] / photo.width)
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(kept, probability=probability, detail=segmentation.detail)
    with np.load(kept) as saved:
        return np.asarray(saved["probability"], np.float32), float(saved["detail"])


def _gray(path: Path) -> Matte:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"), np.float32) / np.float32(255)


if __name__ == "__main__":
    main()
