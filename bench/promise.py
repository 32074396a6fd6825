"""Simulates batches of labelled results: is the promise of daemon/report/promise.py kept, and at what price.

    python -m bench.promise            1,000 batches a row, some twenty minutes
    python -m bench.promise --short    40 batches a row
    python -m bench.promise --row 3000:0.01:honest     that row alone; repeated, several

Each batch has a true label a cutout. A person looks at the tenth with the lowest confidence, as in a review,
and then at what is drawn, and asks after every twentieth look whether it is enough. Always true: batches in
which at no look the truth was refuted, that is, no bound was ever below it. Kept: batches in which at the end
no more than promised was wrong among those that nobody looked at. For comparison, how often Clopper-Pearson's
bound, asked after every twentieth look, was always true.
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass, replace
from typing import Final

from mattebox.daemon.report.promise import Drawn, known, new_order, next_looks, stratum_of
from mattebox.daemon.report.wrong_bound import Promise, Stratum, most_wrong, surprise_allowed

_ROWS: Final = ((200, 0.01), (1000, 0.002), (1000, 0.01), (1000, 0.05), (3000, 0.002), (3000, 0.01))
_SIZES: Final = (100, 200, 500, 1000, 2000, 5000, 10_000)
_SHARES: Final = (0.01, 0.02, 0.05, 0.1)
KINDS: Final = ("honest", "shuffled", "all too high")
_PROMISE: Final = Promise(0.02, 0.95)
_WORST: Final = 0.1
# After so many looks it is asked how much is known; more often is slower and no other.
_EVERY: Final = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """One batch: whether every bound was true, whether the promise held, how many looks it took."""

    true_always: bool
    kept: bool
    looks: int
    pearson_true_always: bool


def batch(chance: random.Random, size: int, share: float, kind: str) -> tuple[list[Drawn], dict[str, bool]]:
    """Items with their confidences, and the truth. About `share` are wrong; honest confidence knows which."""
    items, truth = [], {}
    for number in range(size):
        # Most mattes are sure; confidence is the chance that one is right, scaled to the share of wrong ones.
        doubt = min(1.0, share * chance.gammavariate(0.4, 2.5))
        right = chance.random() >= doubt
        name = f"photo-{number}"
        items.append(Drawn(name, 1 - doubt, seed=str(size)))
        truth[name] = right
    if kind == "shuffled":
        confidences = [item.confidence for item in items]
        chance.shuffle(confidences)
        items = [replace(item, confidence=sure) for item, sure in zip(items, confidences, strict=True)]
    elif kind == "all too high":
        items = [replace(item, confidence=0.9 + item.confidence / 10) for item in items]
    seed = f"{chance.random()}"
    return [replace(item, seed=seed) for item in items], truth


def simulate(chance: random.Random, size: int, share: float, kind: str, promise: Promise) -> Outcome:
    """Look at one batch until it is enough."""
    items, truth = batch(chance, size, share, kind)
    worst = {item.id for item in sorted(items, key=lambda item: item.confidence)[: int(size * _WORST)]}
    # What is in review is looked at in any case; drawn are the others.
    order = new_order(item for item in items if item.id not in worst)
    place = {item.id: number for number, stratum in enumerate(order) for item in stratum}
    wrong_in_all = [sum(not truth[item.id] for item in stratum) for stratum in order]
    strata = [stratum_of(stratum) for stratum in order]
    looked = set(worst)
    bound_true = pearson_true = True
    sampled = wrong_sampled = 0
    for name in next_looks([item for stratum in order for item in stratum], size):
        looked.add(name)
        sampled += 1
        wrong_sampled += not truth[name]
        number = place[name]
        strata[number] = _further(strata[number], order[number], truth, looked, right=truth[name])
        costs = sum(item.cost(wrong) for item, wrong in zip(strata, wrong_in_all, strict=True))
        bound_true = bound_true and costs < surprise_allowed(strata, promise)
        left = size - len(looked)
        if sampled % _EVERY or not left:
            continue
        seen_wrong = sum(item.least for item in strata)
        wrong_left = sum(wrong_in_all) - seen_wrong
        if refuted(wrong_sampled, sampled, wrong_left / left, 1 - promise.surety):
            pearson_true = False
        if wrong_sampled > promise.share * sampled:
            continue  # no bound is below what was found
        if most_wrong(strata, promise) - seen_wrong <= promise.share * left:
            return Outcome(bound_true, wrong_left <= promise.share * left, len(looked), pearson_true)
    return Outcome(bound_true, kept=True, looks=size, pearson_true_always=pearson_true)


def _further(
    stratum: Stratum, items: list[Drawn], truth: dict[str, bool], looked: set[str], *, right: bool
) -> Stratum:
    """The stratum after one more look, as promise.stratum_of counts it, without counting all anew."""
    drawn, wrong = stratum.drawn, stratum.wrong
    while drawn < stratum.size and items[drawn].id in looked:
        wrong += not truth[items[drawn].id]
        drawn += 1
    return Stratum(stratum.size, drawn, wrong, stratum.least + (not right), stratum.most - right)


def refuted(wrong: int, drawn: int, share: float, error: float) -> bool:
    """Whether Clopper and Pearson's upper bound (1934) for so many wrong ones drawn is below `share`."""
    from scipy.stats import binom

    return bool(binom.cdf(wrong, drawn, share) < error)


def main() -> None:
    """Print both tables: looks without a fault that promises need, and the simulation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--batches", type=int, default=1000)
    parser.add_argument("--row", action="append", help="PHOTOS:WRONG:CONFIDENCE, that row alone")
    options = parser.parse_args()
    count = 40 if options.short else options.batches
    if not options.row:
        print_needs()
    head = "confidence | photos | wrong | bound always true | promise kept | ended by a sample"
    print(f"| {head} | looks, median | looks, 9 of 10 | Clopper-Pearson always true |")
    print("|" + "---|" * 9)
    every = [f"{size}:{share}:{kind}" for size, share in _ROWS for kind in KINDS]
    for text in options.row or every:
        size, share, kind = text.split(":")
        print_row(int(size), float(share), kind, count)


def print_needs() -> None:
    """Print the looks that promises need while none of them finds a fault."""
    print("| photos | " + " | ".join(f"at most {share:.0%} wrong" for share in _SHARES) + " |")
    print("|" + "---|" * (1 + len(_SHARES)))
    for size in _SIZES:
        items = [Drawn(f"photo-{number}", 0.99, seed="needs") for number in range(size)]
        needs = [known(items, Promise(share)).needs for share in _SHARES]
        print(f"| {size} | {' | '.join(map(str, needs))} |", flush=True)
    print()


def print_row(size: int, share: float, kind: str, count: int) -> None:
    """Simulate so many batches of one kind and print what came of them."""
    chance = random.Random(f"{kind} {size} {share}")
    found = [simulate(chance, size, share, kind, _PROMISE) for _ in range(count)]
    looks = sorted(item.looks for item in found)
    cells = (
        f"{sum(item.true_always for item in found) / count:.1%}",
        f"{sum(item.kept for item in found) / count:.1%}",
        f"{sum(item.looks < size for item in found) / count:.0%}",
        str(looks[count // 2]),
        str(looks[count * 9 // 10]),
        f"{sum(item.pearson_true_always for item in found) / count:.1%}",
    )
    print(f"| {kind} | {size} | {share:.1%} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
