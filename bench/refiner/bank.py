"""Draw the bank of mattes and textures that training samples from.

python -m bench.refiner.bank FOLDER --mattes 1600 --textures 800 [--network u2net.onnx]

With --network each matte is composed once and shown to that network: its answers are coarse answers
with the mistakes of a real one. Equal arguments give equal mattes and textures.
"""

from __future__ import annotations

import argparse
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from bench.refiner.composites import Bank, compose
from bench.refiner.mattes import matte
from bench.refiner.textures import texture

if TYPE_CHECKING:
    from numpy.typing import NDArray

ANSWER_SIDE = 320
_MEAN, _STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


def draw(folder: Path, *, mattes: int, textures: int, side: int, texture_side: int, workers: int) -> None:
    """Write mattes.npy and textures.npy."""
    folder.mkdir(parents=True, exist_ok=True)
    with Pool(workers) as pool:
        drawn = pool.map(partial(texture, side=texture_side), range(textures), chunksize=8)
        np.save(folder / "textures.npy", np.stack(drawn))
        drawn = pool.map(partial(matte, side=side), range(mattes), chunksize=8)
        np.save(folder / "mattes.npy", np.stack(drawn))


def load(folder: Path) -> Bank:
    """The bank in `folder`; without answers.npy, no answer is good."""
    mattes = np.load(folder / "mattes.npy", mmap_mode="r")
    textures = np.load(folder / "textures.npy", mmap_mode="r")
    answers = np.zeros((len(mattes), 1, 1), np.uint8)
    good = np.zeros(len(mattes), bool)
    if (folder / "answers.npy").exists():
        answers, good = np.load(folder / "answers.npy"), np.load(folder / "good.npy")
    return Bank(mattes, textures, answers, good)


def answer(folder: Path, network: Path, limit: int, threads: int) -> None:
    """Write answers.npy and good.npy: the network's maps for the first `limit` mattes."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    name, output = session.get_inputs()[0].name, session.get_outputs()[0].name
    bank = load(folder)
    answers = np.zeros((len(bank.mattes), ANSWER_SIDE, ANSWER_SIDE), np.uint8)
    good = np.zeros(len(bank.mattes), bool)
    for index in range(min(limit, len(bank.mattes))):
        rng = np.random.default_rng([index, 2])
        image, alpha = compose(rng, bank, bank.mattes[index].astype(np.float32) / 255)
        size = (ANSWER_SIDE, ANSWER_SIDE)
        small = (cv2.resize(image, size, interpolation=cv2.INTER_AREA) - _MEAN) / _STD
        (raw,) = session.run(
            [output], {name: np.ascontiguousarray(small.transpose(2, 0, 1)[None], np.float32)}
        )
        answers[index] = np.clip(raw.reshape(size) * 255 + 0.5, 0, 255).astype(np.uint8)
        good[index] = _agrees(
            answers[index] > 127, cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) > 0.5
        )
    np.save(folder / "answers.npy", answers)
    np.save(folder / "good.npy", good)
    print(f"{int(good.sum())} of {min(limit, len(good))} answers found the subject")


def _agrees(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> bool:
    return bool((found & truth).sum() > 0.75 * max(1, (found | truth).sum()))


def main() -> None:
    """Draw a bank as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mattes", type=int, default=1600)
    parser.add_argument("--textures", type=int, default=800)
    parser.add_argument("--side", type=int, default=640)
    parser.add_argument("--texture-side", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--network", type=Path, help="ONNX weights of U²-Net's kind (320 px, ImageNet mean)")
    parser.add_argument("--answers", type=int, default=10**9, help="show the network only the first so many")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if not (options.folder / "mattes.npy").exists():
        draw(
            options.folder,
            mattes=options.mattes,
            textures=options.textures,
            side=options.side,
            texture_side=options.texture_side,
            workers=options.workers,
        )
    if options.network:
        answer(options.folder, options.network, options.answers, options.workers)


if __name__ == "__main__":
    main()
