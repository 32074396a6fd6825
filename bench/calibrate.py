"""Fits core/calibration.json: what share of mattes with such measures has an IoU of at least 0.9.

Half of the photos, told apart by the hash of their names, fit the model; the other half tests it.
`rows` runs the networks and keeps measures; `fit` needs no network. Fitted on U²-Net, quality balanced.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw

from mattebox.core.features import Features, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

TABLE = Path(__file__).parent.parent / "core" / "calibration.json"
GOOD = 0.9
BINS = 10
RIDGE = 4.0
# Chosen by their held-out figures, so those read high: judge on photos that are new to both.
# The other measures serve the warnings.
USED = ("agreement", "decided", "haze")


def main() -> None:
    """Run the sub-command that the arguments name."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    rows = commands.add_parser("rows", help="measure photos: FOLDER/im and FOLDER/gt with equal stems")
    rows.add_argument("folders", nargs="+", type=Path)
    rows.add_argument("--out", type=Path, required=True)
    fit = commands.add_parser("fit", help="fit and test on measured rows")
    fit.add_argument("rows", type=Path)
    fit.add_argument("--table", type=Path, default=TABLE)
    fit.add_argument("--plot", type=Path, help="a reliability plot, PNG")
    chosen = parser.parse_args()
    if chosen.command == "rows":
        measured = [row for folder in chosen.folders for row in measured_rows(folder)]
        chosen.out.write_text(json.dumps(measured))
    else:
        fit_and_test(json.loads(chosen.rows.read_text()), chosen.table, chosen.plot)


def measured_rows(folder: Path) -> list[dict[str, object]]:
    """Name, IoU and measures of each photo that has a subject found."""
    from mattebox.core.engine import Engine
    from mattebox.core.looks import see
    from mattebox.core.photo import read_photo
    from mattebox.core.settings import CutSettings
    from mattebox.core.subject import choose_subject
    from mattebox.core.view import network_view

    settings, engine = CutSettings(), Engine()
    rows: list[dict[str, object]] = []
    for path in sorted((folder / "im").iterdir()):
        photo = read_photo(path)
        view = network_view(photo)
        sight = see(view, engine.segmenters(settings), settings.quality)
        probability, _ = choose_subject(sight.probability, settings)
        truth = next((folder / "gt").glob(path.stem + ".*"))
        row = one_row(f"{folder.name}/{path.stem}", measure(view, sight, probability), probability, truth)
        if row is not None:
            rows.append(row)
    return rows


def one_row(
    name: str, features: Features | None, probability: NDArray[np.float32], truth: Path
) -> dict[str, object] | None:
    """One photo's row, or None where no subject was found."""
    if features is None:
        return None
    with Image.open(truth) as picture:
        true = np.asarray(picture.convert("L")) >= 128
    ours = cv2.resize(probability, (true.shape[1], true.shape[0])) >= 0.5
    share = np.count_nonzero(ours & true) / max(1, np.count_nonzero(ours | true))
    return {"name": name, "iou": round(float(share), 4), "measures": features.vector().round(6).tolist()}


def fit_and_test(rows: list[dict[str, object]], table: Path, plot: Path | None) -> None:
    """Fit on one half, print AUROC and calibration error of both halves, write the table and the plot."""
    fitting = np.array([_is_for_fitting(str(row["name"])) for row in rows])
    measures = np.array([row["measures"] for row in rows], np.float64)
    good = np.array([float(str(row["iou"])) >= GOOD for row in rows])
    mean, spread = measures[fitting].mean(0), measures[fitting].std(0) + 1e-9
    standard = np.clip((measures - mean) / spread, -3, 3)
    used = np.array([name in USED for name in Features.names()])
    some, bias = fit_logistic(standard[fitting][:, used], good[fitting])
    weights = np.zeros(used.size)
    weights[used] = some
    guess = 1 / (1 + np.exp(-(standard @ weights + bias)))
    for name, part in (("fitted on", fitting), ("tested on", ~fitting)):
        print(
            f"{name} {part.sum()} photos, {good[part].mean():.0%} good: "
            f"AUROC {auroc(guess[part], good[part]):.3f}, "
            f"calibration error {calibration_error(guess[part], good[part]):.3f}"
        )
    measured = {
        name: {"mean": round(m, 6), "spread": round(s, 6), "weight": round(w, 4)}
        for name, m, s, w in zip(
            Features.names(), mean.tolist(), spread.tolist(), weights.tolist(), strict=True
        )
    }
    table.write_text(json.dumps({"bias": round(bias, 4), "measures": measured}, indent=2) + "\n")
    if plot is not None:
        draw_reliability(guess[~fitting], good[~fitting], plot)


def fit_logistic(standard: NDArray[np.float64], good: NDArray[np.bool_]) -> tuple[Vector, float]:
    """Ridge logistic regression by Newton's method: weights and bias."""
    design = np.column_stack([standard, np.ones(len(standard))])
    penalty = np.diag([RIDGE] * standard.shape[1] + [1e-6])
    solution = np.zeros(design.shape[1])
    for _ in range(50):
        guess = 1 / (1 + np.exp(-design @ solution))
        slope = design.T @ (good - guess) - penalty @ solution
        curve = (design * (guess * (1 - guess))[:, None]).T @ design + penalty
        solution = solution + np.linalg.solve(curve, slope)
    return solution[:-1], float(solution[-1])


def auroc(guess: Vector, good: NDArray[np.bool_]) -> float:
    """The probability that a good matte has the higher guess of a good and a bad one."""
    above = guess[good][:, None] > guess[~good][None]
    equal = guess[good][:, None] == guess[~good][None]
    return float((above + 0.5 * equal).mean())


def calibration_error(guess: Vector, good: NDArray[np.bool_], bins: int = 5) -> float:
    """The expected calibration error over bins of equally many photos."""
    order = np.array_split(np.argsort(guess, kind="stable"), bins)
    return float(sum(len(part) * abs(guess[part].mean() - good[part].mean()) for part in order) / len(guess))


def draw_reliability(guess: Vector, good: NDArray[np.bool_], path: Path) -> None:
    """A plot of the share of good mattes over the guess; the area of a dot is the number of photos."""
    side, rim = 480, 50
    picture = Image.new("RGB", (side + 2 * rim, side + 2 * rim), "white")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((rim, rim, rim + side, rim + side), outline="gray")
    pen.line((rim, rim + side, rim + side, rim), fill="gray")
    for part in range(BINS):
        inside = (guess >= part / BINS) & (guess < (part + 1) / BINS + (part == BINS - 1))
        if inside.any():
            x, y = rim + side * guess[inside].mean(), rim + side * (1 - good[inside].mean())
            radius = 3 + 2 * float(np.sqrt(inside.sum()))
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill="steelblue")
    pen.text((rim, rim + side + 15), "confidence 0 to 1", fill="black")
    pen.text((rim, 20), "share of mattes with an IoU of at least 0.9, 0 to 1", fill="black")
    picture.save(path)


def _is_for_fitting(name: str) -> bool:
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 0


if __name__ == "__main__":
    main()
