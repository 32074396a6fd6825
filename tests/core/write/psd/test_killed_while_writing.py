"""A PSD is complete or absent: a process killed in the middle of writing leaves no file of that name."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from mattebox.core.publish import STAGED_PREFIX, publish, stage_name
from mattebox.core.settings import PsdOutput
from mattebox.core.write.psd import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.core.composition import Composition

# Writes the same picture again and again, and publishes each one when it is complete.
_WRITER = """
import sys
from pathlib import Path
from mattebox.core.publish import publish, stage_name
from mattebox.core.settings import PsdOutput
from mattebox.core.write.psd import write
from tests.core.write.psd.samples import build

made = build(size=(1500, 1200), clean=True, shadow=True)
for number in range(1000):
    target = Path(sys.argv[1]) / f"{number}.psd"
    staged = stage_name(target)
    write(made, PsdOutput(), staged)
    publish(staged, target)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a POSIX signal")
def test_killed_while_writing_leaves_no_final_name(
    composition_of: Callable[..., Composition], tmp_path: Path
) -> None:
    """Kill -9 at several moments: each file with a final name equals the whole one, byte by byte."""
    whole = tmp_path / "whole.psd"
    staged = stage_name(whole)
    write(composition_of(size=(1500, 1200), clean=True, shadow=True), PsdOutput(), staged)
    publish(staged, whole)
    killed_inside = 0
    for share in (0.05, 0.3, 0.5, 0.7, 0.9):
        folder = tmp_path / str(share)
        folder.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(folder)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        while largest_staged(folder) < share * whole.stat().st_size:
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed_inside += 0 < largest_staged(folder) < whole.stat().st_size
        for path in folder.iterdir():
            if not path.name.startswith(STAGED_PREFIX):
                assert path.read_bytes() == whole.read_bytes(), f"{path.name} at {share}"
    assert killed_inside, "at least one kill came in the middle of writing"


def largest_staged(folder: Path) -> int:
    """The bytes of the largest file under a staged name; 0 where there is none."""
    sizes = [0]
    for path in folder.glob(f"{STAGED_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):  # published between the two calls
            sizes.append(path.stat().st_size)
    return max(sizes)
