"""Degraded copies of labelled photos: what preparing the networks' copy gains, and what is warned of.

FOLDER holds im/ and gt/ with equal stems. Every copy is cut with the default quality, once with the view as
it is and once prepared (core/segment/prepare.py); refining, which knows nothing of either, is left out.
Answers of networks are kept by the hash of what they saw.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, cast, get_args

import cv2
import numpy as np
from metrics import edge_error, iou
from rich.console import Console
from rich.table import Table

from mattebox.core.engine import Engine
from mattebox.core.photo import Photo, read_photo
from mattebox.core.report.advice import WarningName, warn
from mattebox.core.report.features import measure
from mattebox.core.segment.prepare import network_input
from mattebox.core.segment.segmentation import segment, view_side
from mattebox.core.segment.subject import choose_subject
from mattebox.core.segment.view import close_up
from mattebox.core.settings import CutSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mattebox.core.network.segmenter import Segmenter

    Picture = NDArray[np.uint8]

WARNINGS = get_args(WarningName)
STOPS = 4
READOUT_NOISE = 2
CONTRAST, MIDDLE = 0.3, 150
SIGMA = 25
QUALITIES = (10, 20, 30)
BLUR = 0.008  # of the diagonal
SHAKE = 0.03
MUCH = 0.01
WIDTH = 150


@dataclass(frozen=True)
class Row:
    """One copy of one photo, cut in one way: iou and edge error, its measures and its warnings."""

    photo: str
    copy: str
    way: str
    changed: bool
    iou: float
    edge: float
    measures: dict[str, float]
    warnings: list[str]


class Remembering:
    """A Segmenter whose answers are kept in a folder."""

    def __init__(self, segmenter: Segmenter, folder: Path) -> None:
        """`folder` is made where it is missing."""
        self.network, self._segmenter, self._folder = segmenter.network, segmenter, folder
        folder.mkdir(parents=True, exist_ok=True)

    def probability(self, view: Picture) -> NDArray[np.float32]:
        """What the Segmenter answers, to one part in 65,535."""
        key = hashlib.sha256(view.tobytes() + str((view.shape, self.network.name)).encode()).hexdigest()
        place = self._folder / f"{key[:40]}.png"
        if not place.exists():
            found = self._segmenter.probability(view)
            cv2.imwrite(str(place), np.rint(found * 65535).astype(np.uint16))
        stored = np.asarray(cv2.imread(str(place), cv2.IMREAD_UNCHANGED))
        return np.asarray(stored / 65535, np.float32)


def main() -> None:
    """Cut every copy both ways, print both tables, write JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--every", type=int, nargs="+", default=[1], help="take every Nth photo, by folder")
    parser.add_argument("--offset", type=int, default=0, help="begin at this photo of each folder")
    parser.add_argument("--model", default="u2net")
    parser.add_argument("--quality", default="balanced", choices=("fast", "balanced", "best"))
    parser.add_argument("--copies", nargs="+", choices=tuple(copies()), default=list(copies()))
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "mattebox-degraded")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    settings = CutSettings(model=chosen.model, quality=chosen.quality)
    segmenters = [Remembering(item, chosen.cache) for item in Engine().segmenters(settings)]
    rows = []
    for index, folder in enumerate(chosen.data):
        step = chosen.every[min(index, len(chosen.every) - 1)]
        for path in sorted((folder / "im").iterdir())[chosen.offset :: step]:
            truth = next((folder / "gt").glob(path.stem + ".*"))
            rows += rows_of(path, truth, chosen.copies, cast("list[Segmenter]", segmenters), settings)
    console = Console()
    # Beside a file or a pipe the table is not folded.
    console.width = max(console.width, WIDTH)
    console.print(gains(rows))
    console.print(rates(rows))
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


def rows_of(
    path: Path, truth: Path, names: list[str], segmenters: list[Segmenter], settings: CutSettings
) -> list[Row]:
    """All copies of one photo, each as it is and, where that changes it, prepared."""
    photo = read_photo(path)
    true = np.asarray(cv2.imread(str(truth), cv2.IMREAD_GRAYSCALE), np.float32) / 255
    size = true.shape[1], true.shape[0]
    pixels = cv2.resize(np.asarray(photo.pixels, np.uint8), size, interpolation=cv2.INTER_AREA)
    rows = []
    for name in names:
        copy = copies()[name](pixels.reshape(*true.shape, -1))
        poor = Photo(copy, photo.mode, icc=photo.icc)
        views = network_input(poor, view_side(segmenters, settings.quality))
        view = views.view
        changed = not np.array_equal(view, views.enhanced)
        for way, seen in (("as it is", view), ("prepared", views.enhanced)):
            segmentation = segment(seen, segmenters, settings.quality)
            probability, count = choose_subject(segmentation.probability, settings)
            features = measure(view, segmentation, probability, close_up(poor, view))
            advice = warn(features, count, max(size))
            matte = cv2.resize(probability, size, interpolation=cv2.INTER_LINEAR)
            rows.append(
                Row(
                    f"{path.parent.parent.name}/{path.stem}",
                    name,
                    way,
                    changed,
                    iou(matte, true),
                    edge_error(matte, true),
                    asdict(features) if features else {},
                    [item.name for item in advice],
                )
            )
    return rows


def copies() -> dict[str, Callable[[Picture], Picture]]:
    """Every degradation of (h, w, c) uint8 pixels, by name."""
    return {
        "clean": lambda pixels: pixels,
        "dark": dark,
        "flat": lambda pixels: _levels((pixels - 127.5) * CONTRAST + MIDDLE),
        "noisy": lambda pixels: _levels(pixels + _grain(pixels.shape, SIGMA)),
        **{f"quality {quality}": _compressed(quality) for quality in QUALITIES},
        "blurred": lambda pixels: _filtered(cv2.GaussianBlur(pixels, (0, 0), _part(pixels, BLUR)), pixels),
        "shaken": shaken,
    }


def dark(pixels: Picture) -> Picture:
    """Underexposed by STOPS stops in linear light, with a sensor's noise."""
    light = np.where(pixels <= 10, pixels / 255 / 12.92, ((pixels / 255 + 0.055) / 1.055) ** 2.4) / 2**STOPS
    shown = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return _levels(shown * 255 + _grain(pixels.shape, READOUT_NOISE))


def shaken(pixels: Picture) -> Picture:
    """Moved sideways while the shutter was open."""
    length = max(3, round(_part(pixels, SHAKE)))
    trail = np.full((1, length), 1 / length, np.float32)
    return _filtered(cv2.filter2D(pixels, -1, trail, borderType=cv2.BORDER_REPLICATE), pixels)


def _compressed(quality: int) -> Callable[[Picture], Picture]:
    def compressed(pixels: Picture) -> Picture:
        _, packed = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        kind = cv2.IMREAD_GRAYSCALE if pixels.shape[2] == 1 else cv2.IMREAD_COLOR
        return _filtered(np.asarray(cv2.imdecode(packed, kind)), pixels)[..., ::-1].copy()

    return compressed


def _grain(shape: tuple[int, ...], sigma: float) -> NDArray[np.float64]:
    return np.random.default_rng(1).normal(0, sigma, shape)


def _levels(values: NDArray[Any]) -> Picture:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _part(pixels: Picture, share: float) -> float:
    return share * float(np.hypot(*pixels.shape[:2]))


def _filtered(found: NDArray[Any], pixels: Picture) -> Picture:
    return np.asarray(found, np.uint8).reshape(pixels.shape)


def gains(rows: list[Row]) -> Table:
    """IoU and edge error of each copy both ways, and the photos whose IoU moved by more than MUCH."""
    table = Table(
        "copy", "photos", "changed", "IoU", "prepared", "up", "down", "edge", "prepared", title="Preparing"
    )
    for name in dict.fromkeys(row.copy for row in rows):
        plain, better = (
            [row for row in rows if row.copy == name and row.way == way] for way in ("as it is", "prepared")
        )
        moves = [new.iou - old.iou for old, new in zip(plain, better, strict=True)]
        table.add_row(
            name,
            str(len(plain)),
            str(sum(row.changed for row in plain)),
            f"{mean(row.iou for row in plain):.4f}",
            f"{mean(row.iou for row in better):.4f}",
            str(sum(move > MUCH for move in moves)),
            str(sum(move < -MUCH for move in moves)),
            f"{mean(row.edge for row in plain):.4f}",
            f"{mean(row.edge for row in better):.4f}",
        )
    return table


def rates(rows: list[Row]) -> Table:
    """How often each warning is raised on each copy, in percent of its photos."""
    names = list(dict.fromkeys(row.copy for row in rows))
    table = Table("warning, % of photos", *names, title="Warnings")
    for warning in WARNINGS:
        shares = []
        for name in names:
            told = [warning in row.warnings for row in rows if row.copy == name and row.way == "prepared"]
            shares.append(f"{mean(told):.0%}" if any(told) else "-")
        table.add_row(warning, *shares)
    return table


if __name__ == "__main__":
    main()
