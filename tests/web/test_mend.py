"""Mending, comparing and handing over at the light table: what comes out is the matte that was accepted."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from tests.daemon.hot_folders import HotFolders, until
from tests.web.rig import REVIEW, SIZE, decided, draw_photo, hot_folders, jobs, put, serving, shown

from mattebox.core.job import Job, StagedOutput, run_job
from mattebox.core.settings import PsdOutput

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def alpha_of(path: Path) -> Any:
    """The transparency of a PNG."""
    with Image.open(path) as picture:
        return np.asarray(picture.getchannel("A"))


def saved(page: Any, seconds: float = 60) -> None:
    """Wait until the server has answered all that was decided."""
    shown(page, "(document.body.dataset.saving ?? '0') === '0'", seconds)


def ready(page: Any) -> None:
    """Wait until the photo on the stage was opened for mending."""
    shown(page, "document.body.dataset.mend === 'ready'", 120)


def edged(page: Any) -> None:
    """Wait until the last answer's edge was redone."""
    shown(page, "document.body.dataset.mend === 'edged'", 120)


def at(page: Any, x: float, y: float, size: tuple[int, int]) -> tuple[float, float]:
    """Where a point of the photo lies on the page, as the stage fits it."""
    frame = page.locator("#canvas").bounding_box()
    scale = min(frame["width"] / size[0], frame["height"] / size[1]) * 0.98
    return (
        frame["x"] + frame["width"] / 2 + (x - size[0] / 2) * scale,
        frame["y"] + frame["height"] / 2 + (y - size[1] / 2) * scale,
    )


@pytest.fixture
def cup(tmp_path: Path, shipped_photos: dict[str, Path]) -> HotFolders:
    """A photo of a cup in review, whose matte is a mere disc; no next one is looked at beside it."""
    folders = hot_folders(tmp_path)
    shutil.copy(shipped_photos["coffee.png"], folders.root / "in" / "cup-100.png")
    folders.once()
    return folders


@pytest.mark.network
@pytest.mark.timeout(600)
def test_clicks_and_strokes_become_every_output(page: Any, cup: HotFolders) -> None:
    """A click adds what is there, a stroke is exact, undo forgets; accepted, each output has that matte."""
    size = (600, 400)
    with serving(cup.config) as server:
        page.goto(server.address)
        shown(page, "!!document.body.dataset.painted")
        page.keyboard.press("m")
        ready(page)
        # The saucer's rim, far outside of the disc.
        page.mouse.click(*at(page, 160, 220, size))
        edged(page)
        page.keyboard.press("5")
        page.mouse.move(*at(page, 280, 100, size))
        page.mouse.down()
        page.mouse.move(*at(page, 320, 100, size), steps=4)
        page.mouse.up()
        edged(page)
        page.keyboard.press("2")
        page.mouse.click(*at(page, 300, 200, size))
        edged(page)
        page.keyboard.press("u")
        edged(page)
        assert decided(cup) == {}
        page.keyboard.press("a")
        saved(page)
        assert decided(cup) == {"cup-100.png": "accept"}
        page.keyboard.press("Escape")
        page.keyboard.press("d")
        saved(page)
    cup.once()
    alpha = alpha_of(cup.root / "out" / "cup-100.png")
    assert alpha[220, 160] > 128
    assert (alpha[98:103, 285:315] == 0).all()
    assert alpha[200, 300] == 255
    assert (cup.root / "out" / "cup-100.psd").exists()
    assert next((cup.root / "done").glob("cup-100.*.matte.png")).exists()


@pytest.mark.network
@pytest.mark.timeout(600)
def test_mending_by_keys_alone_and_a_brush_without_networks_say(page: Any, cup: HotFolders) -> None:
    """The arrows move a cross, Space paints there; what is under the brush changes, and nothing else."""
    with serving(cup.config) as server:
        page.goto(server.address)
        shown(page, "!!document.body.dataset.painted")
        page.keyboard.press("m")
        ready(page)
        page.keyboard.press("4")
        for _ in range(4):
            page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("Space")
        edged(page)
        page.keyboard.press("Enter")
        saved(page)
        page.keyboard.press("Escape")
        page.keyboard.press("d")
        saved(page)

    cup.once()
    alpha = alpha_of(cup.root / "out" / "cup-100.png")
    # The cross began in the middle of 600 pixels and went four times a tenth of them.
    assert alpha[200, 60] == 255
    assert alpha[200, 100] == 0
    assert alpha[50, 500] == 0
    assert alpha[200, 300] == 255


@pytest.mark.network
@pytest.mark.timeout(600)
def test_one_of_several_is_taken_by_its_number(page: Any, cup: HotFolders) -> None:
    """Side by side with other settings, a number takes one, and it is delivered as it was shown."""
    put(cup, ["photo-200.jpg"])
    cup.once()
    with serving(cup.config) as server:
        page.goto(server.address)
        shown(page, "!!document.body.dataset.painted")
        page.keyboard.press("c")
        shown(page, "+document.body.dataset.compare >= 1", 120)
        page.keyboard.press("1")
        saved(page)
        assert decided(cup) == {"cup-100.png": "accept"}
        shown(page, "document.getElementById('name').textContent === 'photo-200.jpg'")
        page.keyboard.press("d")
        saved(page)
    cup.once()
    alpha = alpha_of(cup.root / "out" / "cup-100.png")
    # The saucer, which the drawn disc does not hold and every network sees.
    assert alpha[220, 160] > 128


def test_what_is_saved_in_another_program_comes_back(page: Any, tmp_path: Path) -> None:
    """G opens the PSD by the system's own opener; once it was saved there it is accepted as it is."""
    folders = hot_folders(tmp_path / "hot")
    put(folders, ["photo-100.jpg", "photo-200.jpg"])
    folders.once()
    half = np.zeros(SIZE[::-1], np.uint8)
    half[:, : SIZE[0] // 2] = 255
    Image.fromarray(half).save(tmp_path / "half.png")
    draw_photo(tmp_path / "photo.jpg", 100)
    edited = StagedOutput(PsdOutput(), tmp_path / "edited.psd")
    run_job(Job(tmp_path / "photo.jpg", (edited,), matte=tmp_path / "half.png"))
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(
        f"#!{sys.executable}\nimport shutil, sys\nshutil.copyfile({str(edited.staged)!r}, sys.argv[1])\n"
    )
    opener.chmod(0o755)
    path = f"{opener.parent}{os.pathsep}{os.environ['PATH']}"
    with serving(folders.config, environment={"PATH": path}) as server:
        page.goto(server.address)
        shown(page, "!!document.body.dataset.painted")
        page.keyboard.press("g")
        until(lambda: decided(folders).get("photo-100.jpg") == "accept")
        shown(page, "document.getElementById('name').textContent === 'photo-200.jpg'")
        page.keyboard.press("d")
        saved(page)
    folders.once()
    alpha = alpha_of(folders.root / "out" / "photo-100.png")
    assert (alpha[:, : SIZE[0] // 2] == 255).all()
    assert (alpha[:, SIZE[0] // 2 :] == 0).all()
    assert jobs(folders)["photo-200.jpg"].state == "review"


@pytest.mark.network
@pytest.mark.timeout(600)
def test_a_folder_of_finished_cutouts(
    page: Any, tmp_path: Path, shipped_photos: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its decisions outlive the server; a mended one is rendered beside what is there, which stays."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a-100.jpg", "b-200.jpg", "lonely-300.jpg"):
        draw_photo(folder / name, int(name[-7:-4]))
    whole = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    whole[100:200, 100:300] = 255
    for name in ("a-100", "b-200"):
        Image.fromarray(whole).save(folder / f"{name}.cutout.png")
    before = (folder / "a-100.cutout.png").read_bytes()
    with serving(folder) as server:
        page.goto(server.address)
        shown(page, "document.getElementById('counter').textContent === '2 of 2 left'")
        shown(page, "!!document.body.dataset.painted")
        page.keyboard.press("m")
        ready(page)
        page.keyboard.press("4")
        page.keyboard.press("Shift+ArrowUp")
        page.keyboard.press("Shift+ArrowUp")
        page.keyboard.press("Shift+ArrowUp")
        page.keyboard.press("Space")
        edged(page)
        page.keyboard.press("a")
        saved(page)
        page.keyboard.press("Escape")
        shown(page, "document.getElementById('name').textContent === 'b-200.jpg'")
        page.keyboard.press("q")
        page.keyboard.press("1")
        shown(page, "document.getElementById('summary').textContent.includes('cut again: fast')", 120)
        page.keyboard.press("r")
        saved(page)
        server.kill()
        server.start()
        page.goto(server.address)
        shown(page, "document.getElementById('counter').textContent === '0 of 2 left'")
        page.keyboard.press("d")
        saved(page)
        until((folder / "a-100-2.cutout.png").exists)
    assert (folder / "a-100.cutout.png").read_bytes() == before
    alpha = alpha_of(folder / "a-100-2.cutout.png")
    assert alpha[16, 240] == 255
    assert alpha[150, 200] == 255
    assert not list(folder.glob("b-200-2*"))


def test_the_page_comes_with_the_daemon(tmp_path: Path) -> None:
    """`watch --page` serves it in a process of its own, which ends with the daemon."""
    import re
    import signal
    import subprocess

    folders = HotFolders(tmp_path, REVIEW)
    command = [sys.executable, "-m", "mattebox.cli.main", "watch", str(folders.config), "--page"]
    environment = {**os.environ, "BROWSER": "true"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as daemon:
        assert daemon.stdout is not None
        address = next(found[0] for line in daemon.stdout if (found := re.findall(r"http://\S+", line)))
        import urllib.request

        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(address, timeout=20) as answer:
            assert b"Mattebox" in answer.read()
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(60) == 0
    with pytest.raises(OSError, match=r"refused|reset"):
        opener.open(address, timeout=5)
