"""Killed at any step boundary, with real files and the real journal: nothing lost, nothing done twice.

MATTEBOX_ALL_PAIRS=1 tries every pair of boundaries instead of a random sample;
MATTEBOX_SEED=N repeats the sample that a former run printed.
"""

from __future__ import annotations

import ast
import os
import random
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.crash.cases import CASES
from tests.crash.kill_pairs import BoundaryPairs, boundary_pairs, other_place, quick_place, trials

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLE = 40
ALL = bool(os.environ.get("MATTEBOX_ALL_PAIRS"))
_boundary_pairs = cache(boundary_pairs)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_kill_at_any_boundary_changes_nothing(case: str, figure: Callable[[str], None]) -> None:
    """After a kill at each boundary of the loop the next run ends as if nothing had happened."""
    found: BoundaryPairs = _boundary_pairs(case)
    figure(f"kills, {case}: {len(found.names)} boundaries, each killed at")
    assert len(found.names) > 10


@pytest.mark.slow
@pytest.mark.timeout(3600 if ALL else 300)
@pytest.mark.parametrize("case", CASES)
def test_two_kills_at_any_boundaries_change_nothing(case: str, figure: Callable[[str], None]) -> None:
    """After a kill and another one in the run after it, the third run ends as if nothing had happened."""
    pairs = _boundary_pairs(case).pairs()
    seed = int(os.environ.get("MATTEBOX_SEED", random.randrange(1_000_000)))
    chosen = pairs if ALL else random.Random(seed).sample(pairs, SAMPLE)
    outcomes = trials(case, chosen)
    reached = sum(outcome.kills == 2 for outcome in outcomes)
    figure(f"kills, {case}: at {reached} of {len(pairs)} pairs of boundaries (MATTEBOX_SEED={seed})")
    wrong = [outcome.wrong for outcome in outcomes if outcome.wrong]
    assert not wrong, "\n".join([*wrong, f"repeat with MATTEBOX_SEED={seed}"])
    # On a busy machine a run may pass a boundary more or less than the one that was counted.
    assert reached >= 0.95 * len(chosen)


@pytest.mark.slow
def test_every_boundary_in_the_code_is_killed_at() -> None:
    """The boundaries that the code names are those at which these cases kill."""
    from mattebox import daemon

    room = Path(str(daemon.__file__)).parent
    named = set()
    for path in room.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "step":
                named.add(ast.literal_eval(node.args[0]))
    crossed: set[str] = set()
    for case in CASES:
        found = _boundary_pairs(case)
        crossed |= set(found.names).union(*found.after)
    assert crossed == named


def test_the_two_places_are_on_two_devices() -> None:
    """The case with another disk has another disk."""
    assert quick_place().stat().st_dev != other_place().stat().st_dev
