"""The main job from an installed wheel: run by .ci/run in an empty folder with an empty model cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

PHOTOS = Path(sys.argv[1])
MATTEBOX = Path(sys.executable).with_name("mattebox")


def mattebox(*arguments: str, status: int = 0, cut_off: bool = False) -> str:
    """Run the installed command and return what it printed; its exit status must be `status`.

    cut_off: in a network namespace without any network, so that every attempt to reach out fails.
    """
    prefix = ["unshare", "-rn"] if cut_off else []
    done = subprocess.run(
        [*prefix, MATTEBOX, *arguments], capture_output=True, text=True, check=False, timeout=600
    )
    print(done.stdout + done.stderr, flush=True)
    assert done.returncode == status, (arguments, done.returncode)
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def check_cutout(path: Path, size: tuple[int, int]) -> None:
    """An RGBA picture of the photo's size with a subject and a background."""
    with Image.open(path) as picture:
        assert picture.mode == "RGBA", picture.mode
        assert picture.size == size, picture.size
        alpha = np.asarray(picture)[..., 3]
    assert 0.05 < (alpha == 255).mean() < 0.95
    assert (alpha == 0).mean() > 0.05


installed = find_spec("mattebox.core")
assert installed is not None
assert Path(sys.prefix) in Path(str(installed.origin)).parents, "the installed package is what runs"

shutil.copy(PHOTOS / "astronaut.png", "astronaut.png")
told = mattebox("cut", "astronaut.png")
# The quicker form of the network was tried, whatever this processor makes of it.
assert "u2net is " in told or "u2net stays as it is" in told, told
check_cutout(Path("astronaut.cutout.png"), (512, 512))

# A second run touches no network.
shutil.copy(PHOTOS / "chelsea.png", "cat.png")
mattebox("cut", "cat.png", cut_off=True)
check_cutout(Path("cat.cutout.png"), (451, 300))

Path("watched").mkdir()
for photo in PHOTOS.iterdir():
    shutil.copy(photo, Path("watched"))
Path("watched/broken.jpg").write_bytes((PHOTOS / "flower.jpg").read_bytes()[:3000])
Path("rules.yaml").write_text(
    """version: 1
state: ./state
folders:
  - name: studio
    watch: ./watched
    settle: 0s
    done: ./done
    failed: ./failed
    rules:
      - name: all
        deliver:
          - {format: psd, to: "./out/{tree}/{stem}.psd"}
          - {format: png, to: "./out/{tree}/{stem}.png"}
""",
    encoding="utf-8",
)
mattebox("once", "rules.yaml", status=1, cut_off=True)
names = sorted(str(path) for folder in ("out", "done", "failed") for path in Path(folder).rglob("*.*"))
assert names == [
    "done/astronaut.png",
    "done/chelsea.png",
    "done/coffee.png",
    "done/flower.jpg",
    "failed/broken.jpg",
    "failed/broken.jpg.reason.json",
    *(
        f"out/{name}.{ending}"
        for name in ("astronaut", "chelsea", "coffee", "flower")
        for ending in ("png", "psd")
    ),
], names
assert not list(Path("watched").iterdir())
# What the hot folder delivered is byte for byte what the command wrote.
assert Path("out/astronaut.png").read_bytes() == Path("astronaut.cutout.png").read_bytes()
with Image.open("out/flower.psd") as psd:
    assert psd.size == (640, 427)
print("The main job is done: 2 cutouts by command, 4 PSDs and 4 PNGs from a hot folder.")
