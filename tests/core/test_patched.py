"""Patched: a picture that differs in a few places, read by rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mattebox.core.patched import Patch, Patched, rows_of, whole


@given(
    st.integers(1, 40),
    st.integers(1, 30),
    st.sampled_from([1, 3, 4]),
    st.sampled_from([np.uint8, np.uint16]),
    st.integers(0, 2**32 - 1),
)
def test_rows_are_those_of_a_whole_copy(
    height: int, width: int, channels: int, dtype: type, seed: int
) -> None:
    """Any rows equal those of a copy with the patches drawn in, and the picture below stays as it was."""
    random = np.random.default_rng(seed)
    base = random.integers(0, 255, (height, width, channels)).astype(dtype)
    before, expected, patches = base.copy(), base.copy(), []
    for top in range(0, height, 8):
        for left in range(0, width, 8):
            place = slice(top, min(height, top + 8)), slice(left, min(width, left + 8))
            where = random.random(base[place].shape[:2]) < random.choice([0.0, 0.5])
            colours = random.integers(0, 255, base[place].shape).astype(dtype)
            if random.random() < 0.5:
                patches.append(Patch(place, where, colours))
                expected[place][where] = colours[where]
    picture = Patched(base, tuple(patches))
    np.testing.assert_array_equal(whole(picture), expected)
    start, stop = sorted(random.integers(0, height + 1, 2))
    np.testing.assert_array_equal(rows_of(picture, slice(start, stop)), expected[start:stop])
    np.testing.assert_array_equal(rows_of(picture, slice(start, stop, 3)), expected[start:stop:3])
    np.testing.assert_array_equal(base, before)


def test_rows_without_patches_are_the_pictures_own() -> None:
    """Where no patch is nothing is copied."""
    base = np.zeros((20, 10, 3), np.uint8)
    patch = Patch((slice(0, 5), slice(0, 5)), np.ones((5, 5), bool), np.ones((5, 5, 3), np.uint8))
    rows = Patched(base, (patch,)).rows(slice(5, 20))
    assert np.shares_memory(rows, base)
