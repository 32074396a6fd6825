"""GIMP's real window on a screen of its own, driven by keys and looked at by pictures."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from mattebox.gimp_plugin.mattebox import protocol
from mattebox.gimp_plugin.mattebox.client import Engine

if TYPE_CHECKING:
    from tests.gimp_plugin.rig import Rig

# Of this process alone: two test runs on one machine would meet on a fixed one.
DISPLAY = f":{1000 + os.getpid() % 30_000}"
SIZE = "1100x760x24"
LOOK = """
import json
from pathlib import Path
found = []
for image in Gimp.get_images():
    layers = image.get_layers()
    masks = [layer.get_mask() is not None for layer in layers]
    found.append([image.is_dirty(), masks, len(image.get_channels())])
path = Path({path!r})
path.with_suffix(".new").write_text(json.dumps(found))
path.with_suffix(".new").replace(path)
"""


@dataclass
class Window:
    """An open GIMP with one photo."""

    rig: Rig
    program: str

    def words(self, *line: str) -> list[str]:
        """A command line on the window's screen and bus."""
        bus = f"unix:path={self.rig.scratch}/bus"
        return self.rig.command(
            *line, DISPLAY=DISPLAY, DBUS_SESSION_BUS_ADDRESS=bus, NO_AT_BRIDGE="1", GDK_BACKEND="x11"
        )

    def do(self, *line: str, check: bool = True) -> str:
        """Run a program beside the window and return what it printed."""
        done = subprocess.run(self.words(*line), capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def keys(self, *names: str) -> None:
        """Press keys, as a person would, one after the other."""
        self.do("xdotool", "key", "--clearmodifiers", "--delay", "150", *names)

    def click(self, left: int, top: int) -> bool:
        """Click with the mouse and go away again, so that no tip hides anything."""
        self.do("xdotool", "mousemove", str(left), str(top), "click", "1", "mousemove", "1095", "755")
        return True

    def images(self) -> list[Any]:
        """Of each open image: whether it changed, which layers have masks, how many channels there are."""
        path = self.rig.scratch / "look.json"
        path.unlink(missing_ok=True)
        code = LOOK.format(path=str(path))
        self.do(self.program, "--batch-interpreter", "python-fu-eval", "-b", code, check=False)
        # GIMP takes the batch when it has time, which may be after this program's end.
        end = time.monotonic() + 15
        while not path.exists():
            if time.monotonic() > end:
                return []
            time.sleep(0.1)
        return list(json.loads(path.read_text()))

    def masks(self) -> list[bool]:
        """Which layers of the first image have masks."""
        return next((image[1] for image in self.images()), [])

    def has(self, title: str) -> bool:
        """Whether a window with this in its title is on the screen."""
        return bool(self.do("xdotool", "search", "--onlyvisible", "--name", title, check=False).strip())

    def picture(self, name: str) -> Path:
        """The screen as a PNG."""
        path = self.rig.scratch / name
        self.do("import", "-window", "root", str(path))
        return path

    def status(self) -> dict[str, Any]:
        """What the engine says that the plug-in started."""
        engine = Engine(self.rig.record, lambda _: None)
        protocol.send(engine._wire, "status")
        answer = engine._next()
        engine.close()
        return answer

    def focus(self, title: str) -> None:
        """Wait until the keys go to the window of this title."""
        name = ["--onlyvisible", "--name", title]
        asked = ("xdotool", "getactivewindow", "getwindowname")
        self.until(lambda: self.has(title), title)
        self.do("xdotool", "search", *name, "windowactivate", "--sync", check=False)
        self.until(lambda: title in self.do(*asked, check=False), f"the keys for {title}")

    def search(self, words: str) -> None:
        """Type words into the / search, whose window has the keys, and take the first entry of its list.

        The list follows the words when GIMP has time; until then Return would take another entry, or none.
        """
        self.do("xdotool", "type", "--delay", "80", words)
        shown = [np.zeros(0)]

        def is_still() -> bool:
            with Image.open(self.picture("window-search.png")) as picture:
                shown.append(np.asarray(picture.convert("L")))
            # All but the cursor, which blinks.
            return shown[-1].shape == shown[-2].shape and int((shown[-1] != shown[-2]).sum()) < 100

        time.sleep(0.5)
        self.until(is_still, "the list of the search")
        self.keys("Return")

    @staticmethod
    def until(fact: Callable[[], bool], what: str, seconds: float = 120) -> None:
        """Wait for a fact; the test fails where it does not come true."""
        end = time.monotonic() + seconds
        while not fact():
            assert time.monotonic() < end, f"waited in vain: {what}"
            time.sleep(0.3)


@contextmanager
def opened(rig: Rig, photo: Path) -> Iterator[Window]:
    """A window with a photo; everything that was started ends with the block."""
    window = Window(rig, "gimp")
    with ExitStack() as stack:

        def start(*line: str) -> None:
            with (rig.scratch / f"{line[0]}.log").open("w") as log:
                process = subprocess.Popen(window.words(*line), stdout=log, stderr=log)

            def end() -> None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(10)

            stack.callback(end)

        start("Xvfb", DISPLAY, "-screen", "0", SIZE, "-nolisten", "tcp")
        window.until(lambda: window.do("xdotool", "getmouselocation", check=False) != "", "the screen")
        start("dbus-daemon", "--session", "--nofork", f"--address=unix:path={rig.scratch}/bus")
        window.until((rig.scratch / "bus").exists, "the bus")
        start("openbox")
        start(window.program, "--no-splash", str(photo))
        # A second gimp hands its batch to the first one only when that one is on the bus.
        window.until(lambda: window.has(photo.stem), "the window of the photo")
        window.until(lambda: bool(window.images()), "the photo in GIMP")
        for welcome in ("Welcome to GIMP", "Willkommen zu GIMP"):
            if window.has(welcome):
                window.do("xdotool", "search", "--name", welcome, "windowactivate", "--sync")
                window.keys("Escape")
        window.do("xdotool", "search", "--onlyvisible", "--name", photo.stem, "windowsize", "1100", "735")
        window.do("xdotool", "search", "--onlyvisible", "--name", photo.stem, "windowactivate", "--sync")
        window.do("xdotool", "mousemove", "1095", "755")
        yield window
