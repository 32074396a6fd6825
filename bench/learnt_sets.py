"""Error in what drawn products enclose on a structured set: told from each photo, and from the learnt set.

python -m bench.learnt_sets [--set N] [--photos 30] [--quality balanced] [--side 800] [--json FILE]

Photos of bench/set_scenes.py come one after the other, as into a hot folder; the set is learnt from the sure
ones by the daemon's own code, and each photo is cut by what was learnt before it. Errors are mean differences
of alpha: in what is enclosed and at its edge, and over the whole photo.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from bench.set_scenes import set_photos

from mattebox.core.engine import Engine
from mattebox.core.matting import cut_segmented
from mattebox.core.photo import read_photo
from mattebox.core.settings import CutSettings
from mattebox.daemon.journal.learnt_sets import with_learnt_set
from mattebox.daemon.work.learning import learn

if TYPE_CHECKING:
    from bench.set_scenes import SetPhoto


def main() -> None:
    """Print each photo's errors by either way, and the means from the first photo that a learnt set told."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", type=int, default=1)
    parser.add_argument("--photos", type=int, default=30)
    parser.add_argument("--quality", default="balanced", choices=("fast", "balanced", "best"))
    parser.add_argument("--side", type=int, default=800)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    engine, rows = Engine(), []
    with TemporaryDirectory() as folder:
        for number, each in enumerate(set_photos(chosen.set, chosen.photos, chosen.side)):
            row = measured(each, number, Path(folder), engine, chosen.quality)
            rows.append(row)
            told = [f"{way} {row[way]['enclosed']:.4f} {row[way]['all']:.4f}" for way in ("auto", "learn")]
            print(f"{number:3} {each.name:8}", *told, f"from {row['learnt_from']}", flush=True)
            if chosen.json:
                chosen.json.write_text(json.dumps(rows, indent=1))
    later = [row for row in rows if row["learnt_from"]]
    hollow = [row for row in later if row["hollow"]]
    for where, those in (("enclosed", hollow), ("all", later)):
        means = [mean(row[way][where] for row in those) for way in ("auto", "learn")]
        print(f"{where}, {len(those)} photos: {means[0]:.4f} -> {means[1]:.4f}")


def measured(each: SetPhoto, number: int, folder: Path, engine: Engine, quality: Any) -> dict[str, Any]:
    """One photo's errors by either way; the set learns from it afterwards."""
    source = folder / f"{number}.jpg"
    source.write_bytes(each.data)
    photo = read_photo(source)
    settings = CutSettings(quality=quality, backdrop="learn", decontaminate=False)
    segmented = engine.segment(photo, settings)
    near = cv2.dilate(each.enclosed.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    row: dict[str, Any] = {"product": each.name, "hollow": bool(near.any())}
    known = with_learnt_set(settings, folder / "sets", (photo.width, photo.height))
    for way, told in (("auto", settings), ("learn", known)):
        cutout = cut_segmented(replace(segmented, settings=told, seconds={}))
        apart = np.abs(cutout.alpha / 255.0 - each.alpha)
        row[way] = {
            "enclosed": float(apart[near].mean()) if near.any() else 0.0,
            "all": float(apart.mean()),
            "confidence": cutout.report.confidence,
            "warnings": cutout.report.warnings,
        }
    row["learnt_from"] = cutout.report.learnt_from
    learn(folder / "sets", source, cutout)
    return row


if __name__ == "__main__":
    main()
