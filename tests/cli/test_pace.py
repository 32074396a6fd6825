"""After ten photos a run says how quick it is, and how long the rest takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mattebox.cli.pace import Pace


def lines(total: int, seconds: float) -> list[str]:
    """What is said over `total` photos that take `seconds` each."""
    now = 0.0

    def clock() -> float:
        return now

    pace, said = Pace(total, clock), []
    for _ in range(total):
        now += seconds
        if line := pace.line():
            said.append(line)
    return said


def test_it_is_said_after_ten_a_hundred_and_a_thousand() -> None:
    """With the photos a minute, and a time as people say it."""
    assert lines(2000, 2.0) == [
        "10 of 2000: 30 a minute, about 66 minutes left.",
        "100 of 2000: 30 a minute, about 63 minutes left.",
        "1000 of 2000: 30 a minute, about 33 minutes left.",
    ]
    assert lines(20, 1.0) == ["10 of 20: 60 a minute, less than a minute left."]
    assert lines(30000, 1.0)[0].endswith("about 8 hours left.")


@given(st.integers(0, 10))
def test_of_ten_photos_or_fewer_nothing_is_said(total: int) -> None:
    """There is no rest to tell of."""
    assert lines(total, 1.0) == []


def test_a_clock_that_stands_still_divides_by_nothing() -> None:
    """Nothing is said then."""
    assert lines(20, 0.0) == []
