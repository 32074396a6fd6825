"""A journal that is damaged, full, or no file at all: it is said, set aside, and no photo is out of sight."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from tests.daemon.hot_folders import CONFIG, HotFolders, until

from mattebox.cli.main import app
from mattebox.daemon.config.load import load_config
from mattebox.daemon.errors import DamagedJournalError, JournalError
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.report.status import gather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REVIEW = CONFIG.replace("        deliver", "        review: {below: 0.5, to: ./review}\n        deliver")
PAGE = 4096
TREE = {"a.jpg": b"doubt 1", "sub/b.jpg": b"doubt 2", "c.jpg": b"one", "d.jpg": b"two", "e.jpg": b"poison"}


def killed_in_work(root: Path) -> HotFolders:
    """A yard whose daemon was killed: photos done, failed, in review and in work."""
    hot_folders = HotFolders(root, REVIEW)
    hot_folders.drop(TREE)
    hot_folders.once()
    hot_folders.drop({"f.jpg": b"three", "sub/g.jpg": b"four"})
    assert hot_folders.once_until(12)
    # What the kill left in the write-ahead log comes into the pages.
    with sqlite3.connect(root / "state" / "journal.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return hot_folders


def in_sight(hot_folders: HotFolders) -> list[bytes]:
    """The originals that a person finds: not in a hidden folder, or by the journal's word in review."""
    found = [
        data
        for folder in ("in", "done", "failed")
        for name, data in hot_folders.files(folder).items()
        if ".mattebox" not in name and not name.endswith(".reason.json")
    ]
    journal = Journal(hot_folders.root / "state", lock=False)
    found += [job.work.read_bytes() for job in journal.jobs("review")]
    journal.close()
    return sorted(found)


@pytest.mark.slow
def test_every_page_flipped_once(tmp_path: Path, figure: Callable[[str], None]) -> None:
    """Whichever page's bits are turned over, the next run works and every photo is in sight."""
    root, kept = tmp_path / "yard", tmp_path / "kept"
    hot_folders = killed_in_work(root)
    shutil.copytree(root, kept)
    everything = sorted([*TREE.values(), b"three", b"four"])
    pages = (root / "state" / "journal.db").stat().st_size // PAGE
    aside = 0
    for page in range(pages):
        shutil.rmtree(root)
        shutil.copytree(kept, root)
        with (root / "state" / "journal.db").open("r+b") as file:
            file.seek(page * PAGE)
            data = file.read(PAGE)
            file.seek(page * PAGE)
            file.write(bytes(255 - byte for byte in data))
        hot_folders.events.clear()
        hot_folders.once()
        assert in_sight(hot_folders) == everything, f"page {page}"
        damaged = hot_folders.events_named("journal-damaged")
        aside += len(damaged)
        for event in damaged:
            assert event.values["path"].endswith("journal.db.damaged-1")
            assert Path(event.values["path"]).stat().st_size == pages * PAGE
    figure(f"pages of a journal flipped: {pages}; set aside {aside}; every photo in sight in all")
    assert aside > pages // 2


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(100)])
def test_a_journal_that_is_none(tmp_path: Path, content: bytes) -> None:
    """Nothing, a text and a header alone: the next run goes on with a new journal."""
    hot_folders = killed_in_work(tmp_path)
    path = tmp_path / "state" / "journal.db"
    path.write_bytes(content)
    hot_folders.once()
    assert in_sight(hot_folders) == sorted([*TREE.values(), b"three", b"four"])


def test_damage_is_said_with_what_to_do(tmp_path: Path) -> None:
    """`status`, `retry` and `approve` do not repair: they say what is wrong and which command does."""
    hot_folders = killed_in_work(tmp_path)
    (tmp_path / "state" / "journal.db").write_bytes(b"no database")
    for name in ("status", "retry", "approve"):
        done = CliRunner().invoke(app, [name, os.fspath(hot_folders.config)])
        assert isinstance(done.exception, DamagedJournalError), name
        assert "'mattebox once'" in str(done.exception)
    assert (tmp_path / "state" / "journal.db").read_bytes() == b"no database"


def test_a_second_damaged_journal_gets_a_number(tmp_path: Path) -> None:
    """What was set aside before stays."""
    hot_folders = HotFolders(tmp_path)
    for _ in range(2):
        hot_folders.once()
        (tmp_path / "state" / "journal.db").write_bytes(b"no database")
    hot_folders.once()
    assert {path.name for path in (tmp_path / "state").glob("journal.db.*")} >= {
        "journal.db.damaged-1",
        "journal.db.damaged-2",
    }


def state_is_a_file(state: Path) -> None:
    """A file stands where the state folder should be."""
    state.write_bytes(b"")


def lock_is_a_folder(state: Path) -> None:
    """A folder stands where the lock should be."""
    (state / "lock").mkdir(parents=True)


def journal_is_a_folder(state: Path) -> None:
    """A folder stands where the journal should be."""
    (state / "journal.db").mkdir(parents=True)


@pytest.mark.parametrize("spoil", [state_is_a_file, lock_is_a_folder, journal_is_a_folder])
def test_a_state_folder_that_is_none(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """`status` and a run say so instead of showing zeros."""
    hot_folders = HotFolders(tmp_path)
    spoil(tmp_path / "state")
    done = CliRunner().invoke(app, ["status", os.fspath(hot_folders.config)])
    assert isinstance(done.exception, JournalError)
    assert os.fspath(tmp_path / "state") in str(done.exception)
    with pytest.raises(JournalError):
        hot_folders.once()


@pytest.fixture
def small_state(tmp_path: Path) -> Iterator[Path]:
    """A state folder on a disk of its own of twelve megabytes."""
    state = tmp_path / "yard" / "state"
    state.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", state], check=True)
    try:
        yield state
    finally:
        subprocess.run(["umount", "-l", state], check=True)


@pytest.mark.slow
def test_a_full_disk_under_the_state_is_waited_for(small_state: Path) -> None:
    """The daemon holds all work, tells it once, and goes on when there is room again."""
    hot_folders = HotFolders(small_state.parent)
    with hot_folders.watching():
        until((small_state / "live.json").exists)
        with suppress(OSError), (small_state / "filler").open("wb", 0) as file:
            while True:
                file.write(bytes(4096))
        hot_folders.drop({f"{number}.jpg": b"photo %d" % number for number in range(40)})
        until(lambda: any("journal" in event.values["why"] for event in hot_folders.events_named("held")))
        (small_state / "filler").unlink()
        until(lambda: len(hot_folders.events_named("delivered")) == 40)
    told = [event for event in hot_folders.events_named("held") if "nothing is begun" in event.values["why"]]
    assert len(told) <= 2
    assert len(hot_folders.files("done")) == 40
    assert len(hot_folders.files("out")) == 80
    assert gather(load_config(hot_folders.config))["folders"][0]["done"] == 40
