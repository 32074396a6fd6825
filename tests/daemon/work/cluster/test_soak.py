"""The short form of `python -m bench.cluster_soak`: random kills of every part, and of the storage."""

from __future__ import annotations

import pytest
from bench.cluster_soak import soak


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(600)
def test_each_photo_has_one_set_of_outputs_whatever_is_killed() -> None:
    """Two seeds: one with a poison photo, one in which the share goes away while workers are at it."""
    figures = soak(range(2))
    assert figures["wrong"] == {}
