"""`mattebox once` with real photos and the real network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.slow
def test_the_example_works_as_it_is(mattebox: Command, example: Path) -> None:
    """On an empty disk it makes the folders that it names, says what to do next and ends with 0."""
    done = mattebox("once", example)
    assert done.returncode == 0, done.stderr
    assert f"Made {example.parent / 'in'}" in done.stdout
    assert "mattebox watch" in done.stdout
    assert {path.name for path in example.parent.iterdir()} >= {"in", "done", "failed"}
    again = mattebox("once", example)
    assert again.returncode == 0
    assert again.stdout == f"Nothing waits in {example.parent / 'in'}.\n"


@pytest.mark.network
@pytest.mark.slow
def test_ten_photos_of_which_two_are_broken(mattebox: Command, example: Path, ten_photos: Path) -> None:
    """Eight PSDs, eight PNGs, eight originals in done/, two in failed/ with reasons; exit status 1."""
    from psd_tools import PSDImage

    names = {path.name for path in ten_photos.iterdir()}
    assert len(names) == 10
    done = mattebox("once", example)
    assert done.returncode == 1, done.stderr
    root = example.parent
    outputs = sorted((root / "out").iterdir())
    assert len([path for path in outputs if path.suffix == ".psd"]) == 8
    assert len([path for path in outputs if path.suffix == ".png"]) == 8
    assert len(outputs) == 16
    broken = {"half.jpg", "text.jpg"}
    assert {path.name for path in (root / "done").iterdir()} == names - broken
    assert {path.name for path in (root / "failed").iterdir()} == broken | {
        f"{name}.reason.json" for name in broken
    }
    for name in broken:
        reason = json.loads((root / "failed" / f"{name}.reason.json").read_text(encoding="utf-8"))
        assert reason["what"].endswith(".")
        assert reason["do"].endswith(".")
        assert reason["step"] == "read"
        assert name in reason["input"]
    assert not list(root.rglob(".*"))
    masked = [layer for layer in PSDImage.open(root / "out" / "coffee.psd") if layer.has_mask()]
    assert len(masked) == 1
    assert "Traceback" not in done.stderr
    assert "8 done, 2 failed." in done.stdout
