"""Draws README's picture of GIMP: a real window with the dialog, and the window for clicking.

Needs the chroot of .ci/gimp.sh. The picture in the window is a toy that is drawn here: no photo of others
is in this repository.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.gimp_plugin.rig import Rig, find_root
from tests.gimp_plugin.window import Window, opened

HEIGHT, WIDTH = 440, 560
WALL, TABLE, FUR, SNOUT, BLACK = (
    (206, 204, 196),
    (186, 156, 122),
    (190, 125, 80),
    (226, 190, 150),
    (26, 23, 24),
)
# Centre, radius and colour of the balls that have fur, then of those that have none.
FURRY = [(238, 138, 34), (348, 138, 34), (293, 286, 104), (293, 182, 82), (219, 352, 41), (367, 352, 41)]
BARE = [(293, 212, 34, SNOUT), (266, 165, 11, BLACK), (320, 165, 11, BLACK), (293, 201, 12, BLACK)]
SIZE = (700, 484)
COLOURS = 200


def toy(seed: int = 4) -> np.ndarray:
    """A furry bear on a table, (h, w, 3) uint8 RGB."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    light = 0.8 + 0.25 * np.exp(-(((columns - 160) / 320) ** 2 + ((rows - 110) / 280) ** 2))
    picture = np.where((rows > 330)[..., None], TABLE, WALL) * light[..., None]
    shadow = np.exp(-1.3 * (((columns - 305) / 180) ** 2 + ((rows - 380) / 25) ** 2)) * (rows > 330)
    picture *= (1 - 0.55 * shadow)[..., None]
    for left, top, radius in FURRY:
        ball(picture, left, top, radius, FUR)
    for left, top, radius in FURRY:
        for angle in random.uniform(0, 2 * np.pi, radius * 9):
            way = angle + random.normal(0, 0.35)
            root = np.array([left, top]) + radius * random.uniform(0.8, 1) * direction(angle)
            tip = root + random.uniform(6, 14) * direction(way)
            shade = 0.55 + 0.5 * np.clip(direction(angle) @ (-0.5, -0.6) + 0.3, 0, 1)
            ends = [tuple(int(16 * value) for value in end) for end in (root, tip)]
            cv2.line(picture, *ends, tuple(float(shade * value) for value in FUR), 1, cv2.LINE_AA, 4)
    for left, top, radius, colour in BARE:
        ball(picture, left, top, radius, colour)
    return np.clip(picture + random.normal(0, 3, picture.shape[:2])[..., None], 0, 255).astype(np.uint8)


def direction(angle: float) -> np.ndarray:
    """The unit vector at an angle."""
    return np.array([np.cos(angle), np.sin(angle)])


def ball(picture: np.ndarray, left: int, top: int, radius: int, colour: Any) -> None:
    """Draw a shaded ball into a picture (h, w, 3) of floats."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    across, down = (columns - left) / radius, (rows - top) / radius
    alpha = np.clip((1 - np.hypot(across, down)) * radius + 0.5, 0, 1)[..., None]
    towards = np.sqrt(np.clip(1 - across**2 - down**2, 0, 1))
    lit = np.clip(-0.5 * across - 0.6 * down + 0.62 * towards, 0, 1)
    gloss = np.clip(-0.38 * across - 0.45 * down + 0.8 * towards, 0, 1) ** 60
    shaded = np.array(colour) * (0.28 + 0.8 * lit)[..., None] + 190 * gloss[..., None]
    picture[:] = picture * (1 - alpha) + shaded * alpha


def shots(window: Window) -> list[Path]:
    """The window with the dialog and its preview, and with the window for clicking."""
    window.keys("alt+l")
    window.keys("m")
    window.keys("j")
    window.until(lambda: window.has("Mask the Subject"), "the dialog")
    title = ["--onlyvisible", "--name", "Mask the Subject"]
    window.do("xdotool", "search", *title, "windowmove", "--sync", "12", "30")
    window.until(lambda: ground(window.picture("dialog.png")) > 10_000, "the preview")
    window.keys("Escape")
    window.until(lambda: not window.has("Mask the Subject"), "the end of the dialog")
    window.keys("slash")
    window.until(lambda: window.has("Search Actions"), "the search")
    window.do("xdotool", "type", "--delay", "80", "mask by cl")
    window.keys("Return")
    window.until(lambda: window.has("Mask by Clicking"), "the window for clicking")
    window.until(lambda: ground(window.picture("clicking.png")) > 50_000, "the matte")
    return [window.rig.scratch / "dialog.png", window.rig.scratch / "clicking.png"]


def ground(path: Path) -> int:
    """How many pixels of a picture are the magenta ground."""
    levels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return int(((levels[..., 0] > 200) & (levels[..., 1] < 90) & (levels[..., 2] > 200)).sum())


def main() -> None:
    """Draw, drive, and write the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/gimp.png"))
    options = parser.parse_args()
    root = find_root()
    if root is None:
        parser.error("no chroot with GIMP: run .ci/gimp.sh as root")
    rig = Rig(root)
    try:
        photo = rig.scratch / "toy.png"
        Image.fromarray(toy()).save(photo)
        with opened(rig, photo) as window:
            pictures = [Image.open(path).convert("RGB") for path in shots(window)]
    finally:
        rig.stop()
    both = Image.new("RGB", (2 * SIZE[0] + 12, SIZE[1]), "white")
    for number, picture in enumerate(pictures):
        both.paste(picture.resize(SIZE, Image.Resampling.LANCZOS), (number * (SIZE[0] + 12), 0))
    both.quantize(COLOURS, dither=Image.Dither.NONE).save(options.output, optimize=True)


if __name__ == "__main__":
    main()
