"""How much is wrong among the cutouts that nobody looked at: an exact bound that holds at every moment.

A part of a batch is drawn at random, in strata of confidence, and a person says of each whether it is right.
Looking after each verdict whether it is enough spoils a bound that is made for one look (Clopper-Pearson's is
broken by it, `bench/promise.py`); the one of `wrong_bound.py` holds at all moments together. Confidence
decides where a cutout is drawn from and nothing else: where it says nothing, or the untrue, the bound is
wider and still holds.

What the light table does: when a folder rests it calls `journal.drawings.draw(folder, {job: confidence},
share=)` for what was delivered without a review; `next_looks(items, n)` names what to mix into the queue;
with each verdict it calls `journal.drawings.look(job, right=)` (accepted is right, rejected wrong, undo None)
and shows `known(items, promise).sentence`. `items_of(journal.drawings.of(folder))` gives both.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import TYPE_CHECKING, Final

from mattebox.daemon.report.wrong_bound import Promise, Stratum, most_wrong, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mattebox.daemon.journal.drawings import DrawnJob

# Strata of confidence begin here; below the first one a review's rule looks at all of them anyway.
_BANDS: Final = (0.5, 0.8, 0.95)
# So many steps of a small batch are asked one by one.
_STEPS: Final = 25
_SLACK: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Drawn:
    """One cutout of a drawing. right: what a person said of it, None where nobody looked.

    wave, seed: of the drawing that it belongs to. confidence: what it was when it was drawn.
    """

    id: str
    confidence: float
    right: bool | None = None
    wave: int = 0
    seed: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a batch. unlooked: how many nobody looked at; most_wrong: at most so many of them.

    needs: how many more looks, all without a fault, keep the promise; 0: it holds. by_sample: False where
    nothing less than looking at every one keeps it.
    """

    promise: Promise
    looked: int
    wrong: int
    unlooked: int
    most_wrong: int
    needs: int
    by_sample: bool

    @property
    def share(self) -> float:
        """At most this share of what nobody looked at is wrong."""
        return self.most_wrong / self.unlooked if self.unlooked else 0.0

    @property
    def holds(self) -> bool:
        """Whether enough was looked at."""
        return self.needs == 0

    @property
    def sentence(self) -> str:
        """The same in words."""
        seen = f"{self.looked} looked at, {self.wrong} wrong"
        if not self.unlooked:
            return f"{seen}; nothing is left that nobody looked at."
        rest = f"of the {self.unlooked} that nobody looked at,"
        if self.holds:
            return f"{seen}; enough: {rest} at most {percent(self.share)} are wrong, {self._times}."
        bound = f"{seen}; {rest} at most {percent(self.share)} are wrong, {self._times}"
        if not self.by_sample:
            return f"{bound}. No sample can promise {percent(self.promise.share)}: look at all of them."
        looks = "1 more look" if self.needs == 1 else f"{self.needs} more looks"
        return f"{bound}; {looks} without a fault promise {percent(self.promise.share)}."

    @property
    def _times(self) -> str:
        return f"{self.promise.surety * 100:g} times in 100"


def items_of(rows: Sequence[DrawnJob]) -> tuple[list[Drawn], Promise]:
    """What a folder's drawings in the journal say, and the promise of the newest of them."""
    items = [Drawn(row.job, row.confidence, row.right, row.wave, row.seed) for row in rows]
    newest = max(rows, key=lambda row: row.wave, default=None)
    return items, Promise() if newest is None else Promise(newest.share, newest.surety)


def new_order(items: Iterable[Drawn]) -> list[list[Drawn]]:
    """The items by stratum, each in the order of its drawing: by the hash of the seed and the item's id."""
    strata: dict[tuple[int, int], list[Drawn]] = {}
    for item in items:
        band = sum(item.confidence >= edge for edge in _BANDS)
        strata.setdefault((item.wave, band), []).append(item)
    return [sorted(strata[key], key=_place) for key in sorted(strata)]


def _place(item: Drawn) -> bytes:
    return hashlib.sha256(f"{item.seed}\0{item.id}".encode("utf-8", "surrogateescape")).digest()


def next_looks(items: Iterable[Drawn], count: int) -> list[str]:
    """The ids to look at next, in this order: each stratum in proportion to its size."""
    order = new_order(items)
    places = [_drawn(stratum) for stratum in order]
    found: list[str] = []
    while len(found) < count:
        open_ones = [number for number, place in enumerate(places) if place < len(order[number])]
        if not open_ones:
            break
        number = min(open_ones, key=lambda each: (places[each] + 0.5) / len(order[each]))
        item = order[number][places[number]]
        places[number] += 1
        if item.right is None:
            found.append(item.id)
    return found


def known(items: Iterable[Drawn], promise: Promise, *, undrawn: int = 0) -> Known:
    """What is known now. undrawn: cutouts of the batch that no drawing holds; nothing is known of them."""
    order = new_order(items)
    looked = sum(item.right is not None for stratum in order for item in stratum)
    wrong = sum(item.right is False for stratum in order for item in stratum)
    unlooked = sum(len(stratum) for stratum in order) - looked + undrawn
    most = _most_left(order, promise) + undrawn
    if most <= promise.share * unlooked:
        return Known(promise, looked, wrong, unlooked, most, 0, by_sample=True)
    needs = _needs(order, promise, undrawn)
    return Known(promise, looked, wrong, unlooked, most, needs, needs < unlooked)


def _needs(order: Sequence[Sequence[Drawn]], promise: Promise, undrawn: int) -> int:
    """How many more looks without a fault keep the promise; all that are left where no fewer do."""
    items = [item for stratum in order for item in stratum]
    ahead = next_looks(items, len(items))

    def enough(looks: int) -> bool:
        seen = set(ahead[:looks])
        then = [
            [replace(item, right=True) if item.id in seen else item for item in stratum] for stratum in order
        ]
        unlooked = len(ahead) - looks + undrawn
        return _most_left(then, promise) + undrawn <= promise.share * unlooked

    low, high = _window(len(ahead), undrawn, promise, enough)
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low if not undrawn or enough(low) else low + undrawn


def _window(left: int, undrawn: int, promise: Promise, enough: Callable[[int], bool]) -> tuple[int, int]:
    """Between which numbers of looks the promise begins to hold.

    More looks tell more but leave fewer, of which a share is a whole number: in a small batch the promise may
    hold, hold no more, and hold again. It is asked at the last look before each such step.
    """
    steps = floor(promise.share * (left + undrawn))
    before = 0
    for allowed in range(steps if steps <= _STEPS else 0, 0, -1):
        looks = left + undrawn - ceil(allowed / promise.share - _SLACK)
        if looks > before:
            if looks <= left and enough(looks):
                return before + 1, looks
            before = looks
    return min(before + 1, left), left


def _most_left(order: Sequence[Sequence[Drawn]], promise: Promise) -> int:
    """At most so many are wrong among those of a drawing that nobody looked at."""
    strata = [stratum_of(stratum) for stratum in order if any(item.right is None for item in stratum)]
    return most_wrong(strata, promise) - sum(stratum.least for stratum in strata)


def _drawn(stratum: Sequence[Drawn]) -> int:
    """How far in the order every item was looked at."""
    return next((place for place, item in enumerate(stratum) if item.right is None), len(stratum))


def stratum_of(items: Sequence[Drawn]) -> Stratum:
    """What is known of one stratum, whose items stand in the order of the drawing."""
    drawn = _drawn(items)
    wrong = sum(item.right is False for item in items)
    right = sum(item.right is True for item in items)
    of_drawn = sum(item.right is False for item in items[:drawn])
    return Stratum(len(items), drawn, of_drawn, wrong, len(items) - right)
