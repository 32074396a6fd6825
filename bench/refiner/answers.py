"""Ask a real network about composites, so that training sees the mistakes that it is there to mend.

python -m bench.refiner.answers BANK --count 1000 --network u2net --device auto

Writes images.npy, alphas.npy, answers.npy and scale.npy into BANK. An answer is what refining is given: looks
at the photo and, for every other one, at its mirror image, fused, enlarged and made solid. Composites whose
subject the network did not find are left out: no refiner brings it back.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from bench.metrics import iou
from bench.refiner.bank import load
from bench.refiner.composites import compose
from rich.progress import track

from mattebox.core.matte.solid import solid
from mattebox.core.network.segmenter import Segmenter
from mattebox.core.segment.fusion import fused_predictions
from mattebox.models.catalogue import find_network
from mattebox.models.store import Store

if TYPE_CHECKING:
    from bench.refiner.composites import Bank
    from bench.refiner.shapes import Matte
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

FOUND = 0.6  # the least IoU of an answer that is kept
_SEED = 11


def ask(segmenter: Segmenter, picture: Bytes, *, twice: bool) -> Matte:
    """What refining would be given for a picture (s, s, 3): (s, s) float32 in 0..1."""
    predictions = [segmenter.probability(picture)]
    if twice:
        predictions.append(np.ascontiguousarray(segmenter.probability(picture[:, ::-1].copy())[:, ::-1]))
    return solid(fused_predictions(predictions), scale_of(segmenter, picture))


def scale_of(segmenter: Segmenter, picture: Bytes) -> float:
    """Pixels of a picture (s, s, 3) per pixel of the network's input, at least 1."""
    return max(1.0, len(picture) / segmenter.network.input_size)


def composite(bank: Bank, index: int) -> tuple[Bytes, Matte]:
    """Composite number `index`: its picture (s, s, 3) and its alpha (s, s); equal for equal banks."""
    rng = np.random.default_rng([_SEED, index])
    alpha = bank.mattes[int(rng.integers(len(bank.mattes)))].astype(np.float32) / 255
    image, alpha = compose(rng, bank, np.ascontiguousarray(alpha))
    return np.rint(image * 255).astype(np.uint8), np.asarray(alpha, np.float32)


def collect(bank: Bank, segmenter: Segmenter, count: int, folder: Path) -> int:
    """Write the composites that the network understood; returns how many of `count` those are.

    Raises SystemExit where there are none.
    """
    images, alphas, answers = [], [], []
    for index in track(range(count), "Asking", disable=None):
        picture, alpha = composite(bank, index)
        answer = ask(segmenter, picture, twice=index % 2 == 0)
        if iou(answer, alpha) >= FOUND:
            images.append(picture)
            alphas.append(np.rint(alpha * 255).astype(np.uint8))
            answers.append(np.rint(answer * 255).astype(np.uint8))
    if not images:
        raise SystemExit(f"The network understood none of {count} composites; ask about more of them.")
    np.save(folder / "scale.npy", scale_of(segmenter, images[0]))
    for name, kept in (("images", images), ("alphas", alphas), ("answers", answers)):
        np.save(folder / f"{name}.npy", np.stack(kept))
    return len(images)


def main() -> None:
    """Ask as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bank", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--network", default="u2net")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    network = find_network(options.network)
    segmenter = Segmenter(network, Store().ensure(network), device=options.device)
    kept = collect(load(options.bank), segmenter, options.count, options.bank)
    print(f"{kept} of {options.count} composites understood")


if __name__ == "__main__":
    main()
