"""docs/gimp.md in real GIMP 3.0 and 3.2: its tables name every argument, and its examples work."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from tests.gimp_plugin.command_line import masks_of

if TYPE_CHECKING:
    from tests.gimp_plugin.rig import Rig

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(400)]

PAGE = (Path(__file__).resolve().parents[2] / "docs/gimp.md").read_text(encoding="utf-8")
VERSIONS = ["3.0", "3.2"]
Gimps = Callable[[str], "Rig"]


def block(name: str) -> str:
    """The fenced block behind a comment of this name."""
    return PAGE.partition(f"<!-- {name} -->")[2].split("```")[1].partition("\n")[2]


@pytest.fixture
def folder(gimps: Gimps, request: pytest.FixtureRequest) -> tuple[Rig, Path]:
    """A GIMP, and a folder with the photo and a blank picture."""
    rig = gimps(request.node.callspec.params["version"])
    made = rig.scratch / "batch"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    shutil.copy(rig.scratch / "photo.png", made)
    return rig, made


def run(rig: Rig, place: Path, command: str) -> str:
    """A command of the page, typed in that folder."""
    line = rig.command("sh", "-c", f'cd "{place}" && {command.strip()}')
    done = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_the_script_fu_example(folder: tuple[Rig, Path], version: str) -> None:
    """The PNG's transparency is the command line's mask of the photo."""
    rig, place = folder
    (place / "cut.scm").write_text(block("script-fu"), encoding="utf-8")
    run(rig, place, block("script-fu command"))
    with Image.open(place / "photo.cutout.png") as cutout:
        assert cutout.mode == "RGBA", version
        alpha = np.asarray(cutout)[..., 3]
    assert np.array_equal(alpha, masks_of(rig, rig.scratch, ["photo"])["photo"])


@pytest.mark.parametrize("version", VERSIONS)
def test_the_python_fu_example(folder: tuple[Rig, Path], version: str) -> None:
    """The photo gets an XCF; the blank picture gets none, and its name and the reason are printed."""
    rig, place = folder
    Image.new("RGB", (60, 50), "white").save(place / "blank.png")
    (place / "cut.py").write_text(block("python-fu"), encoding="utf-8")
    said = run(rig, place, block("python-fu command"))
    assert (place / "photo.xcf").stat().st_size > 1000, version
    assert not (place / "blank.xcf").exists()
    assert re.search(r"blank\.png No subject was found", said)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_tables_name_every_argument(gimps: Gimps, version: str) -> None:
    """Those that all procedures share are told once."""
    rig = gimps(version)
    rig.run("arguments")
    taken = rig.result("arguments").values
    for name, arguments in taken.items():
        section = PAGE.partition(f"## {name}\n")[2].partition("\n## ")[0]
        told = re.findall(r"^\| `([\w-]+)` \|", section, flags=re.MULTILINE)
        assert ["run-mode", "image", "drawables", *told] == arguments
