"""Originals in a work folder that no journal knows are put back; those that somebody answers for are not."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.daemon.hot_folders import CONFIG, HotFolders, until

from mattebox.cli.main import app
from mattebox.daemon.config.load import load_config
from mattebox.daemon.journal import owner
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.journal.owner import RECORD, Owner

REVIEW = CONFIG.replace("        deliver", "        review: {below: 0.5, to: ./review}\n        deliver")
TREE = {"a.jpg": b"doubt 1", "sub/deep/a.jpg": b"doubt 2"}


def in_review(root: Path) -> HotFolders:
    """A yard with two originals in work: their cutouts wait for a person."""
    hot_folders = HotFolders(root, REVIEW)
    hot_folders.drop(TREE)
    hot_folders.once()
    assert len(hot_folders.files("review")) == 4
    hot_folders.events.clear()
    return hot_folders


def other(hot_folders: HotFolders, name: str, text: str) -> HotFolders:
    """A second configuration beside the first, over the same watched folder."""
    second = HotFolders(hot_folders.root, hot_folders.text)
    second.config = hot_folders.root / name
    second.config.write_text(text, encoding="utf-8")
    second.loaded = load_config(second.config)
    return second


def put_back(hot_folders: HotFolders) -> set[str]:
    """Which files were put back, below the watched folder."""
    return {
        os.path.relpath(event.values["path"], hot_folders.root / "in")
        for event in hot_folders.events_named("put-back")
    }


def record(hot_folders: HotFolders) -> Path:
    """The record of whose the photos in work are."""
    (found,) = (hot_folders.root / "in" / ".mattebox").glob(f"*/{RECORD}")
    return found


def on_another_machine(hot_folders: HotFolders, *, resting: bool, age: float) -> None:
    """The photos in work are those of a daemon on another machine, whose last sign is so old."""
    shutil.rmtree(hot_folders.root / "state")
    path = record(hot_folders)
    text = json.dumps({"host": "attic:1", "state": "/srv/state", "config": "/srv/c.yaml", "resting": resting})
    path.write_text(text, encoding="utf-8")
    os.utime(path, (time.time() - age, time.time() - age))


def test_a_lost_state_folder_strands_nothing(tmp_path: Path) -> None:
    """The originals go back to their own places, are told of, and are done again."""
    hot_folders = in_review(tmp_path)
    shutil.rmtree(tmp_path / "state")
    shutil.rmtree(tmp_path / "review")
    hot_folders.once()
    assert put_back(hot_folders) == set(TREE)
    assert len(hot_folders.files("review")) == 4
    hot_folders.events.clear()
    hot_folders.once()
    assert not put_back(hot_folders)


def test_another_state_line_strands_nothing(tmp_path: Path) -> None:
    """The same configuration with a new state folder takes over what the old one had in work."""
    hot_folders = in_review(tmp_path)
    hot_folders.config.write_text(REVIEW.replace("./state", "./state-2"), encoding="utf-8")
    hot_folders.once()
    assert put_back(hot_folders) == set(TREE)


def test_what_lies_there_is_not_overwritten(tmp_path: Path) -> None:
    """A new photo of the same name stays, and the old one gets a number."""
    hot_folders = in_review(tmp_path)
    shutil.rmtree(tmp_path / "state")
    hot_folders.drop({"a.jpg": b"newer"})
    hot_folders.once()
    assert put_back(hot_folders) == {"a-2.jpg", "sub/deep/a.jpg"}
    assert hot_folders.files("done") == {"a.jpg": b"newer"}


def test_another_configuration_keeps_its_photos(tmp_path: Path) -> None:
    """What a second state folder has in work is left alone, whether its daemon runs or not."""
    hot_folders = in_review(tmp_path)
    second = other(hot_folders, "second.yaml", REVIEW.replace("./state", "./state-2"))
    second.once()
    assert not put_back(second)
    journal = Journal(tmp_path / "state")
    hot_folders.config.unlink()
    second.once()
    assert not put_back(second), "its daemon runs, whatever became of its file"
    journal.close()
    second.once()
    assert put_back(second) == set(TREE), "nothing leads to that state folder any more"


def test_a_configuration_whose_journal_is_lost_loses_its_claim(tmp_path: Path) -> None:
    """The other state folder is named still, and its journal knows nothing of these photos."""
    hot_folders = in_review(tmp_path)
    shutil.rmtree(tmp_path / "state")
    second = other(hot_folders, "second.yaml", REVIEW.replace("./state", "./state-2"))
    second.once()
    assert put_back(second) == set(TREE)


@pytest.mark.parametrize(
    ("resting", "age", "taken"),
    [(False, 60.0, False), (False, 7200.0, True), (True, 7200.0, False), (True, 9e6, False)],
)
def test_another_machine_keeps_its_photos_while_it_lives(
    tmp_path: Path, resting: bool, age: float, taken: bool
) -> None:
    """One at work is left alone, one that ended well is named too; one that died is not waited for."""
    hot_folders = in_review(tmp_path)
    on_another_machine(hot_folders, resting=resting, age=age)
    hot_folders.once()
    assert put_back(hot_folders) == (set(TREE) if taken else set())
    named = [event.values["why"] for event in hot_folders.events_named("in-work-elsewhere")]
    assert bool(named) is resting
    assert all("the machine attic" in sentence for sentence in named)


def test_what_systems_strew_decides_nothing(tmp_path: Path) -> None:
    """A desktop's own files in a work folder are no photos, and hide nobody's record."""
    hot_folders = in_review(tmp_path)
    on_another_machine(hot_folders, resting=False, age=60.0)
    for folder in (record(hot_folders).parent, *(path.parent for path in (tmp_path / "in").rglob("a.jpg"))):
        for name in (".DS_Store", "Thumbs.db"):
            (folder / name).write_bytes(b"")
    hot_folders.once()
    assert not put_back(hot_folders)
    record(hot_folders).unlink()
    hot_folders.once()
    assert put_back(hot_folders) == set(TREE)


def test_the_advice_about_another_machine_works(tmp_path: Path) -> None:
    """Whoever deletes the record that is named gets the photos back."""
    hot_folders = in_review(tmp_path)
    on_another_machine(hot_folders, resting=True, age=7200.0)
    hot_folders.once()
    (event,) = hot_folders.events_named("in-work-elsewhere")
    path = event.values["why"].partition("delete ")[2].partition(" and ")[0]
    Path(path).unlink()
    hot_folders.once()
    assert put_back(hot_folders) == set(TREE)


def test_a_machine_with_a_new_name_keeps_its_own_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that was made anew with its old state is the owner still, and says so."""
    hot_folders = in_review(tmp_path)
    monkeypatch.setattr(owner, "this_host", lambda: "made-anew:1")
    hot_folders.once()
    assert not put_back(hot_folders)
    found = owner.read(record(hot_folders).parent)
    assert found == (Owner.of(tmp_path / "state", hot_folders.config), True)
    assert found[0].host == "made-anew:1"


def test_the_first_layout_of_work_folders_is_known(tmp_path: Path) -> None:
    """WATCHED/.mattebox/JOB/NAME, as the first version made it."""
    hot_folders = HotFolders(tmp_path)
    old = tmp_path / "in" / ".mattebox" / "0123456789"
    old.mkdir(parents=True)
    (old / "a.jpg").write_bytes(b"one")
    assert hot_folders.once().delivered == 1
    assert put_back(hot_folders) == {"a.jpg"}
    assert not (tmp_path / "in" / ".mattebox").exists()


@pytest.mark.slow
def test_a_state_folder_that_is_deleted_while_the_daemon_runs(tmp_path: Path) -> None:
    """The daemon notices, begins a new journal, and does again what was in review."""
    hot_folders = HotFolders(tmp_path, REVIEW)
    with hot_folders.watching():
        hot_folders.drop(TREE)
        until(lambda: len(hot_folders.events_named("review")) == 2)
        shutil.rmtree(tmp_path / "state")
        until(lambda: len(hot_folders.events_named("review")) == 4)
        assert put_back(hot_folders) == set(TREE)
        hot_folders.drop({"late.jpg": b"one"})
        until(lambda: len(hot_folders.events_named("delivered")) == 1)
    assert "taken away" in " ".join(str(event.values) for event in hot_folders.events_named("held"))


@pytest.mark.slow
def test_once_status_and_doctor_name_them(tmp_path: Path) -> None:
    """No command says that nothing is there while a photo is in a hidden folder."""
    hot_folders = in_review(tmp_path)
    shutil.rmtree(tmp_path / "state")
    run = CliRunner()
    status = run.invoke(app, ["status", os.fspath(hot_folders.config)])
    assert status.exit_code == 0
    words = " ".join(status.output.split())
    assert "and 1 more: in work, and of no journal; the next 'mattebox once'" in words
    found = json.loads(run.invoke(app, ["status", "--json", os.fspath(hot_folders.config)]).output)
    assert len(found["folders"][0]["in_work_unknown"]) == 1
    doctor = run.invoke(app, ["doctor", "--json", "-m", "u2netp", os.fspath(hot_folders.config)])
    assert doctor.exit_code == 1
    assert "of no journal" in json.loads(doctor.output)["hot_folders"]["problems"][0]
