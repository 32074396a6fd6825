"""An original that changes after its delivery is done again; what a person or a program did is left alone."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest
from tests.daemon.hot_folders import CONFIG, HotFolders, until

from mattebox.daemon.journal import steps

if TYPE_CHECKING:
    from pathlib import Path


KEEP = CONFIG.replace("    settle", "    originals: keep\n    settle")


@pytest.mark.slow
def test_a_writer_that_goes_on_after_the_delivery_has_its_photo_done_again(tmp_path: Path) -> None:
    """The outputs that were made of half a file give way to those of the whole one, while the daemon runs."""
    hot_folders = HotFolders(
        tmp_path, CONFIG.replace("    settle", "    mode: poll\n    poll: 200ms\n    settle")
    )
    with hot_folders.watching(), (tmp_path / "in" / "a.jpg").open("wb") as file:
        file.write(b"early")
        file.flush()
        until(lambda: len(hot_folders.events_named("delivered")) == 1)
        file.write(b" and late")
        file.flush()
        until(lambda: len(hot_folders.events_named("delivered")) == 2)
    assert hot_folders.files() == {
        "done/a.jpg": b"early and late",
        "out/a.png": b"png:early and late",
        "out/a.psd": b"psd:early and late",
    }
    assert len(hot_folders.events_named("changed-late")) == 1


def test_a_late_change_is_found_by_the_next_run(tmp_path: Path) -> None:
    """It does not matter whether a daemon ran when the rest was written; kept originals count too."""
    for name, text, place in (("done", CONFIG, "done"), ("keep", KEEP, "in")):
        hot_folders = HotFolders(tmp_path / name, text)
        hot_folders.drop({"a.jpg": b"early"})
        assert hot_folders.once().delivered == 1
        with (hot_folders.root / place / "a.jpg").open("ab") as file:
            file.write(b" and late")
        assert hot_folders.once().delivered == 1
        assert hot_folders.files(place) == {"a.jpg": b"early and late"}
        assert hot_folders.files("out") == {"a.png": b"png:early and late", "a.psd": b"psd:early and late"}
        assert hot_folders.once().delivered == 0


def test_an_output_that_a_person_changed_is_no_output_of_ours(tmp_path: Path) -> None:
    """When a photo is done again, only what we wrote byte for byte gives way."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"early"})
    hot_folders.once()
    (tmp_path / "out" / "a.psd").write_bytes(b"retouched")
    with (tmp_path / "done" / "a.jpg").open("ab") as file:
        file.write(b" and late")
    assert hot_folders.once().delivered == 1
    assert hot_folders.files("out") == {
        "a.png": b"png:early and late", "a.psd": b"retouched", "a-2.psd": b"psd:early and late"
    }  # fmt: skip


def test_another_file_in_its_place_is_nobodys_business(tmp_path: Path) -> None:
    """An editor that saves under the same name makes a new file; that is not what was claimed."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"one"})
    hot_folders.once()
    new = tmp_path / "new.jpg"
    new.write_bytes(b"edited")
    new.rename(tmp_path / "done" / "a.jpg")
    assert hot_folders.once().delivered == 0
    assert hot_folders.files("done") == {"a.jpg": b"edited"}


def test_a_program_that_tags_each_delivered_photo_does_not_keep_the_daemon_busy(tmp_path: Path) -> None:
    """A file is done again twice at most."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"one"})
    done = []
    for _ in range(6):
        done.append(hot_folders.once().delivered)
        with (tmp_path / "done" / "a.jpg").open("ab") as file:
            file.write(b"+")
    assert done == [1, 1, 1, 0, 0, 0]


def test_a_photo_that_failed_as_half_a_file_is_done_when_it_is_whole(tmp_path: Path) -> None:
    """What was written after the failure is seen, and the reason goes."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"half"})
    assert hot_folders.once().failed == 1
    (tmp_path / "failed" / "a.jpg").write_bytes(b"whole")
    assert hot_folders.once().delivered == 1
    assert set(hot_folders.files()) == {"done/a.jpg", "out/a.png", "out/a.psd"}


def test_an_original_is_not_watched_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute a change in done/ is a person's."""
    from mattebox.daemon.delivery import late

    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"one"})
    hot_folders.once()
    real = time.time
    monkeypatch.setattr(late.time, "time", lambda: real() + 61)
    assert hot_folders.once().delivered == 0
    with (tmp_path / "done" / "a.jpg").open("ab") as file:
        file.write(b"+")
    assert hot_folders.once().delivered == 0
    assert hot_folders.files("done") == {"a.jpg": b"one+"}


@pytest.mark.slow
def test_late_bytes_reach_another_disk(tmp_path: Path, second_disk: Path) -> None:
    """What is written while a photo is copied to done/ on another disk arrives there, and is done."""
    hot_folders = HotFolders(tmp_path, CONFIG.replace("./done", str(second_disk / "done-late")))
    hot_folders.drop({"a.jpg": b"one"})
    late = [b" and more", b" and the rest"]

    def write_on(name: str) -> None:
        if name in ("original copied", "placement done") and late and copying(hot_folders):
            with copying(hot_folders)[0].open("ab") as file:
                file.write(late.pop(0))

    steps.listen(write_on)
    try:
        hot_folders.once()
    finally:
        steps.listen(None)
    done = second_disk / "done-late" / "a.jpg"
    try:
        assert not late
        assert not list((tmp_path / "in").rglob("a.jpg"))
        hot_folders.once()
        hot_folders.once()
        assert done.read_bytes() == b"one and more and the rest"
        assert hot_folders.files("out")["a.png"] == b"png:one and more and the rest"
    finally:
        shutil.rmtree(done.parent, ignore_errors=True)


def copying(hot_folders: HotFolders) -> list[Path]:
    """The original in the work folder, once its outputs are out."""
    found = list((hot_folders.root / "in" / ".mattebox").rglob("a.jpg"))
    return found if (hot_folders.root / "out" / "a.png").exists() else []
