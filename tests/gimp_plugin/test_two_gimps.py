"""Two real GIMPs at once: one engine serves both, also when both want to start it."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.gimp_plugin.command_line import by_command_line
from tests.gimp_plugin.rig import Rig

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(400)]


@pytest.fixture
def cold(rig: Rig) -> Iterator[Rig]:
    """A profile whose engine was not started yet, with the photo of the others."""
    made = Rig(rig.root)
    shutil.copy(rig.scratch / "photo.png", made.scratch)
    yield made
    made.stop()


def test_two_gimps_at_once_share_one_engine(cold: Rig) -> None:
    """Six cuts by two GIMPs of one profile all succeed with the command line's mask, by one process."""
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda name: cold.run("twin", twin=name), ("left", "right")))
    results = [cold.result(name) for name in ("left", "right")]
    expected = by_command_line(cold, results[:1])["left"]
    for result in results:
        assert result["said"] == [["success", ""]] * 3
        assert np.array_equal(result.plane("mask"), expected)
    line = ["pgrep", "-f", f"engine --announce --folder {cold.rendezvous}"]
    found = subprocess.run(line, capture_output=True, text=True, check=False).stdout.split()
    assert len(found) == 1
