"""Error in what drawn products enclose, with the backdrop left alone and with it modelled.

python bench/products.py [--seeds N] [--quality balanced] [--side 1200] [--json FILE] [--sheet FILE]

The products of bench/product_scenes.py have exact alpha. Errors are mean differences of alpha: in what is
enclosed and at its edge, and over the whole photo.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import mean
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image
from product_scenes import SHAPES, scene
from rich.console import Console
from rich.table import Table

from mattebox.core.engine import Engine
from mattebox.core.matting import cut_segmented
from mattebox.core.photo import read_photo
from mattebox.core.settings import CutSettings

if TYPE_CHECKING:
    from product_scenes import Scene

TILE = 240


def main() -> None:
    """Print what each product's errors are before and after, and their means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--quality", default="balanced", choices=("fast", "balanced", "best"))
    parser.add_argument("--side", type=int, default=1200)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path)
    chosen = parser.parse_args()
    engine, rows, tiles = Engine(), [], []
    for name in SHAPES:
        for seed in range(chosen.seeds):
            product = scene(name, seed, chosen.side)
            row, mattes = measured(product, engine, chosen.quality)
            rows.append({"product": name, "seed": seed, **row})
            tiles.append(np.hstack([_tile(each) for each in mattes]))
    Console(width=140).print(_table(rows))
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))
    if chosen.sheet:
        Image.fromarray(np.vstack(tiles)).save(chosen.sheet)


def measured(product: Scene, engine: Engine, quality: Any) -> tuple[dict[str, Any], list[Any]]:
    """A product's errors before and after, and photo, mattes and truth as pictures."""
    with NamedTemporaryFile(suffix=".jpg") as file:
        file.write(product.data)
        file.flush()
        photo = read_photo(file.name)
    settings = CutSettings(quality=quality, decontaminate=False)
    segmented = engine.segment(photo, settings)
    near = cv2.dilate(product.enclosed.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    row: dict[str, Any] = {}
    mattes: list[Any] = [product.pixels]
    for way in ("none", "auto"):
        segmented.seconds.clear()
        told = segmented.settings.model_copy(update={"backdrop": way})
        cutout = cut_segmented(_with(segmented, told))
        apart = np.abs(cutout.alpha / 255.0 - product.alpha)
        row[way] = {
            "enclosed": float(apart[near].mean()) if near.any() else 0.0,
            "all": float(apart.mean()),
            "confidence": cutout.report.confidence,
            "warnings": cutout.report.warnings,
        }
        mattes.append(cutout.alpha)
    return row, [*mattes, np.rint(product.alpha * 255).astype(np.uint8)]


def _with(segmented: Any, settings: CutSettings) -> Any:
    from dataclasses import replace

    return replace(segmented, settings=settings, seconds={})


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("product", "enclosed: none", "auto", "all: none", "auto", "confidence", "warnings of auto")
    for row in rows:
        none, auto = row["none"], row["auto"]
        table.add_row(
            f"{row['product']} {row['seed']}",
            *(f"{each[where]:.4f}" for where in ("enclosed", "all") for each in (none, auto)),
            f"{none['confidence']:.2f} {auto['confidence']:.2f}",
            ", ".join(auto["warnings"]),
        )
    table.add_section()
    hollow = [row for row in rows if row["product"] != "bottle"]
    means = [mean(row[way]["enclosed"] for row in hollow) for way in ("none", "auto")]
    means += [mean(row[way]["all"] for row in rows) for way in ("none", "auto")]
    table.add_row("mean", *(f"{value:.4f}" for value in means), "", f"a {means[0] / means[1]:.0f}th is left")
    return table


def _tile(picture: Any) -> Any:
    shown = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    return cv2.resize(shown, (TILE, TILE), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main()
