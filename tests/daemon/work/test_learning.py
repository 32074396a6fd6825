"""Learning a rule's set: what workers keep of sure photos, kills, damage, and a real hot folder."""

from __future__ import annotations

import os
import random
import signal
import time
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bench.set_scenes import SetPhoto, set_photos
from PIL import Image

from mattebox.core.cutout import Cutout
from mattebox.core.photo import Photo
from mattebox.core.report.cut_report import CutReport
from mattebox.core.segment.learnt_set import LEAST, MOST
from mattebox.core.segment.set_files import read_seen, read_set
from mattebox.core.settings import CutSettings
from mattebox.core.settings.backdrop import LearntBackdrop
from mattebox.daemon.config.load import load_config
from mattebox.daemon.config.planning import make_plan
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.journal.learnt_sets import set_folder, sets_in, size_folder, with_learnt_set
from mattebox.daemon.journal.plan import Plan
from mattebox.daemon.work.learning import learn

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., subprocess.CompletedProcess[str]]

SIDE = 320
SIZE = (SIDE, SIDE)
pytestmark = pytest.mark.slow


@cache
def photos() -> tuple[SetPhoto, ...]:
    """Ten photos of one set."""
    return tuple(set_photos(2, 10, SIDE))


def cutout(number: int, confidence: float = 0.9) -> Cutout:
    """The right cutout of one of them."""
    each = photos()[number % len(photos())]
    alpha = np.rint(255 * each.alpha).astype(np.uint8)
    return Cutout(
        Photo(each.pixels, "rgb"), alpha, None, CutReport("drawn", confidence, subject_box=(1, 1, 9, 9))
    )


def shown(learns: Path, count: int, first: int = 0) -> None:
    """So many sure photos go through a rule."""
    for number in range(first, first + count):
        learn(learns, learns / f"{number}.jpg", cutout(number))


def test_a_set_is_learnt_from_eight_sure_photos_and_after_every_five(tmp_path: Path) -> None:
    """What is not sure teaches nothing, a photo that is cut again counts once, fifty are kept at most."""
    folder = size_folder(tmp_path, SIZE)
    for number in range(LEAST):
        learn(tmp_path, tmp_path / f"{number}.jpg", cutout(number, 0.59))
    for _ in range(2):
        shown(tmp_path, LEAST - 1)
    assert sets_in(folder) == []
    assert with_learnt_set(CutSettings(backdrop="learn"), tmp_path, SIZE).backdrop == "learn"
    shown(tmp_path, 1, LEAST - 1)
    assert [path.name for path in sets_in(folder)] == ["set-000000001.npz"]
    shown(tmp_path, 4, LEAST)
    assert len(sets_in(folder)) == 1
    shown(tmp_path, 1, LEAST + 4)
    assert len(sets_in(folder)) == 2
    assert read_set(sets_in(folder)[-1]).photos == LEAST + 5
    told = with_learnt_set(CutSettings(backdrop="learn"), tmp_path, SIZE)
    assert told.backdrop == LearntBackdrop(learnt=sets_in(folder)[-1])
    assert with_learnt_set(CutSettings(backdrop="learn"), tmp_path, (SIDE, 200)).backdrop == "learn"
    first = min(folder.glob("seen-*"))
    for number in range(2 * MOST):
        (folder / f"seen-{number:016}.npz").hardlink_to(first)
    for number in range(3, 30):
        (folder / f"set-{number:09}.npz").hardlink_to(sets_in(folder)[0])
    shown(tmp_path, 1, 100)
    assert len(list(folder.glob("seen-*"))) == MOST
    assert len(sets_in(folder)) <= 11
    assert sum(path.stat().st_size for path in folder.iterdir()) < 20e6


def test_after_a_kill_at_any_moment_every_file_reads_and_learning_goes_on(tmp_path: Path) -> None:
    """Two workers are killed again and again while they learn; nothing half is ever found."""
    dice = random.Random(5)
    folder = size_folder(tmp_path, SIZE)
    cutout(0)
    for turn in range(8):
        workers = []
        for worker in range(2):
            child = os.fork()
            if child == 0:
                try:
                    for number in range(400):
                        learn(tmp_path, tmp_path / f"{turn}-{worker}-{number}.jpg", cutout(number))
                finally:
                    os._exit(0)
            workers.append(child)
        time.sleep(dice.uniform(0.02, 0.3))
        for child in workers:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        for path in folder.glob("seen-*.npz"):
            read_seen(path)
        for path in sets_in(folder):
            read_set(path)
    assert list(folder.glob("seen-*.npz"))
    left = list(folder.glob(".mattebox-*.part"))
    for path in left:
        os.utime(path, (1, 1))
    shown(tmp_path, LEAST + 5, 1000)
    assert sets_in(folder)
    assert not list(folder.glob(".mattebox-*.part"))


def test_damaged_files_are_set_aside(tmp_path: Path) -> None:
    """Another name is all that happens to them; the set before counts, and learning goes on."""
    folder = size_folder(tmp_path, SIZE)
    shown(tmp_path, LEAST + 5)
    first, last = sets_in(folder)
    last.write_bytes(last.read_bytes()[:500])
    photo = min(folder.glob("seen-*.npz"))
    photo.write_bytes(b"")
    shown(tmp_path, 1, 50)
    assert sets_in(folder) == [first]
    shown(tmp_path, 4, 60)
    assert sets_in(folder)[-1].name == "set-000000003.npz"
    assert read_set(sets_in(folder)[-1]).photos >= LEAST + 5
    assert {path.name for path in folder.glob("*.damaged")} == {
        f"{photo.stem}.damaged", f"{last.stem}.damaged",
    }  # fmt: skip


def test_what_cannot_be_kept_is_nobodys_fault(tmp_path: Path) -> None:
    """Where the state folder takes no files, a photo teaches nothing and its work goes on."""
    learns = tmp_path / "sets"
    learns.write_bytes(b"no folder")
    shown(learns, LEAST)
    assert learns.read_bytes() == b"no folder"
    assert with_learnt_set(CutSettings(backdrop="learn"), learns, SIZE).backdrop == "learn"


CONFIG = """\
version: 1
state: ./state
engine: {model: u2netp, workers: 1}
folders:
  - name: studio
    watch: ./in
    settle: 10ms
    done: ./done
    failed: ./failed
    rules:
      - name: all
        cut: {backdrop: WAY, quality: fast}
        deliver: [{format: mask, to: "./out/{stem}.png"}]
"""


@pytest.mark.parametrize("way", ["learn", "auto"])
def test_a_plan_names_the_set_as_it_is_at_the_claim(tmp_path: Path, way: str) -> None:
    """Only `learn` learns; the plan says where, and by which set, and reads back the same."""
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.replace("WAY", way), encoding="utf-8")
    loaded = load_config(config)
    learns = set_folder(tmp_path / "state", "studio", "all")

    def plan() -> Plan:
        return make_plan(loaded, loaded.config.folders[0], 0, "a.jpg", SIZE)

    before = plan()
    shown(learns, LEAST)
    after = plan()
    if way == "auto":
        assert (before.learns, after.learns, after.cut.backdrop) == (None, None, "auto")
    else:
        assert (before.learns, before.cut.backdrop) == (learns, "learn")
        assert after.cut.backdrop == LearntBackdrop(learnt=sets_in(size_folder(learns, SIZE))[0])
    assert Plan.from_json(after.to_json()) == after
    far = "workers: dask, scheduler: 'tcp://127.0.0.1:1'"
    config.write_text(CONFIG.replace("WAY", way).replace("workers: 1", far), encoding="utf-8")
    loaded = load_config(config)
    assert (plan().learns, plan().cut.backdrop) == (None, way)


@pytest.mark.network
def test_a_hot_folder_learns_its_set(mattebox: Command, tmp_path: Path) -> None:
    """A photo whose backdrop no smooth surface tells is cut by the set of those before it; reports say so.

    A command that is given the same set writes the same bytes. In another light the photo is cut as by
    `auto`, and so is one whose set is damaged.
    """
    config, incoming = tmp_path / "config.yaml", tmp_path / "in"
    config.write_text(CONFIG.replace("WAY", "learn"), encoding="utf-8")
    incoming.mkdir()

    def run(name: str, each: SetPhoto) -> dict[str, object]:
        (incoming / f"{name}.jpg").write_bytes(each.data)
        done = mattebox("once", config)
        assert done.returncode == 0, done.stderr
        journal = Journal(tmp_path / "state", lock=False)
        try:
            job = journal.last("done", 1)[0]
        finally:
            journal.close()
        assert job.plan.name == f"{name}.jpg"
        return {**(job.report or {}), "plan": job.plan}

    def commanded(name: str, *how: str) -> bytes:
        out = tmp_path / f"{name}.command.png"
        source = tmp_path / "done" / f"{name}.jpg"
        done = mattebox(
            "cut", source, "-o", out, "-f", "mask", "-m", "u2netp", "--quality", "fast", "--overwrite", *how
        )
        assert done.returncode == 0, done.stderr
        return out.read_bytes()

    solid = [each for each in set_photos(2, 45, SIDE) if each.name == "solid"]
    for number, each in enumerate(solid[:12]):
        (incoming / f"s{number:02}.jpg").write_bytes(each.data)
    assert mattebox("once", config).returncode == 0
    folder = size_folder(set_folder(tmp_path / "state", "studio", "all"), SIZE)
    known = sets_in(folder)[-1]
    frame = next(each for each in set_photos(2, 30, SIDE, start=60) if each.name == "frame")
    told = run("frame", frame)
    assert told["learnt_from"] == read_set(known).photos
    plan = told["plan"]
    assert isinstance(plan, Plan)
    # By now the set may be learnt anew, also from this very photo.
    assert plan.cut.backdrop == LearntBackdrop(learnt=known)
    written = (tmp_path / "out" / "frame.png").read_bytes()
    assert commanded("frame", "-s", f"cut.backdrop.learnt={known}") == written
    alpha = np.asarray(Image.open(tmp_path / "out" / "frame.png"), np.float64) / 255
    assert np.abs(alpha - frame.alpha)[frame.enclosed].mean() < 0.05
    moved = next(each for each in set_photos(2, 30, SIDE, start=60, lamp=0.6) if each.name == "frame")
    assert run("moved", moved)["learnt_from"] == 0
    for path in sets_in(folder):
        path.write_bytes(path.read_bytes()[:900])
    damaged = run("again", frame)
    assert damaged["learnt_from"] == 0
    assert any("learnt" in str(note) for note in damaged["notes"])  # type: ignore[attr-defined]
