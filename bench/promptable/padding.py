"""Fits what the encoder says of padding, for views whose padding is not encoded.

    python -m bench.promptable.padding FOLDER... --out models/measured/mobile_sam_padding.npz

Each FOLDER holds im/. Every photo that is not square is encoded as the authors do, in a square with padding
below or beside it; what the padding says is fitted from the margin that stays encoded: by the distance
from the view four weights (of their two rows, the blur of the last along the edge, its mean) and a constant
vector; by the place in the square another; and one profile along the edge, times a number by the distance.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from rich.progress import track

from mattebox.core.engine import Engine
from mattebox.core.photo import read_photo
from mattebox.core.segment.prepare import network_input
from mattebox.core.segment.prompt.frame import LEAST, MARGIN, PATCHES, Frame
from mattebox.core.segment.prompt.padding import features

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from mattebox.core.segment.prompt.network import Promptable

    Array = NDArray[np.float64]

_ROUNDS: Final = 60
_FEW: Final = 0.5
# Shapes with fewer photos than these say nothing of how photos of one shape differ.
_ALIKE: Final = 3
_FAR: Final = 30
_FEATURES: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One photo whose padding lies below its `view` rows of patches.

    embedding (c, 64, 64): of the whole square; margin (c, 2, 64): where no more than that is encoded.
    """

    view: int
    embedding: NDArray[np.float32]
    margin: NDArray[np.float32]


def sample(network: Promptable, path: Path) -> tuple[bool, Sample] | None:
    """Whether the photo at `path` is tall, and its sample; None where it has none or too much."""
    view = network_input(read_photo(path)).enhanced
    frame = Frame(*view.shape[:2])
    if not LEAST <= min(frame.patches) + MARGIN < PATCHES:
        return None
    tall = view.shape[0] > view.shape[1]
    embedding, part = (network.embedding(network.tensor(view, padded=each))[0] for each in (True, False))
    if tall:
        embedding, part = embedding.transpose(0, 2, 1), part.transpose(0, 2, 1)
    return tall, Sample(min(frame.patches), embedding, np.ascontiguousarray(part[:, -MARGIN:]))


def fit(samples: list[Sample]) -> dict[str, Any]:
    """The tables of core.segment.prompt.padding.Padding for one side."""
    weights = _weights(samples)
    channels = samples[0].embedding.shape[0]
    rest = np.zeros((PATCHES, PATCHES, channels, PATCHES), np.float32)
    count = np.zeros((PATCHES, PATCHES))
    for item in samples:
        seen = features(item.margin)
        for place in range(item.view, PATCHES):
            distance = place - item.view
            rest[place, distance] += item.embedding[:, place] - np.tensordot(weights[distance], seen, 1)
            count[place, distance] += 1
    far, near = np.zeros((PATCHES, channels)), np.zeros((PATCHES, channels))
    mean = rest.mean(3)
    for _ in range(_ROUNDS):
        far = (mean - count[..., None] * near[None]).sum(1) / (count.sum(1) + _FEW)[:, None]
        near = (mean - count[..., None] * far[:, None]).sum(0) / (count.sum(0) + _FEW)[:, None]
    rest -= (count[..., None] * (far[:, None] + near[None]))[..., None]
    profile = rest.sum(0) / (count.sum(0) + _FEW)[:, None, None]
    left, size, right = np.linalg.svd(profile.reshape(PATCHES, -1), full_matrices=False)
    amount, along = left[:, 0] * size[0], right[0].reshape(channels, PATCHES)
    known = np.flatnonzero(count.sum(0))
    places = np.flatnonzero(count.sum(1))
    # What no photo has shown is as the nearest that one has.
    every = np.arange(known[-1] + 1)
    return {
        "weights": weights[every],
        "near": _filled(near, known)[every],
        "far": _filled(far, places)[-_FAR:],
        "along": along,
        "amount": _filled(amount[:, None], known)[every, 0],
    }


def _weights(samples: Iterable[Sample]) -> Array:
    """By distance, how what differs between photos of one shape goes on: least squares."""
    shapes: dict[int, list[Sample]] = defaultdict(list)
    for item in samples:
        shapes[item.view].append(item)
    square, product = np.zeros((PATCHES, _FEATURES, _FEATURES)), np.zeros((PATCHES, _FEATURES))
    for view, alike in shapes.items():
        if len(alike) < _ALIKE:
            continue
        margins, whole = (
            np.stack([getattr(each, name) for each in alike]) for name in ("margin", "embedding")
        )
        margins, whole = margins - margins.mean(0), whole - whole.mean(0)
        seen = np.stack([features(each) for each in margins], 1).reshape(_FEATURES, -1)
        for place in range(view, PATCHES):
            square[place - view] += seen @ seen.T
            product[place - view] += seen @ whole[:, :, place].ravel()
    known = np.flatnonzero(square[:, 0, 0])
    solved = np.zeros((PATCHES, _FEATURES))
    solved[known] = [np.linalg.solve(square[each], product[each]) for each in known]
    return _filled(solved, known)


def _filled(table: Array, known: NDArray[np.intp]) -> Array:
    """A table (n, k) whose rows that are not known lie between those that are."""
    rows = np.arange(len(table))
    return np.stack([np.interp(rows, known, column[known]) for column in table.T], 1)


def write(below: list[Sample], beside: list[Sample], out: Path) -> None:
    """Fit both sides and keep their tables in half precision, as long as the shorter of the two."""
    both = fit(below), fit(beside)
    tables = {}
    for name in both[0]:
        size = min(len(each[name]) for each in both)
        tables[name] = np.stack([each[name][:size] for each in both]).astype(np.float16)
    np.savez_compressed(out, **tables)


def main() -> None:
    """Fit as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    network, missing = Engine().promptable()
    if network is None:
        raise SystemExit(missing)
    sides: dict[bool, list[Sample]] = {False: [], True: []}
    for folder in chosen.data:
        for path in track(sorted((folder / "im").iterdir()), folder.name):
            found = sample(network, path)
            if found is not None:
                sides[found[0]].append(found[1])
    write(sides[False], sides[True], chosen.out)
    print(f"{chosen.out}: {chosen.out.stat().st_size} bytes, {[len(each) for each in sides.values()]} photos")


if __name__ == "__main__":
    main()
