"""`mattebox watch` as a process: it sees what is dropped, and ends when it is told to."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def until(true: Callable[[], bool], seconds: float = 120) -> None:
    """Wait for something that other processes do."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("signal_name", ["SIGTERM", "SIGINT"])
def test_a_dropped_photo_is_picked_up_and_the_end_is_clean(
    example: Path, shipped_photos: dict[str, Path], signal_name: str
) -> None:
    """A photo that is dropped while it watches comes out; on a signal it ends with status 0."""
    root = example.parent
    log = (root / "log").open("w+", encoding="utf-8")
    command = [sys.executable, "-m", "mattebox.cli.main", "watch", os.fspath(example)]
    with log, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, text=True) as daemon:
        until((root / "in").is_dir)
        shutil.copy(shipped_photos["flower.jpg"], root / "in" / "flower.jpg")
        until((root / "done" / "flower.jpg").exists)
        daemon.send_signal(getattr(signal, signal_name))
        assert daemon.wait(60) == 0
        log.seek(0)
        text = log.read()
    assert "Traceback" not in text
    assert " info delivered folder=studio job=" in text
    assert {path.name for path in (root / "out").iterdir()} == {"flower.psd", "flower.png"}
    assert list((root / "in").iterdir()) == []
