"""Path globs fit what their expressions fitted, and many signs cost no more than few."""

from __future__ import annotations

import re
import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mattebox.daemon.config.conditions.path import path_pattern

SIGNS = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def former(pattern: str) -> re.Pattern[str]:
    """The regular expression that a glob was until many signs took all day."""
    parts = re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", pattern.strip("/"))
    text = "".join(SIGNS.get(part, re.escape(part)) for part in parts)
    return re.compile(text, re.IGNORECASE | re.DOTALL)


@given(
    st.lists(st.sampled_from(["**/", "/**", "**", "*", "?", "a", "b", "/", "ß", ".", "A"]), max_size=7).map(
        "".join
    ),
    st.text(alphabet="abAB/.ßs\n", max_size=10),
)
def test_a_glob_fits_what_it_fitted(pattern: str, path: str) -> None:
    """Any glob gives the answer of its regular expression."""
    assert path_pattern(pattern).fullmatch(path) == bool(former(pattern).fullmatch(path))


def test_twice_the_path_is_twice_the_steps() -> None:
    """A glob of many signs takes as many lines of code for each character of a path that does not fit."""
    glob = path_pattern("**/a*/**/a*/**/a*/**/a*x")
    counts = [lines(lambda path="a/" * size: glob.fullmatch(path)) for size in (50, 100, 200)]
    assert counts[1] <= 2 * counts[0]
    assert counts[2] <= 2 * counts[1]


def lines(work: Any) -> int:
    """How many lines of code are run for a piece of work."""
    count = 0

    def heed(_frame: Any, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return heed

    before = sys.gettrace()
    sys.settrace(heed)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
