"""Judge a refiner on labelled photos: against the shipped one, none, and closed form, in one run.

python -m bench.refiner.judge refiner.onnx --data FOLDER [--set NAME] [--every N] [--closed-form]

FOLDER holds realalpha, ecssd and davis, each with im/ and gt/. The coarse answers are those of each
--network, and rough truths: the truth at 320 pixels, eroded or dilated by up to 2. --closed-form needs
pymatting (Levin et al. 2008, in a narrow band), which the product does not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from bench.metrics import edge_error, iou
from rich.console import Console
from rich.table import Table

from mattebox.core.matte.learned import LearnedRefiner
from mattebox.core.matte.refine import refine_matte
from mattebox.core.matte.solid import solid
from mattebox.core.network.segmenter import Segmenter
from mattebox.core.photo import Photo
from mattebox.models.catalogue import find_network
from mattebox.models.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Matte = NDArray[np.float32]
    Scores = list[tuple[float, float]]
    Method = Callable[[NDArray[np.uint8], Matte, int], Matte]

_ROUGH_SIDE = 320


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A photo, its truth, a coarse answer and the size at which that was found."""

    image: NDArray[np.uint8]
    truth: Matte
    coarse: Matte
    seen: int


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one set."""

    set: str
    answer: str
    method: str
    photos: int
    edge_mean: float
    edge_median: float
    edge_wins: int
    iou_mean: float


def _photos(folder: Path, every: int) -> Iterator[tuple[NDArray[np.uint8], Matte]]:
    for file in sorted((folder / "im").iterdir())[::every]:
        truth = next((folder / "gt").glob(file.stem + ".*"))
        image = cv2.cvtColor(cv2.imread(str(file), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        yield image, cv2.imread(str(truth), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255


def rough_cases(folder: Path, every: int) -> Iterator[Case]:
    """The truth, small and a little eroded or dilated."""
    rng = np.random.default_rng(0)
    for image, truth in _photos(folder, every):
        scale = _ROUGH_SIDE / max(truth.shape)
        small = cv2.resize(truth, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        amount = int(rng.integers(-2, 3))
        element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(amount) + 1,) * 2)
        yield Case(image, truth, (cv2.dilate if amount > 0 else cv2.erode)(small, element), _ROUGH_SIDE)


def network_cases(folder: Path, every: int, cache: Path, segmenter: Segmenter) -> Iterator[Case]:
    """A network's answers, kept in `cache` by the photo's content."""
    for image, truth in _photos(folder, every):
        file = cache / f"{hashlib.sha256(image.tobytes()).hexdigest()[:24]}.{segmenter.network.name}.npy"
        if not file.exists():
            cache.mkdir(parents=True, exist_ok=True)
            np.save(file, segmenter.probability(image))
        yield Case(image, truth, np.load(file), segmenter.network.input_size)


def _detail(image: NDArray[np.uint8], seen: int) -> float:
    return max(1.0, max(image.shape[:2]) / seen)


def unrefined(image: NDArray[np.uint8], coarse: Matte, seen: int) -> Matte:
    """The coarse answer at the photo's size, solid where it is sure."""
    enlarged = np.clip(cv2.resize(coarse, image.shape[1::-1], interpolation=cv2.INTER_LINEAR), 0, 1)
    return solid(np.asarray(enlarged, np.float32), _detail(image, seen))


def refined(
    image: NDArray[np.uint8], coarse: Matte, seen: int, refiner: LearnedRefiner | None = None
) -> Matte:
    """What the product does, `refine: auto`, with the refiner that it ships or with another."""
    enlarged = np.clip(cv2.resize(coarse, image.shape[1::-1], interpolation=cv2.INTER_LINEAR), 0, 1)
    level, detail = np.asarray(enlarged, np.float32), _detail(image, seen)
    alpha = refine_matte(Photo(image, "rgb"), level, "auto", detail, refiner=refiner)
    return alpha.astype(np.float32) / 255


def closed_form(image: NDArray[np.uint8], coarse: Matte, seen: int) -> Matte:
    """Closed-form matting in the band within two network pixels of what is not sure."""
    from pymatting import estimate_alpha_cf

    enlarged = unrefined(image, coarse, seen)
    reach = max(2, round(1.6 * max(image.shape[:2]) / seen))
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    trimap = np.full(enlarged.shape, 0.5)
    trimap[cv2.erode((enlarged > 0.9).astype(np.uint8), element) > 0] = 1
    trimap[cv2.erode((enlarged < 0.1).astype(np.uint8), element) > 0] = 0
    if trimap.min() > 0 or trimap.max() < 1:
        return enlarged
    return np.asarray(estimate_alpha_cf(image / 255.0, trimap), np.float32)


def judge(cases: Iterator[Case], methods: dict[str, Method]) -> dict[str, Scores]:
    """Edge error and IoU of each method on each case."""
    scores: dict[str, Scores] = {name: [] for name in methods}
    for case in cases:
        for name, method in methods.items():
            matte = method(case.image, case.coarse, case.seen)
            scores[name].append((edge_error(matte, case.truth), iou(matte, case.truth)))
    return scores


def main() -> None:
    """Judge as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("refiner", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--network", action="append", default=[])
    parser.add_argument("--set", action="append", default=[], choices=["realalpha", "ecssd", "davis"])
    parser.add_argument("--cache", type=Path, default=Path(".judge-cache"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every Nth photo")
    parser.add_argument("--closed-form", action="store_true")
    options = parser.parse_args()
    refiner = LearnedRefiner(options.refiner)
    methods: dict[str, Method] = {
        "none": unrefined,
        "shipped": refined,
        "candidate": lambda image, coarse, seen: refined(image, coarse, seen, refiner),
    }
    if options.closed_form:
        methods["closed form"] = closed_form
    sets = options.set or ["realalpha", "ecssd", "davis"]
    sources: list[tuple[str, str, Iterator[Case]]] = []
    if "realalpha" in sets:
        sources.append(("realalpha", "rough truth", rough_cases(options.data / "realalpha", options.every)))
    for name in options.network or ["u2net", "imgly-isnet"]:
        network = find_network(name)
        segmenter = Segmenter(network, Store().ensure(network, accept_licence=True))
        for folder in sets:
            cases = network_cases(options.data / folder, options.every, options.cache, segmenter)
            sources.append((folder, name, cases))
    rows = []
    for folder, answer, cases in sources:
        first: NDArray[np.float64] | None = None
        for method, scores in judge(cases, methods).items():
            values = np.array(scores)
            first = values if first is None else first
            rows.append(
                Row(
                    folder, answer, method, len(values),
                    float(values[:, 0].mean()), float(np.median(values[:, 0])),
                    int((values[:, 0] < first[:, 0]).sum()), float(values[:, 1].mean()),
                )
            )  # fmt: skip
    _show(rows)
    if options.json:
        options.json.write_text(
            json.dumps([{f: getattr(row, f) for f in Row.__slots__} for row in rows], indent=1)
        )


def _show(rows: list[Row]) -> None:
    table = Table("set", "answer", "method", "photos", "edge mean", "edge median", "wins", "IoU")
    for row in rows:
        table.add_row(
            row.set, row.answer, row.method, str(row.photos), f"{row.edge_mean:.4f}",
            f"{row.edge_median:.4f}", str(row.edge_wins), f"{row.iou_mean:.4f}",
        )  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    main()
