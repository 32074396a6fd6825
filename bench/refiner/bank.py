"""Draw the bank of mattes and textures that training samples from.

python -m bench.refiner.bank FOLDER --mattes 1600 --textures 900

Equal arguments give equal mattes and textures.
"""

from __future__ import annotations

import argparse
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from bench.refiner.composites import Answers, Bank
from bench.refiner.mattes import matte
from bench.refiner.textures import texture

if TYPE_CHECKING:
    from numpy.typing import NDArray


def draw(folder: Path, *, mattes: int, textures: int, side: int, texture_side: int, workers: int) -> None:
    """Write mattes.npy and textures.npy."""
    folder.mkdir(parents=True, exist_ok=True)
    with Pool(workers) as pool:
        drawn = pool.map(partial(texture, side=texture_side), range(textures), chunksize=8)
        np.save(folder / "textures.npy", np.stack(drawn))
        drawn = pool.map(partial(matte, side=side), range(mattes), chunksize=8)
        np.save(folder / "mattes.npy", np.stack(drawn))


def load(folder: Path) -> Bank:
    """The bank in `folder`, read as it is needed; with bench.refiner.answers where they are there."""
    mattes, textures = _stored(folder, "mattes", "textures")
    if not (folder / "answers.npy").exists():
        return Bank(mattes, textures)
    images, alphas, answers = _stored(folder, "images", "alphas", "answers")
    return Bank(mattes, textures, Answers(images, alphas, answers, float(np.load(folder / "scale.npy"))))


def _stored(folder: Path, *names: str) -> list[NDArray[np.uint8]]:
    return [np.load(folder / f"{name}.npy", mmap_mode="r") for name in names]


def main() -> None:
    """Draw a bank as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mattes", type=int, default=1600)
    parser.add_argument("--textures", type=int, default=900)
    parser.add_argument("--side", type=int, default=640)
    parser.add_argument("--texture-side", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    draw(
        options.folder,
        mattes=options.mattes,
        textures=options.textures,
        side=options.side,
        texture_side=options.texture_side,
        workers=options.workers,
    )


if __name__ == "__main__":
    main()
