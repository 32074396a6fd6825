"""Originals that stay in place: a new photo is never taken for one that is gone, and none is done twice."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.daemon.hot_folders import CONFIG, HotFolders

from mattebox.daemon.journal.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

KEEP = CONFIG.replace("    settle", "    originals: keep\n    settle")
STAMP = (1_700_000_000, 1_700_000_000)


def bring(hot_folders: HotFolders, name: str, data: bytes) -> Path:
    """Copy a photo in as from a card: with a time of whole seconds, which is the same for all."""
    path = hot_folders.root / "in" / name
    path.write_bytes(data)
    os.utime(path, STAMP)
    return path


def burst(hot_folders: HotFolders, count: int, *, one_name: bool) -> list[int]:
    """Photos of one size and one time, each after the one before was taken away; their inodes."""
    inodes = []
    for number in range(count):
        path = bring(
            hot_folders, "shot.bmp" if one_name else f"shot{number}.bmp", f"pixels {number:04}".encode()
        )
        inodes.append(path.stat().st_ino)
        assert hot_folders.once().delivered == 1, number
        path.unlink()
    return inodes


@pytest.mark.parametrize("one_name", [False, True])
def test_a_burst_whose_inodes_are_used_again_is_done_whole(tmp_path: Path, *, one_name: bool) -> None:
    """Size, time and inode are those of a photo that is gone: the new one is done all the same."""
    hot_folders = HotFolders(tmp_path, KEEP)
    burst(hot_folders, 8, one_name=one_name)
    assert len({data for name, data in hot_folders.files("out").items() if name.endswith(".png")}) == 8


def test_a_burst_on_a_file_system_that_numbers_anew_is_done_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On FAT every inode number is free again after a mount, and no time says when a file came."""
    from mattebox.daemon.journal import identity

    real = identity.identity_of

    def as_on_fat(status: os.stat_result) -> identity.Identity | None:
        found = real(status)
        # One number for all, and the time of change is the time of the content in even seconds.
        stamp = found.mtime_ns // 2_000_000_000 * 2_000_000_000 if found else 0
        return found and found._replace(inode=7, mtime_ns=stamp, ctime_ns=stamp)

    monkeypatch.setattr(identity, "identity_of", as_on_fat)
    monkeypatch.setattr("mattebox.daemon.intake.scan.identity_of", as_on_fat)
    hot_folders = HotFolders(tmp_path, KEEP)
    burst(hot_folders, 8, one_name=False)
    assert len({data for name, data in hot_folders.files("out").items() if name.endswith(".png")}) == 8


def test_a_photo_changed_in_place_with_its_time_kept_is_done_again(tmp_path: Path) -> None:
    """Editors of EXIF give a file its old time back; the time of change tells."""
    hot_folders = HotFolders(tmp_path, KEEP)
    path = bring(hot_folders, "a.jpg", b"pixels 1")
    assert hot_folders.once().delivered == 1
    with path.open("r+b") as file:
        file.write(b"pixels 2")
    os.utime(path, STAMP)
    assert hot_folders.once().delivered == 1
    assert hot_folders.once().delivered == 0


def test_what_only_looks_new_is_known_by_its_content(tmp_path: Path) -> None:
    """New rights, a new name, the same photo copied once more over itself: nothing is done twice."""
    hot_folders = HotFolders(tmp_path, KEEP)
    path = bring(hot_folders, "a.jpg", b"pixels")
    assert hot_folders.once().delivered == 1
    path.chmod(0o600)
    assert hot_folders.once().delivered == 0
    path = path.rename(path.with_name("b.jpg"))
    assert hot_folders.once().delivered == 0
    shutil.copy(path, tmp_path / "copy")
    path.unlink()
    shutil.copy(tmp_path / "copy", path)
    assert hot_folders.once().delivered == 0


def test_a_ledger_of_an_older_version_is_believed_where_all_agrees(tmp_path: Path) -> None:
    """Its rows know no time of change and no content: path, device, inode, size and time must be equal."""
    hot_folders = HotFolders(tmp_path, KEEP)
    path = bring(hot_folders, "a.jpg", b"pixels")
    hot_folders.once()
    journal = Journal(tmp_path / "state")
    with journal.transaction():
        journal.files._db.execute("UPDATE ledger SET ctime = '', sha256 = ''")
    journal.close()
    assert hot_folders.once().delivered == 0
    path.rename(path.with_name("b.jpg"))
    assert hot_folders.once().delivered == 1
