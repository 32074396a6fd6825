"""Fits core/segment/judge/parts.json: whether a part that maps disagree about belongs to the subject.

`rows` runs U²-Net and the promptable network on photos, FOLDER/im and FOLDER/gt with equal stems, and keeps
the facts of each disputed part with what is true of it; `fit` writes the rule and prints what it reaches on
photos left out in turn, with all frames of a film and all composites of a subject. No network runs in it.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from mattebox.core.segment.judge.parts import FACTS, Facts, disputed
from mattebox.core.segment.judge.rule import Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]
    Row = dict[str, Any]

TABLE = Path(__file__).parent.parent / "core" / "segment" / "judge" / "parts.json"
FOLDS = 10
# Of standardised facts.
RIDGE = 10.0


def main() -> None:
    """Run the sub-command that the arguments name."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    rows = commands.add_parser("rows", help="the disputed parts of photos")
    rows.add_argument("folders", nargs="+", type=Path)
    rows.add_argument("--every", type=int, default=1, help="take every Nth photo")
    rows.add_argument("--out", type=Path, required=True)
    fit = commands.add_parser("fit", help="fit the rule on such rows")
    fit.add_argument("rows", type=Path)
    fit.add_argument("--table", type=Path, default=TABLE)
    chosen = parser.parse_args()
    if chosen.command == "rows":
        found = [row for folder in chosen.folders for row in disputed_rows(folder, chosen.every)]
        chosen.out.write_text(json.dumps(found))
    else:
        fit_rule(json.loads(chosen.rows.read_text()), chosen.table)


def disputed_rows(folder: Path, every: int) -> list[Row]:
    """Each part of a folder's photos that the rule is asked about: photo, facts, and what is true of it.

    Looked at in 8 bits, where they are here, and in float32: two ways to see a photo that differ by a little.
    gain: what of the true subject's area taking it in gains, negative where it does not belong there.
    """
    from mattebox.core.engine import Engine
    from mattebox.core.photo import read_photo
    from mattebox.core.segment.judge.judge import ask, is_contradicted
    from mattebox.core.segment.plan import Looker
    from mattebox.core.segment.prepare import network_input
    from mattebox.core.segment.segmentation import Segmentation
    from mattebox.core.settings import CutSettings

    engine = Engine()
    network, missing = engine.promptable()
    if network is None:
        raise SystemExit(missing)
    lookers = [
        Looker(engine.segmenters(CutSettings(precision=precision)), network) for precision in ("auto", "full")
    ]
    rows: list[Row] = []
    for path in sorted((folder / "im").iterdir())[::every]:
        copy = network_input(read_photo(path))
        for looker in lookers:
            seen = looker.look(copy.enhanced, "balanced")
            if seen.encoded is None:
                continue
            found = seen.segmentation
            asked = ask(network, seen.encoded, Segmentation(found.salient, found.predictions, found.detail))
            salient, votes = asked.lowered, asked.votes
            height, width = salient.shape
            picture = cv2.resize(copy.enhanced, (width, height), interpolation=cv2.INTER_AREA)
            with Image.open(next((folder / "gt").glob(path.stem + ".*"))) as truth:
                true = seen.encoded.frame.lowered(np.asarray(truth.convert("L"), np.float32) / 255)
            area = max(1.0, float((true >= 0.5).sum()))
            for part in disputed(salient, votes, np.asarray(picture, np.uint8)):
                if is_contradicted(part, salient, votes):
                    gain = float((2 * true[part.mask] - 1).sum()) / area
                    name = f"{folder.name}/{path.stem}"
                    rows.append({"name": name, "gain": round(gain, 5), **asdict(part.facts)})
    return rows


def fit_rule(rows: list[Row], table: Path) -> None:
    """Fit the rule, print what it reaches on photos left out in turn, write it."""
    values = np.array([[row[name] for name in FACTS] for row in rows])
    gain = np.array([row["gain"] for row in rows])
    belongs = gain > 0
    # A large part counts more than a small one, and less than its area says: few photos have such. And no
    # set of photos counts more than another for being larger.
    weight = np.sqrt(np.abs(gain))
    of_set = np.array([row["name"].split("/")[0] for row in rows])
    for name in set(of_set):
        weight[of_set == name] /= weight[of_set == name].sum()
    weight /= weight.mean()
    fold = _folds(rows)
    guess = np.zeros(len(rows))
    for number in range(FOLDS):
        out = fold == number
        rule = fitted(values[~out], belongs[~out], weight[~out])
        guess[out] = [rule.belongs(_facts(row)) for row, left in zip(rows, out, strict=True) if left]
    right = (guess > 0.5) == belongs
    mean_right = np.average(right, weights=np.abs(gain))
    votes = np.average((values[:, FACTS.index("votes")] > 0) == belongs, weights=np.abs(gain))
    print(
        f"{len(rows)} parts of {len({row['name'] for row in rows})} photos, left out in turn: "
        f"{right.mean():.3f} right, by area {mean_right:.3f}; the opinions' mean {votes:.3f}"
    )
    found = asdict(fitted(values, belongs, weight))
    table.write_text(json.dumps(found, indent=2) + "\n")


def fitted(values: Vector, belongs: NDArray[np.bool_], weight: Vector) -> Rule:
    """Logistic regression with a ridge, of facts (n, m) and weights (n,) around 1."""
    middle, spread = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-9)
    design = np.column_stack([(values - middle) / spread, np.ones(len(values))])
    penalty = np.diag([*[RIDGE] * values.shape[1], 1e-6])
    solution = np.zeros(design.shape[1])
    for _ in range(50):
        guess = 1 / (1 + np.exp(-np.clip(design @ solution, -30, 30)))
        slope = design.T @ (weight * (belongs - guess)) - penalty @ solution
        curve = (design * (weight * guess * (1 - guess))[:, None]).T @ design + penalty
        solution = solution + np.linalg.solve(curve, slope)
    slopes = solution[:-1] / spread
    rounded = {name: round(float(slope), 4) for name, slope in zip(FACTS, slopes, strict=True)}
    return Rule(rounded, round(float(solution[-1] - slopes @ middle), 4))


def _facts(row: Row) -> Facts:
    return Facts(**{name: row[name] for name in FACTS})


def _folds(rows: list[Row]) -> NDArray[np.int64]:
    """Which of FOLDS parts each row is in: frames of a film, and composites of a subject, are in the same."""
    scenes = [row["name"].split("_")[0] for row in rows]
    known = sorted(set(scenes))
    parts = dict(zip(known, np.random.default_rng(0).permutation(len(known)) % FOLDS, strict=True))
    return np.array([parts[scene] for scene in scenes])


if __name__ == "__main__":
    main()
