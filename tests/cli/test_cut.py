"""`mattebox cut` with real networks on real photos."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.network
Mattebox = Callable[..., Any]


def alpha_of(path: Path) -> np.ndarray:
    """The alpha channel of a written cutout."""
    with Image.open(path) as picture:
        assert picture.mode == "RGBA"
        return np.asarray(picture)[..., 3]


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        # x, y of points that plainly are, and plainly are not, the subject
        ("astronaut.png", [(220, 110), (230, 300), (150, 450)], [(10, 250), (400, 60), (480, 300)]),
        ("cat.png", [(200, 150), (300, 80), (260, 250)], [(10, 10), (440, 290)]),
        ("flower.jpg", [(330, 200), (300, 130)], [(20, 20), (620, 20), (20, 400)]),
    ],
)
def test_the_subject_is_in_and_the_background_is_out(
    mattebox: Mattebox, photos: Path, name: str, inside: list[tuple[int, int]], outside: list[tuple[int, int]]
) -> None:
    """The default network keeps what the photo is of and drops what it is not."""
    ran = mattebox("cut", photos / name)
    assert (ran.status, ran.err) == (0, "")
    cutout = photos / f"{Path(name).stem}.cutout.png"
    alpha = alpha_of(cutout)
    with Image.open(photos / name) as photo:
        assert alpha.shape == (photo.height, photo.width)
    assert [alpha[y, x] for x, y in inside] == [255] * len(inside)
    assert [alpha[y, x] for x, y in outside] == [0] * len(outside)


def test_edges_are_soft_and_opaque_pixels_untouched(mattebox: Mattebox, photos: Path) -> None:
    """Alpha has steps between 0 and 255, and where it is 255 the pixel equals the photo's."""
    mattebox("cut", photos / "cat.png", "-m", "u2netp")
    with Image.open(photos / "cat.cutout.png") as picture:
        rgba = np.asarray(picture)
    with Image.open(photos / "cat.png") as picture:
        rgb = np.asarray(picture)
    alpha = rgba[..., 3]
    assert len(np.unique(alpha)) > 50
    opaque = alpha == 255
    assert opaque.mean() > 0.1
    assert np.array_equal(rgba[..., :3][opaque], rgb[opaque])


def test_a_folder_goes_to_a_folder_and_failures_are_named(mattebox: Mattebox, photos: Path) -> None:
    """Broken files among good ones are each named in one sentence; the good ones are done; status 1."""
    (photos / "deep").mkdir()
    (photos / "cat.png").rename(photos / "deep" / "cat.png")
    (photos / "empty.png").touch()
    (photos / "text.jpg").write_text("no picture")
    (photos / "half.jpg").write_bytes((photos / "flower.jpg").read_bytes()[:20000])
    out = photos.parent / "out"
    ran = mattebox("cut", photos, "-o", out, "-m", "u2netp")
    assert ran.status == 1
    written = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert written == ["astronaut.png", "coffee.png", "deep/cat.png", "flower.png"]
    lines = ran.err.strip().splitlines()
    assert sorted(Path(line.partition(":")[0]).name for line in lines) == [
        "empty.png",
        "half.jpg",
        "text.jpg",
    ]
    assert all(line.endswith(".") for line in lines)


def test_an_existing_output_is_kept_unless_overwriting_is_asked_for(mattebox: Mattebox, photos: Path) -> None:
    """Nothing of the user is overwritten silently."""
    target = photos / "cat.cutout.png"
    target.write_text("mine")
    ran = mattebox("cut", photos / "cat.png", "-m", "u2netp")
    assert ran.status == 1
    assert "--overwrite" in ran.err
    assert target.read_text() == "mine"
    assert mattebox("cut", photos / "cat.png", "-m", "u2netp", "--overwrite").status == 0
    assert alpha_of(target).any()


def test_an_output_never_replaces_an_input(mattebox: Mattebox, photos: Path) -> None:
    """Even --overwrite does not let a cutout stand where its photo stood."""
    before = (photos / "cat.png").read_bytes()
    ran = mattebox("cut", photos / "cat.png", "-o", photos / "cat.png", "--overwrite")
    assert ran.status == 1
    assert "photo of yours" in ran.err
    assert (photos / "cat.png").read_bytes() == before


def test_the_report_holds_what_is_promised(mattebox: Mattebox, photos: Path) -> None:
    """--report writes NAME.report.json with input, outputs, model, confidence, warnings, box and seconds."""
    ran = mattebox("cut", photos / "cat.png", "-m", "u2netp", "--report", "--json")
    assert ran.status == 0
    report = json.loads((photos / "cat.cutout.png.report.json").read_text())
    assert json.loads(ran.out) == report
    assert report["input"] == str(photos / "cat.png")
    assert [item["path"] for item in report["outputs"]] == [str(photos / "cat.cutout.png")]
    assert report["model"] == "u2netp"
    assert 0 <= report["confidence"] <= 1
    assert isinstance(report["warnings"], list)
    left, top, right, bottom = report["subject_box"]
    assert 0 <= left < right <= 451
    assert 0 <= top < bottom <= 300
    assert {"read", "segment", "write"} <= set(report["seconds"])


@pytest.mark.parametrize(
    ("arguments", "status", "part"),
    [
        (["cut", "missing.jpg"], 1, "missing.jpg: there is no such file"),
        (["cut", "cat.png", "-m", "u2nett"], 2, "did you mean u2net"),
        (["cut", "cat.png", "--set", "cut.refin=none"], 2, "did you mean refine?"),
        (["cut", "cat.png", "--set", "nonsense"], 2, "KEY=VALUE"),
        (["cut", "cat.png", "-o", "x.docx"], 2, "no ending that can be written"),
        (["cut", "cat.png", "-o", "astronaut.png/below/x.png"], 1, "the folder cannot be made"),
        (
            ["cut", "cat.png", "-o", "/proc/", "-m", "u2netp"],
            1,
            "/proc/cat.png: the output could not be",
        ),
        (["cut"], 2, "PHOTO"),
        (["cutt"], 2, "did you mean cut?"),
    ],
)
def test_wrong_use_is_one_sentence_with_the_right_status(
    mattebox: Mattebox,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    status: int,
    part: str,
) -> None:
    """Mistakes end with 2, failures with 1, both with a sentence and no traceback, and nothing is written."""
    monkeypatch.chdir(photos)
    before = sorted(path.name for path in photos.iterdir())
    ran = mattebox(*arguments)
    assert ran.status == status
    assert part in ran.err
    assert "Traceback" not in ran.err
    assert sorted(path.name for path in photos.iterdir()) == before


def test_a_killed_command_leaves_no_output_under_a_final_name(photos: Path) -> None:
    """Kill -9 in the middle of a batch: every file under a final name is complete."""
    inputs = photos.parent / "many"
    inputs.mkdir()
    for index in range(12):
        shutil.copy(photos / "cat.png", inputs / f"{index:02}.png")
    out = photos.parent / "out"
    with subprocess.Popen(
        [sys.executable, "-m", "mattebox.cli.main", "cut", inputs, "-o", out, "-m", "u2netp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        process.kill()
    finished = [path for path in out.iterdir() if not path.name.startswith(".")]
    assert 3 <= len(finished) <= 12
    for path in finished:
        assert alpha_of(path).shape == (300, 451)


def test_help_loads_no_arrays() -> None:
    """`mattebox --help` and `mattebox cut --help` import neither numpy nor onnxruntime nor Pillow."""
    script = (
        "import sys\nfrom mattebox.cli.main import main\nsys.argv = ['mattebox', *sys.argv[1:]]\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'cv2', 'onnxruntime', 'PIL', 'scipy', 'psd_tools'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    for arguments in (["--help"], ["cut", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "Usage: mattebox" in done.stdout
