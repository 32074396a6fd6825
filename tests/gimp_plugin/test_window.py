"""The real window of GIMP 3: menu, dialog, OK, undo, Cancel, and an engine that is killed meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.gimp_plugin.rig import Rig, find_root
from tests.gimp_plugin.window import Window, opened

from mattebox.models.catalogue import find_network
from mattebox.models.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def window(shipped_photos: dict[str, Path]) -> Iterator[Window]:
    """An open window with the astronaut's photo."""
    root = find_root()
    if root is None:
        pytest.skip("no chroot with GIMP and a screen: run .ci/gimp.sh as root")
    Store().ensure(find_network("u2net"))
    rig = Rig(root)
    photo = rig.scratch / "astronaut.png"
    with Image.open(shipped_photos["astronaut.png"]) as shipped:
        # Without its profile, about which GIMP would ask first.
        Image.fromarray(np.asarray(shipped.convert("RGB"))).save(photo)
    try:
        with opened(rig, photo) as made:
            yield made
    finally:
        kept = os.environ.get("MATTEBOX_PICTURES")
        if kept:
            for picture in rig.scratch.glob("window-*.png"):
                shutil.copy(picture, kept)
        rig.stop()


def start_cut(window: Window) -> None:
    """Layer > Mask > Mask the Subject, as far as the dialog."""
    window.until(lambda: plug_ins(window) == "", "the end of the plug-in before")
    window.keys("alt+l")
    window.keys("m")
    window.keys("j")
    window.until(lambda: window.has("Mask the Subject"), "the dialog")


def engine_pid(window: Window) -> int:
    """The engine's process."""
    return int(window.status()["pid"])


def plug_ins(window: Window) -> str:
    """The processes of this rig's plug-in."""
    line = ["pgrep", "-f", f"{window.rig.plugin}/mattebox.py"]
    return subprocess.run(line, capture_output=True, text=True, check=False).stdout


def undo(window: Window, steps: int, cut: list[list[Any]]) -> None:
    """Ctrl+Z so many times takes a finished cut away and leaves the image as it was.

    A mask is in the image before its plug-in has ended, and until then GIMP undoes nothing.
    """
    window.until(lambda: plug_ins(window) == "", "the end of the plug-in")
    window.until(lambda: window.images() == cut, "the image after the plug-in")
    window.keys(*["ctrl+z"] * steps)
    window.until(lambda: window.images() == [[False, [False], 0]], "the image as it was")


def test_menu_dialog_ok_and_one_undo(window: Window) -> None:
    """The mask is on the layer after OK, and one Ctrl+Z takes it away and leaves the image unchanged."""
    start_cut(window)
    window.picture("window-dialog.png")
    window.keys("Return")
    window.until(lambda: window.masks() == [True], "the mask")
    window.picture("window-mask.png")
    undo(window, 1, [[True, [True], 0]])


def test_cancel_ends_the_plug_in_and_the_work(window: Window) -> None:
    """Cancel in the middle leaves no process, no change, and an engine that serves on."""
    pid = engine_pid(window)
    os.kill(pid, signal.SIGSTOP)
    try:
        start_cut(window)
        window.keys("Return")
        window.until(lambda: not window.has("Mask the Subject"), "the end of the dialog")
        window.until(lambda: plug_ins(window) != "", "the plug-in at work")
        # The button at the right end of the status bar.
        window.until(lambda: window.click(819, 737) and plug_ins(window) == "", "the end of the plug-in")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert window.images() == [[False, [False], 0]]
    assert engine_pid(window) == pid


def test_an_engine_that_is_killed_is_an_error_box(window: Window) -> None:
    """Killed in the middle of a cut: a sentence in GIMP's own box, and the next cut works."""
    pid = engine_pid(window)
    start_cut(window)
    window.keys("Return")
    window.until(lambda: window.status()["busy"], "the cut")
    os.kill(pid, signal.SIGKILL)
    window.until(lambda: plug_ins(window) == "", "the end of the plug-in")
    window.until(lambda: window.has("GIMP Message"), "the error box")
    window.picture("window-error.png")
    window.keys("Escape")
    assert window.images() == [[False, [False], 0]]
    start_cut(window)
    window.keys("Return")
    window.until(lambda: window.masks() == [True], "the mask after a new start")
    undo(window, 1, [[True, [True], 0]])


def test_again_repeats_what_the_dialog_said(window: Window) -> None:
    """A dialog that made a channel: "again", found by the / search, makes one more without any dialog."""
    start_cut(window)
    # The letter goes to the list of results, whose third entry is the channel.
    window.keys("alt+t", "Down", "Down", "alt+o")
    window.until(lambda: window.images() == [[True, [False], 1]], "the channel")
    window.until(lambda: plug_ins(window) == "", "the end of the plug-in")
    window.focus("astronaut")
    # The image has a channel before GIMP hears keys again.
    assert window.images() == [[True, [False], 1]]
    window.keys("slash")
    window.until(lambda: window.has("Search Actions"), "the search")
    window.search("subject: again")
    window.until(lambda: window.images() == [[True, [False], 2]], "the second channel")
    undo(window, 2, [[True, [False], 2]])
