"""Train the refiner on a bank of mattes and textures.

python -m bench.refiner.train BANK RUN --steps 20000 --seed 1     (or --minutes 60)

RUN gets log.jsonl and checkpoint.pt; the same command goes on where a stopped run was. Sample number i
depends on the seed and i alone, so a run of --steps does not depend on the number of loader processes.
With --start it goes on from an exported refiner. With --minutes the learning rate follows the clock; the
log names the steps that were done.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from bench.refiner.bank import load
from bench.refiner.composites import Bank, sample
from bench.refiner.loss import refiner_loss, unknown_band
from bench.refiner.network import Refiner
from bench.refiner.warm import start_from
from torch.utils.data import DataLoader, Dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

HELD_OUT = 100  # the bank's last mattes are never trained on
HELD_OUT_SEED = 10**6
_WARM_STEPS = 60
_REPORT_EVERY = 200


@dataclass(frozen=True, slots=True)
class Options:
    """How one run is trained."""

    bank: Path
    run: Path
    seed: int
    steps: int
    minutes: float
    batch: int
    crop: int
    rate: float
    threads: int
    loaders: int
    start: Path | None


class Crops(Dataset[tuple["Tensor", "Tensor", "Tensor", float]]):
    """Sample i of a seed: image, alpha, coarse, scale."""

    def __init__(self, bank: Bank, seed: int, crop: int, first: int, count: int) -> None:
        self._bank, self._seed, self._crop = bank, seed, crop
        self._first, self._count = first, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor, float]:
        rng = np.random.default_rng([self._seed, self._first + index])
        one = sample(rng, self._bank, self._crop)
        image = torch.from_numpy(np.ascontiguousarray(one.image.transpose(2, 0, 1)))
        return image, torch.from_numpy(one.alpha)[None], torch.from_numpy(one.coarse)[None], one.scale


class Average:
    """The exponential moving average of a network's weights."""

    def __init__(self, network: Refiner) -> None:
        self.state = {name: value.clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: Refiner, step: int) -> None:
        """Move towards the network; slowly only once there is something to keep."""
        keep = min(0.998, (step + 1) / (step + 10))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value, 1 - keep)
            else:
                self.state[name].copy_(value)


def _part(bank: Bank, *, held_out: bool) -> Bank:
    """What is trained on, or what is not."""
    asked = bank.asked
    if asked is not None:
        where = _where(max(1, len(asked.answers) // 10), held_out=held_out)
        asked = replace(
            asked, images=asked.images[where], alphas=asked.alphas[where], answers=asked.answers[where]
        )
    return Bank(bank.mattes[_where(HELD_OUT, held_out=held_out)], bank.textures, asked)


def _where(last: int, *, held_out: bool) -> slice:
    return slice(-last, None) if held_out else slice(0, -last)


def _single_thread(_worker: int) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _batches(options: Options, bank: Bank, step: int) -> Iterator[list[Tensor]]:
    first = step * options.batch
    crops = Crops(bank, options.seed, options.crop, first, max(0, 10**9 - first))
    return iter(
        DataLoader(
            crops, options.batch, num_workers=options.loaders, worker_init_fn=_single_thread,
            prefetch_factor=4 if options.loaders else None,
        )
    )  # fmt: skip


@torch.no_grad()
def held_out_errors(network: Refiner, samples: list[list[Tensor]]) -> tuple[float, float]:
    """Error in the band after and before the refiner, mean over held-out crops."""
    network.eval()
    after, before = [], []
    for image, alpha, coarse, scale in samples:
        band = unknown_band(coarse, round(3 * float(scale[0])))
        total = float(band.sum().clamp_min(1))
        after.append(float(((network(image, coarse).clamp(0, 1) - alpha).abs() * band).sum()) / total)
        before.append(float(((coarse - alpha).abs() * band).sum()) / total)
    network.train()
    return float(np.mean(after)), float(np.mean(before))


class Run:
    """One training run: its networks, its optimiser, how far it is, and its folder."""

    def __init__(self, options: Options, held: list[list[Tensor]]) -> None:
        self._options, self._held = options, held
        self.network = Refiner().to(memory_format=torch.channels_last)
        if options.start is not None:
            start_from(self.network, options.start, [(image, coarse) for image, _, coarse, _ in held])
        self.average = Average(self.network)
        self._optimiser = torch.optim.AdamW(self.network.parameters(), options.rate, weight_decay=1e-3)
        self._losses: list[float] = []
        self.step, spent = 0, 0.0
        self._file = options.run / "checkpoint.pt"
        if self._file.exists():
            saved = torch.load(self._file, weights_only=True)
            self.network.load_state_dict(saved["network"])
            self._optimiser.load_state_dict(saved["optimiser"])
            self.average.state, self.step, spent = saved["average"], saved["step"], saved["seconds"]
        self._start = time.perf_counter() - spent

    def seconds(self) -> float:
        """The time that this run has taken, over all its parts."""
        return time.perf_counter() - self._start

    def done(self) -> float:
        """How much of the run is done; 1 is all."""
        if self._options.minutes:
            return self.seconds() / 60 / self._options.minutes
        return self.step / self._options.steps

    def learn(self, batch: list[Tensor]) -> None:
        """One step on one batch."""
        image, alpha, coarse, scale = batch
        warm = min(1.0, (self.step + 1) / _WARM_STEPS)
        cosine = 0.5 + 0.5 * math.cos(math.pi * min(1.0, self.done()))
        for group in self._optimiser.param_groups:
            group["lr"] = self._options.rate * warm * cosine + 1e-5
        radius = 2 + int(float(scale.mean()) * (1 + self.step % 4))
        with torch.autocast("cpu", torch.bfloat16):
            answer = self.network(image.contiguous(memory_format=torch.channels_last), coarse)
        loss = refiner_loss(
            answer, alpha, coarse, unknown_band(coarse, radius), harm_weight=0.4 + 1.0 * min(1.0, self.done())
        )
        self._optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimiser.step()
        self.average.update(self.network, self.step)
        self._losses.append(float(loss.detach()))
        self.step += 1

    def save(self) -> None:
        """Write the checkpoint that a later start goes on from, whole or not at all."""
        saved = {
            "network": self.network.state_dict(), "optimiser": self._optimiser.state_dict(),
            "average": self.average.state, "step": self.step, "seconds": self.seconds(),
        }  # fmt: skip
        staged = self._file.with_suffix(".part")
        torch.save(saved, staged)
        staged.replace(self._file)

    def report(self) -> None:
        """Add a line to the log: the loss since the last line, and the error on held-out mattes."""
        judged = Refiner()
        judged.load_state_dict(self.average.state)
        after, before = held_out_errors(judged, self._held)
        line = {
            "step": self.step, "minutes": round(self.seconds() / 60, 2),
            "loss": round(float(np.mean(self._losses)), 5) if self._losses else None,
            "held_out": round(after, 5), "coarse": round(before, 5), "ratio": round(after / before, 4),
        }  # fmt: skip
        self._losses.clear()
        with self._file.with_name("log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
        print(line, flush=True)


def train(options: Options) -> Run:
    """Train until the steps or minutes are used up; returns the finished run."""
    options.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    cv2.setNumThreads(1)
    bank = load(options.bank)
    held = Crops(_part(bank, held_out=True), HELD_OUT_SEED, options.crop, 0, HELD_OUT)
    run = Run(options, list(DataLoader(held, 1)))
    batches = _batches(options, _part(bank, held_out=False), run.step)
    while run.done() < 1:
        run.learn(next(batches))
        if run.step % _REPORT_EVERY == 0:
            run.save()
            run.report()
    run.save()
    run.report()
    return run


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bank", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--steps", type=int, default=0)
    length.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--crop", type=int, default=160)
    parser.add_argument("--rate", type=float, default=2.5e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--loaders", type=int, default=1)
    parser.add_argument("--start", type=Path, help="an exported refiner to go on from")
    train(Options(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
