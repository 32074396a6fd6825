"""Measures refining of rough answers on labelled photos: the true outline too wide or too narrow, or a box.

FOLDER holds im/ and gt/ with equal stems; gt is gray, 255 is subject. "dilated" and "eroded" move the truth's
outline by one hundredth of the diagonal, "box" is the truth's bounding box. A ratio is the refined edge error
by the rough one's; exit status 1 where the mean ratio of a kind on a folder is above --promise.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from metrics import edge_error, iou
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table

if TYPE_CHECKING:
    from metrics import Matte

_WIDTH: Final = 110
_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of rough answer on one folder."""

    rough: str
    photos: int
    edge_rough: float
    edge_refined: float
    ratio: float
    ratio_median: float
    at_most_half: int
    iou_rough: float
    iou_refined: float


def main() -> None:
    """Measure each folder, print its table, write JSON."""
    chosen = _arguments()
    from mattebox.core.engine import Engine
    from mattebox.core.photo import read_photo
    from mattebox.core.settings import CutSettings

    engine = Engine()
    settings = CutSettings(model=chosen.model, quality=chosen.quality, decontaminate=False)
    console, report, broken = Console(), {}, False
    console.width = max(console.width, _WIDTH)
    for folder in chosen.data:
        photos = sorted((folder / "im").iterdir())[:: chosen.every]
        found: dict[str, list[tuple[float, float, float, float]]] = {}
        for path in track(photos, folder.name, console=Console(stderr=True)):
            photo = read_photo(path)
            truth = _gray(next((folder / "gt").glob(f"{path.stem}.*")))
            for kind, rough in roughs(truth).items():
                alpha = engine.cut(photo, settings, rough=rough).alpha
                matte = np.asarray(alpha, np.float32) / np.float32(np.iinfo(alpha.dtype).max)
                errors = (edge_error(rough, truth), edge_error(matte, truth))
                found.setdefault(kind, []).append((*errors, iou(rough, truth), iou(matte, truth)))
        rows = [_row(kind, each) for kind, each in found.items()]
        table = Table(title=f"{folder.name}: {len(photos)} photos, {chosen.model}, {chosen.quality}")
        for heading in Row.__slots__:
            table.add_column(heading.replace("_", " "))
        for row in rows:
            cells = asdict(row).values()
            table.add_row(*(f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in cells))
        console.print(table)
        report[folder.name] = [asdict(row) for row in rows]
        broken |= any(row.ratio > chosen.promise for row in rows)
    if chosen.json:
        chosen.json.write_text(json.dumps(report, indent=1))
    sys.exit(int(broken))


def roughs(truth: Matte) -> dict[str, Matte]:
    """What somebody might draw of a subject, (h, w) float32 of 0 and 1 each."""
    subject = (truth >= 0.5).astype(np.uint8)
    reach = max(1, round(_SHARE * float(np.hypot(*truth.shape))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    left, top, width, height = cv2.boundingRect(subject)
    box = np.zeros_like(subject)
    box[top : top + height, left : left + width] = 1
    drawn = {"dilated": cv2.dilate(subject, disc), "eroded": cv2.erode(subject, disc), "box": box}
    return {kind: np.asarray(mask, np.float32) for kind, mask in drawn.items()}


def _row(kind: str, found: list[tuple[float, float, float, float]]) -> Row:
    before, after, iou_before, iou_after = (list(column) for column in zip(*found, strict=True))
    ratios = [late / max(early, 1e-9) for early, late in zip(before, after, strict=True)]
    return Row(
        kind,
        len(found),
        mean(before),
        mean(after),
        mean(after) / max(mean(before), 1e-9),
        median(ratios),
        sum(ratio <= 0.5 for ratio in ratios),
        mean(iou_before),
        mean(iou_after),
    )


def _gray(path: Path) -> Matte:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"), np.float32) / np.float32(255)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--every", type=int, default=1, help="take every Nth photo")
    parser.add_argument("--model", default="u2net")
    parser.add_argument("--quality", choices=("fast", "balanced", "best"), default="balanced")
    parser.add_argument("--promise", type=float, default=0.5, metavar="RATIO")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
