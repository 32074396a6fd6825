"""What a process arranges before its first array."""

from __future__ import annotations

import gc
import subprocess
import sys
from contextlib import suppress
from typing import Final

import pytest

from mattebox.core.process import loading

_AGAIN: Final = """
import resource, sys
from mattebox.core.process import configure_process
if sys.argv[1] == "settled":
    configure_process()
import numpy as np

# Below the size from which NumPy asks for huge pages.
blocks = [np.empty(3 << 20, np.uint8) for _ in range(6)]
for block in blocks:
    block[::4096] = 1
del block, blocks
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
blocks = [np.empty(3 << 20, np.uint8) for _ in range(6)]
for block in blocks:
    block[::4096] = 1
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(how: str) -> int:
    """How many pages the system hands out for six pictures made right after six others were freed."""
    done = subprocess.run([sys.executable, "-c", _AGAIN, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told to keep memory")
def test_freed_memory_is_kept() -> None:
    """After configure_process pictures come from the memory of the last ones, without it they do not."""
    assert _faults("settled") < _faults("plain") / 4


@pytest.mark.parametrize("was", [True, False])
def test_the_collector_rests_while_modules_load(was: bool) -> None:
    """Within loading() nothing is collected; after what fails in it all is as it was."""
    before = gc.isenabled()
    try:
        (gc.enable if was else gc.disable)()
        with suppress(ImportError), loading():
            within = gc.isenabled()
            raise ImportError
        assert not within
        assert gc.isenabled() is was
    finally:
        (gc.enable if before else gc.disable)()
        gc.unfreeze()
