"""The dialog in GIMP's real window, in English and in German: its words, and what is gray."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.gimp_plugin.rig import Rig, find_root
from tests.gimp_plugin.window import Window, opened

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(400)]

WORDS = {
    "C.UTF-8": ("Mask the Subject", "subject..."),
    "de_DE.UTF-8": ("Motiv maskieren", "motiv maskieren..."),
}


@pytest.fixture(params=WORDS)
def window(request: pytest.FixtureRequest, shipped_photos: dict[str, Path]) -> Iterator[Window]:
    """An open window in one of two languages."""
    root = find_root()
    if root is None:
        pytest.skip("no chroot with GIMP and a screen: run .ci/gimp.sh as root")
    rig = Rig(root, language=request.param)
    photo = rig.scratch / "astronaut.png"
    with Image.open(shipped_photos["astronaut.png"]) as shipped:
        Image.fromarray(np.asarray(shipped.convert("RGB"))).save(photo)
    try:
        with opened(rig, photo) as made:
            yield made
    finally:
        kept = os.environ.get("MATTEBOX_PICTURES")
        if kept:
            for picture in rig.scratch.glob("dialog-*.png"):
                shutil.copy(picture, kept)
        rig.stop()


def magenta(window: Window, name: str) -> int:
    """How many pixels of the screen are the ground of the preview."""
    screen = np.asarray(Image.open(window.picture(name)).convert("RGB")).astype(int)
    return int(((screen[..., 0] > 200) & (screen[..., 1] < 90) & (screen[..., 2] > 200)).sum())


def test_the_dialog_speaks_the_users_language(window: Window) -> None:
    """The menu's entry is found by its own words, the dialog has them as its title, and a preview."""
    title, search = WORDS[window.rig.language]
    window.keys("slash")
    window.until(lambda: window.has("Search Actions") or window.has("Aktionen"), "the search")
    window.do("xdotool", "type", "--delay", "80", search)
    window.keys("Return")
    window.until(lambda: window.has(title), "the dialog")
    name = f"dialog-{'de' if window.rig.language.startswith('de') else 'en'}.png"
    window.until(lambda: magenta(window, name) > 10_000, "the preview")
    window.keys("Escape")
    window.until(lambda: not window.has(title), "the end of the dialog")
    assert window.images() == [[False, [False], 0]]
