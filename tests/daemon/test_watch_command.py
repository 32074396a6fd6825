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


@pytest.mark.network
@pytest.mark.slow
def test_a_sigterm_in_the_middle_of_work_loses_nothing(
    example: Path, ten_photos: Path, mattebox: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """It ends within the grace period, and the next start goes on from there."""
    root = example.parent
    example.write_text(
        example.read_text(encoding="utf-8").replace("  timeout: 2m", "  timeout: 2m\n  grace: 20s"),
        encoding="utf-8",
    )
    log = (root / "log").open("w+", encoding="utf-8")
    command = [sys.executable, "-m", "mattebox.cli.main", "watch", os.fspath(example)]
    with log, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, text=True) as daemon:
        until(lambda: " working " in (root / "log").read_text(encoding="utf-8"))
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(60) == 0
    before = len(list((root / "done").glob("*")))
    assert before < 8, before
    done = mattebox("once", example)
    assert done.returncode == 1
    assert len(list((root / "done").iterdir())) == 8
    assert len(list((root / "out").iterdir())) == 16
    assert len(list((root / "failed").iterdir())) == 4
    assert not list(root.rglob(".mattebox*"))


@pytest.mark.network
@pytest.mark.slow
def test_a_corrected_mask_is_in_every_output(
    example: Path, shipped_photos: dict[str, Path], mattebox: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """A person paints in the review's PSD and drops it into approved/: all outputs have that mask."""
    import numpy as np
    from PIL import Image
    from psd_tools import PSDImage

    root = example.parent
    text = example.read_text(encoding="utf-8")
    rule = "      - name: everything\n"
    example.write_text(
        text.replace(rule, f"{rule}        review: {{below: 1.0, to: ./review}}\n"), encoding="utf-8"
    )
    (root / "in").mkdir()
    with Image.open(shipped_photos["flower.jpg"]) as picture:
        picture.resize((320, 213)).save(root / "in" / "flower.png")
    assert mattebox("once", example).returncode == 0
    assert not [path for path in (root / "out").rglob("*") if path.is_file()]
    review = next((root / "review").glob("*.psd"))
    with Image.open(next((root / "review").glob("*.preview.png"))) as preview:
        assert preview.size == (320, 213)
    psd = PSDImage.open(review)
    layer = next(layer for layer in psd if layer.has_mask())
    painted = np.zeros((213, 320), np.uint8)
    painted[40:100, 50:150] = 200
    layer.update_mask(Image.fromarray(painted), left=0, top=0)
    (root / "review" / "approved").mkdir()
    psd.save(root / "review" / "approved" / review.name)
    done = mattebox("once", example)
    assert done.returncode == 0, done.stderr
    with Image.open(root / "out" / "flower.png") as cutout:
        alpha = np.asarray(cutout)[..., 3]
    assert np.array_equal(alpha, painted)
    assert (root / "out" / "flower.psd").exists()
    # What the person saved is an original too.
    assert {path.name for path in (root / "done").iterdir()} == {"flower.png", review.name}
    assert not [path for path in (root / "review").rglob("*") if path.is_file()]
