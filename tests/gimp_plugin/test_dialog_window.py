"""The dialog in GIMP's real window, in English and in German: its words, its preview, and its question."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.gimp_plugin.rig import Rig, find_root
from tests.gimp_plugin.window import Window, opened

from mattebox.models.catalogue import PROMPTABLE, find_network

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(400)]

WORDS = {
    "C.UTF-8": ("Mask the Subject", "subject...", "Mask by Clicking", "Search Actions", "Fetch a Network"),
    "de_DE.UTF-8": ("Motiv maskieren", "motiv maskieren...", "Maske durch Klicken", "Aktionen", "Netz holen"),
}


@pytest.fixture(params=WORDS)
def window(request: pytest.FixtureRequest, shipped_photos: dict[str, Path]) -> Iterator[Window]:
    """An open window in one of two languages."""
    root = find_root()
    if root is None:
        pytest.skip("no chroot with GIMP and a screen: run .ci/gimp.sh as root")
    rig = Rig(root, language=request.param)
    lack_a_network(rig)
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


def lack_a_network(rig: Rig) -> None:
    """Let the plug-in's record say that the network which judges is not on this computer."""
    path = rig.plugin / "record.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    judge = find_network(PROMPTABLE)
    facts = {"file": judge.file, "size": judge.size, "licence": judge.licence, "commercial": judge.commercial}
    record |= {"catalogue": {PROMPTABLE: facts}, "models": str(rig.scratch / "nothing")}
    path.write_text(json.dumps(record), encoding="utf-8")


def start(window: Window, search: str, entry: str) -> None:
    """The / search, and an entry of the menus by its words."""
    window.focus("astronaut")
    window.keys("slash")
    window.focus(search)
    window.search(entry)


def loaded(window: Window) -> list[str]:
    """The networks that the plug-in's engine has loaded."""
    return list(window.status()["networks"])


def magenta(window: Window, name: str) -> int:
    """How many pixels of the screen are the ground of the preview."""
    screen = np.asarray(Image.open(window.picture(name)).convert("RGB")).astype(int)
    return int(((screen[..., 0] > 200) & (screen[..., 1] < 90) & (screen[..., 2] > 200)).sum())


def test_the_dialog_speaks_the_users_language_and_asks_before_it_fetches(window: Window) -> None:
    """Its entry is found by its own words; it has a preview; Cancel to the question leaves it open."""
    title, entry, clicking, search, question = WORDS[window.rig.language]
    start(window, search, entry)
    window.focus(title)
    name = f"dialog-{'de' if window.rig.language.startswith('de') else 'en'}.png"
    window.until(lambda: magenta(window, name) > 10_000, "the preview")
    window.keys("alt+o")
    window.focus(question)
    window.picture(name.replace("dialog-", "dialog-fetch-"))
    window.keys("Escape")
    window.until(lambda: not window.has(question), "the end of the question")
    window.focus(title)
    window.keys("Escape")
    window.until(lambda: not window.has(title), "the end of the dialog")
    # The window for clicking asks before it opens; Cancel leaves everything as it was.
    start(window, search, clicking.lower()[:12])
    window.focus(question)
    window.picture(name.replace("dialog-", "dialog-fetch-clicking-"))
    window.keys("Escape")
    line = ["pgrep", "-f", f"{window.rig.plugin}/mattebox.py"]
    window.until(
        lambda: not subprocess.run(line, capture_output=True, check=False).stdout, "the end of the plug-in"
    )
    assert not window.has(clicking)
    assert window.images() == [[False, [False], 0]]
    # Neither the preview nor the question that was not agreed to has loaded it.
    assert PROMPTABLE not in loaded(window)
