"""Hot folders with the product's own example configuration, and commands run as a user runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "config.example.yaml"


@pytest.fixture
def mattebox() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `mattebox ARGUMENTS...` in a process of its own."""

    def run(*arguments: str | Path, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mattebox.cli.main", *map(os.fspath, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example configuration in a folder of its own."""
    return Path(shutil.copy(EXAMPLE, tmp_path))


@pytest.fixture
def second_disk(tmp_path: Path, quick_disk: Path) -> Iterator[Path]:
    """A folder on another device than `tmp_path`: the memory disk, or one that is mounted for it."""
    if quick_disk.stat().st_dev != tmp_path.stat().st_dev:
        yield quick_disk
        return
    place = tmp_path / "second-disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture
def ten_photos(tmp_path: Path, shipped_photos: dict[str, Path]) -> Path:
    """Ten files in the watched folder: eight real photos, one cut in half and one that is text."""
    from PIL import Image, ImageOps

    folder = tmp_path / "in"
    folder.mkdir()
    for name, path in shipped_photos.items():
        with Image.open(path) as picture:
            small = ImageOps.contain(picture.convert("RGB"), (320, 320))
        small.save(folder / f"{path.stem}.jpg", quality=90)
        ImageOps.mirror(small).save(folder / f"{path.stem}.png")
        assert name
    whole = (folder / "coffee.jpg").read_bytes()
    (folder / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "text.jpg").write_text("no photo at all\n", encoding="utf-8")
    return folder
