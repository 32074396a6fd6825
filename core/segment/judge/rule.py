"""Rule: whether a disputed part belongs to the subject, by what is known of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from math import exp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mattebox.core.segment.judge.parts import Facts


@dataclass(frozen=True, slots=True)
class Rule:
    """A logistic rule over the Facts of a part, as bench/judge.py fits it: slopes by name, and a bias."""

    slopes: Mapping[str, float]
    bias: float

    def belongs(self, facts: Facts) -> float:
        """The probability, 0..1, that a part belongs to the subject."""
        known = asdict(facts)
        odds = self.bias + sum(slope * known[name] for name, slope in self.slopes.items())
        return 1 / (1 + exp(-max(-30.0, min(30.0, odds))))


@cache
def shipped_rule() -> Rule:
    """The rule in parts.json."""
    table = json.loads(files("mattebox.core.segment.judge").joinpath("parts.json").read_text("utf-8"))
    return Rule(**table)
