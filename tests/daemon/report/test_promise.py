"""How much is wrong among what nobody looked at: the bound, the drawing, the journal and the status line."""

from __future__ import annotations

import json
import random
from itertools import product
from math import comb, exp
from typing import TYPE_CHECKING

import pytest
from bench.promise import KINDS, simulate
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.daemon.hot_folders import HotFolders
from tests.daemon.test_commands import call

from mattebox.daemon.config.load import load_config
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.report.promise import Drawn, items_of, known, new_order, next_looks
from mattebox.daemon.report.wrong_bound import Promise, Stratum, most_wrong, surprise_allowed

if TYPE_CHECKING:
    from pathlib import Path

_PROMISE = Promise(0.02, 0.95)


def _items(count: int, *, seed: str = "a") -> list[Drawn]:
    return [Drawn(f"p{number}", 0.3 + 0.7 * number / count, seed=seed) for number in range(count)]


@st.composite
def _strata(draw: st.DrawFn) -> list[Stratum]:
    found = []
    for _ in range(draw(st.integers(1, 3))):
        size = draw(st.integers(1, 12))
        drawn = draw(st.integers(0, size))
        wrong = draw(st.integers(0, drawn))
        found.append(Stratum(size, drawn, wrong, wrong, size - (drawn - wrong)))
    return found


@settings(deadline=None, max_examples=60)
@given(_strata())
def test_the_bound_is_the_largest_number_that_is_not_refuted(strata: list[Stratum]) -> None:
    """Trying every way to share wrong ones out between strata finds the same number as the search does."""
    allowed = surprise_allowed(strata, _PROMISE)
    fits = [
        sum(counts)
        for counts in product(*(range(item.least, item.most + 1) for item in strata))
        if sum(item.cost(wrong) for item, wrong in zip(strata, counts, strict=True)) < allowed
    ]
    assert most_wrong(strata, _PROMISE) == max(fits)


@given(st.integers(1, 60), st.data())
def test_the_cost_is_the_hypergeometric_probability(size: int, data: st.DataObject) -> None:
    """A stratum's cost is that of one order of a draw without replacement: chance / arrangements."""
    drawn = data.draw(st.integers(0, size))
    wrong = data.draw(st.integers(0, size))
    seen = data.draw(st.integers(max(0, drawn - (size - wrong)), min(wrong, drawn)))
    chance = comb(wrong, seen) * comb(size - wrong, drawn - seen) / comb(size, drawn)
    cost = Stratum(size, drawn, seen, seen, size).cost(wrong)
    assert exp(-cost) == pytest.approx(chance / comb(drawn, seen), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_promise_is_kept_whatever_confidence_says(kind: str) -> None:
    """In simulated batches with honest, shuffled and too high confidence the bound is true at every look."""
    chance = random.Random(kind)
    found = [simulate(chance, 300, share, kind, Promise(0.05)) for share in (0.01, 0.06) for _ in range(50)]
    assert sum(item.true_always for item in found) >= 95
    assert sum(item.kept for item in found) >= 95


def test_the_drawing_follows_from_its_seed() -> None:
    """The same seed gives the same order, whatever the items' order; another seed gives another one."""
    items = _items(200)
    ahead = next_looks(items, 200)
    assert next_looks(reversed(items), 200) == ahead
    assert sorted(ahead) == sorted(item.id for item in items)
    assert next_looks(_items(200, seed="b"), 200) != ahead
    assert next_looks([], 5) == []


def test_each_stratum_is_drawn_in_proportion() -> None:
    """Of any beginning of the order each stratum has its share, to within one."""
    items = _items(400)
    strata = new_order(items)
    ahead = next_looks(items, 400)
    for count in (20, 100, 250):
        seen = set(ahead[:count])
        for stratum in strata:
            found = sum(item.id in seen for item in stratum)
            assert abs(found - count * len(stratum) / 400) <= 1.5


def test_looks_without_a_fault_keep_the_promise_when_it_was_said() -> None:
    """After as many faultless looks as were needed it holds, and one look earlier it does not."""
    items = [Drawn(f"p{number}", 0.99, seed="s") for number in range(2000)]
    first = known(items, _PROMISE)
    assert not first.holds
    assert first.by_sample
    assert first.share == 1.0
    ahead = next_looks(items, first.needs)

    def after(looks: int) -> bool:
        seen = set(ahead[:looks])
        now = [Drawn(item.id, 0.99, True if item.id in seen else None, seed="s") for item in items]
        return known(now, _PROMISE).holds

    assert after(first.needs)
    assert not after(first.needs - 1)
    assert "more looks without a fault promise 2 %" in first.sentence


def test_it_says_when_no_sample_can_promise() -> None:
    """In a batch so small that one wrong cutout is too many, all have to be looked at; then none is left."""
    items = _items(20)
    small = known(items, _PROMISE)
    assert (small.by_sample, small.needs) == (False, 20)
    assert "look at all of them" in small.sentence
    done = known([Drawn(item.id, item.confidence, True, seed="a") for item in items], _PROMISE)
    assert (done.holds, done.share, done.unlooked) == (True, 0.0, 0)


def test_what_no_drawing_holds_counts_as_wrong() -> None:
    """New photos of which nothing is known do not profit from what is known of others."""
    seen = [Drawn(f"p{number}", 0.9, True, seed="a") for number in range(500)]
    assert known(seen, _PROMISE).holds
    assert known(seen, _PROMISE, undrawn=10).most_wrong == 10
    assert not known(seen, _PROMISE, undrawn=10).holds


def test_looks_out_of_order_are_no_evidence_and_lessen_what_is_left() -> None:
    """Whoever picks what to look at learns nothing of the others, but those that were seen are known."""
    items = [Drawn(f"p{number}", 0.99, seed="s") for number in range(1000)]
    last = set(next_looks(items, 1000)[500:])
    picked = [Drawn(item.id, 0.99, True if item.id in last else None, seed="s") for item in items]
    found = known(picked, _PROMISE)
    assert (found.unlooked, found.most_wrong) == (500, 500)


@pytest.mark.slow
def test_the_journal_keeps_the_drawing_and_status_shows_it(tmp_path: Path) -> None:
    """A wave, its seed and what was said outlive the process, undo takes it back, and `status` shows it."""
    hot = HotFolders(tmp_path)
    hot.drop({f"p{number}.png": b"photo %d" % number for number in range(12)})
    hot.once()
    state = load_config(hot.config).state
    journal = Journal(state)
    folder, jobs = "studio", [job.id for job in journal.jobs("done")]
    assert len(jobs) == 12
    with journal.transaction():
        assert journal.drawings.draw(folder, dict.fromkeys(jobs[:8], 0.9), share=0.1) == 8
        assert journal.drawings.draw(folder, dict.fromkeys(jobs, 0.9), share=0.1) == 4
        assert journal.drawings.draw(folder, dict.fromkeys(jobs, 0.9), share=0.1) == 0
    items, promise = items_of(journal.drawings.of(folder))
    assert promise == Promise(0.1, 0.95)
    ahead = next_looks(items, 3)
    with journal.transaction():
        journal.drawings.look(ahead[0], right=True)
        journal.drawings.look(ahead[1], right=False)
        journal.drawings.look(ahead[2], right=False)
        journal.drawings.look(ahead[2], right=None)
    journal.close()
    again = Journal(state)
    items, _ = items_of(again.drawings.of(folder))
    again.close()
    assert next_looks(items, 1) == [ahead[2]]
    assert len({item.seed for item in items}) == 2
    told = call("status", hot.config, "--json")
    found = json.loads(told.stdout)["folders"][0]["promise"]
    assert (found["looked"], found["wrong"], found["unlooked"], found["holds"]) == (2, 1, 10, False)
    assert "2 looked at, 1 wrong; of the 10 that nobody looked at" in " ".join(
        call("status", hot.config).stdout.split()
    )
