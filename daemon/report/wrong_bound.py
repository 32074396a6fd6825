"""The largest number of wrong ones that a draw without replacement does not refute, at all looks together.

Prior-posterior-ratio confidence sequences for sampling without replacement (Waudby-Smith and Ramdas, NeurIPS
2020): a number of wrong ones is refuted once a mixture that was fixed before the first look has explained
what was drawn 1 / (1 - surety) times better than that number does. By Ville's inequality the true number is
refuted, at whatever look, in at most a share 1 - surety of batches. Strata are drawn from in an order that
does not depend on what is found, and share one mixture, so that no error is divided between them.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from math import exp, floor, inf, lgamma, log
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# Before anything is seen, half is staked on nothing being wrong, the rest on Beta-distributed rates: one of
# all strata in common, a quarter of what is promised on average, and one of each by itself.
_NOTHING_WRONG: Final = 0.5
_COMMON: Final = 0.3
_EACH: Final = 0.2
_QUARTER: Final = 4.0
_BETA: Final = (0.5, 10.0)
_HALVINGS: Final = 30


@dataclass(frozen=True, slots=True)
class Promise:
    """At most this `share` of what nobody looked at is wrong; that is true `surety` of the times."""

    share: float = 0.02
    surety: float = 0.95

    @property
    def text(self) -> str:
        """The promise in words: at most 2 % wrong, 95 times in 100."""
        return f"at most {percent(self.share)} wrong, {self.surety * 100:g} times in 100"


@dataclass(frozen=True, slots=True)
class Stratum:
    """What is known of one stratum.

    size: of it. drawn: the longest run of the drawing's order that was looked at; wrong: of those.
    least, most: how many can be wrong in all, by everything that was looked at.
    """

    size: int
    drawn: int
    wrong: int
    least: int
    most: int

    def cost(self, wrong: int) -> float:
        """Minus the logarithm of how likely what was drawn is, in its order, where so many are wrong."""
        right = self.drawn - self.wrong
        if wrong < self.wrong or self.size - wrong < right:
            return inf
        return -(
            _falling(wrong, self.wrong) + _falling(self.size - wrong, right) - _falling(self.size, self.drawn)
        )

    def step(self, wrong: int) -> float:
        """What one more wrong one costs; it never gets cheaper (both logarithms are concave)."""
        return self.cost(wrong + 1) - self.cost(wrong)

    def upto(self, price: float, start: int) -> int:
        """The most wrong ones whose every step from `start` costs at most `price`."""
        low, high = start, self.most
        while low < high:
            middle = (low + high) // 2
            if self.step(middle) <= price:
                low = middle + 1
            else:
                high = middle
        return low


def most_wrong(strata: Sequence[Stratum], promise: Promise) -> int:
    """The largest number of wrong ones, looked at or not, that what was drawn does not refute.

    Among all ways to share them out between the strata it is found exactly: each further one is put where it
    costs least, and costs never fall.
    """
    budget = surprise_allowed(strata, promise)
    start = [_likeliest(stratum) for stratum in strata]
    budget -= sum(stratum.cost(wrong) for stratum, wrong in zip(strata, start, strict=True))
    if budget <= 0:
        return sum(start)
    low, high = 0.0, budget
    best = start
    for _ in range(_HALVINGS):
        price = (low + high) / 2
        found = [stratum.upto(price, wrong) for stratum, wrong in zip(strata, start, strict=True)]
        if _spent(strata, start, found) < budget:
            low, best = price, found
        else:
            high = price
    return sum(_filled(strata, start, best, budget))


def surprise_allowed(strata: Sequence[Stratum], promise: Promise) -> float:
    """The sum of costs from which on numbers of wrong ones are refuted by what was drawn."""
    return log(1 / (1 - promise.surety)) - _stake(strata, promise)


def _filled(strata: Sequence[Stratum], start: list[int], found: list[int], budget: float) -> list[int]:
    """The last steps of equal price, as long as the budget lasts."""
    found = list(found)
    left = budget - _spent(strata, start, found)
    steps = [
        (stratum.step(wrong), number)
        for number, (stratum, wrong) in enumerate(zip(strata, found, strict=True))
        if wrong < stratum.most
    ]
    heapq.heapify(steps)
    while steps and steps[0][0] < left:
        price, number = heapq.heappop(steps)
        left -= price
        found[number] += 1
        if found[number] < strata[number].most:
            heapq.heappush(steps, (strata[number].step(found[number]), number))
    return found


def _spent(strata: Sequence[Stratum], start: Sequence[int], found: Sequence[int]) -> float:
    return sum(
        stratum.cost(now) - stratum.cost(then)
        for stratum, then, now in zip(strata, start, found, strict=True)
    )


def _likeliest(stratum: Stratum) -> int:
    """The number of wrong ones that explains best what was drawn, within what is possible."""
    share = stratum.wrong * (stratum.size + 1) / stratum.drawn if stratum.drawn else 0
    return min(max(floor(share), stratum.least), stratum.most)


def _stake(strata: Sequence[Stratum], promise: Promise) -> float:
    """The logarithm of the probability that the mixture gave to what was drawn, in its order."""
    drawn = sum(stratum.drawn for stratum in strata)
    wrong = sum(stratum.wrong for stratum in strata)
    parts = [
        log(_COMMON) + _beta(wrong, drawn, (1.0, _QUARTER / promise.share)),
        log(_EACH) + sum(_beta(stratum.wrong, stratum.drawn, _BETA) for stratum in strata),
    ]
    if wrong == 0:
        parts.append(log(_NOTHING_WRONG))
    top = max(parts)
    return top + log(sum(exp(part - top) for part in parts))


def _beta(wrong: int, drawn: int, shape: tuple[float, float]) -> float:
    """The logarithm of a sequence's probability under a Beta-distributed rate."""
    first, second = shape
    return (
        lgamma(first + wrong)
        + lgamma(second + drawn - wrong)
        - lgamma(first + second + drawn)
        - (lgamma(first) + lgamma(second) - lgamma(first + second))
    )


def _falling(value: int, count: int) -> float:
    """The logarithm of value (value - 1) ... with `count` factors."""
    return lgamma(value + 1) - lgamma(value - count + 1)


def percent(share: float) -> str:
    """A share as people read it: rounded up, never to less than it is."""
    return f"{floor(share * 1000 + 0.999999) / 10:g} %"
