"""The daemon sees what happens in its folders, however it happens, and survives what happens to them."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.daemon.hot_folders import CONFIG, HotFolders, until
from tests.daemon.intake.bursts import burst
from watchdog.observers.inotify_c import InotifyFD

from mattebox.daemon.intake.watch import is_network

if TYPE_CHECKING:
    from collections.abc import Callable

# Rescans come too late to help in these tests, unless one is about them.
NATIVE = CONFIG.replace("rescan: 1s", "rescan: 1h").replace("settle: 10ms", "settle: 150ms")


@pytest.mark.slow
def test_every_way_to_arrive_is_seen_without_a_rescan(tmp_path: Path) -> None:
    """Written in place, moved in, linked, renamed inside, in a new tree, in a tree that was moved in."""
    hot_folders = HotFolders(tmp_path, NATIVE)
    inside, outside = tmp_path / "in", tmp_path / "outside"
    (outside / "tree" / "deep").mkdir(parents=True)
    (outside / "tree" / "deep" / "moved-tree.jpg").write_bytes(b"1")
    (outside / "moved.jpg").write_bytes(b"2")
    (outside / "linked.jpg").write_bytes(b"3")
    with hot_folders.watching():
        time.sleep(0.5)
        hot_folders.drop({"written.jpg": b"4", "new/deeper/still/nested.jpg": b"5", "temp.part": b"6"})
        (outside / "moved.jpg").rename(inside / "moved.jpg")
        os.link(outside / "linked.jpg", inside / "linked.jpg")
        (outside / "tree").rename(inside / "tree")
        (inside / "temp.part").rename(inside / "renamed.jpg")
        until(lambda: len(hot_folders.events_named("delivered")) == 6)
    assert {path.name for path in (tmp_path / "done").rglob("*.jpg")} == {
        "written.jpg", "nested.jpg", "moved.jpg", "linked.jpg", "renamed.jpg", "moved-tree.jpg",
    }  # fmt: skip


@pytest.mark.slow
def test_trees_that_grow_while_they_are_noticed_lose_no_file(tmp_path: Path) -> None:
    """A folder made between the watch on its parent and the look into it is told twice, and harms nothing."""
    hot_folders = HotFolders(tmp_path, NATIVE)
    # Another process, so that the two go on at once.
    grow = "for i in $(seq 60); do mkdir -p $i/deep/er/still; echo $i > $i/deep/er/still/$i.jpg; done"
    with hot_folders.watching():
        time.sleep(0.3)
        subprocess.run(["sh", "-c", grow], cwd=tmp_path / "in", check=True)
        until(lambda: len(hot_folders.events_named("delivered")) == 60)


@pytest.mark.slow
def test_a_watch_whose_reader_ended_is_rebuilt(tmp_path: Path) -> None:
    """The thread that reads the kernel's events may end while others live; what came meanwhile is found."""
    hot_folders = HotFolders(tmp_path, NATIVE)
    with hot_folders.watching():
        time.sleep(0.3)
        readers = [thread for thread in threading.enumerate() if isinstance(thread, InotifyFD)]
        for reader in readers:
            reader.stop()
            reader.join()
        hot_folders.drop({"meanwhile.jpg": b"one"})
        until(lambda: bool(hot_folders.events_named("watch-rebuilt")))
        hot_folders.drop({"after.jpg": b"two"})
        until(lambda: len(hot_folders.events_named("delivered")) == 2)
    assert readers


@pytest.mark.slow
def test_a_slow_writer_is_waited_for(tmp_path: Path) -> None:
    """A file that grows by a kilobyte at a time is taken once, whole."""
    hot_folders = HotFolders(tmp_path, NATIVE)
    whole = os.urandom(8 * 1024)
    with hot_folders.watching():
        with (tmp_path / "in" / "slow.jpg").open("wb") as file:
            for start in range(0, len(whole), 1024):
                file.write(whole[start : start + 1024])
                file.flush()
                time.sleep(0.06)
        until(lambda: bool(hot_folders.events_named("delivered")))
    assert hot_folders.files("done") == {"slow.jpg": whole}
    assert hot_folders.files("out") == {"slow.psd": b"psd:" + whole, "slow.png": b"png:" + whole}


@pytest.mark.slow
def test_a_file_that_is_renamed_while_it_settles_is_done_once(tmp_path: Path) -> None:
    """Only the last name counts."""
    hot_folders = HotFolders(tmp_path, NATIVE)
    with hot_folders.watching():
        hot_folders.drop({"a.jpg": b"one"})
        time.sleep(0.05)
        (tmp_path / "in" / "a.jpg").rename(tmp_path / "in" / "b.jpg")
        until(lambda: bool(hot_folders.events_named("delivered")))
        time.sleep(0.4)
    assert hot_folders.files("done") == {"b.jpg": b"one"}


@pytest.mark.slow
def test_a_rescan_finds_what_events_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the watcher silenced, the file is found all the same."""
    monkeypatch.setattr("mattebox.daemon.intake.watch._Handler.on_any_event", lambda *_: None)
    hot_folders = HotFolders(tmp_path)
    with hot_folders.watching():
        time.sleep(0.5)
        hot_folders.drop({"a.jpg": b"one"})
        until(lambda: bool(hot_folders.events_named("delivered")))


@pytest.mark.slow
def test_a_root_that_vanishes_and_returns_is_watched_again(tmp_path: Path) -> None:
    """A share that drops is not made anew; when it is back, its files are done."""
    hot_folders = HotFolders(tmp_path, CONFIG)
    with hot_folders.watching():
        until((tmp_path / "state" / "live.json").exists)
        (tmp_path / "in").rename(tmp_path / "gone")
        until(lambda: bool(hot_folders.events_named("held")))
        assert not (tmp_path / "in").exists()
        (tmp_path / "gone" / "a.jpg").write_bytes(b"one")
        (tmp_path / "gone").rename(tmp_path / "in")
        until(lambda: bool(hot_folders.events_named("delivered")))
    assert "is gone" in hot_folders.events_named("held")[0].values["why"]


@pytest.mark.slow
def test_a_root_that_is_replaced_is_watched_again(tmp_path: Path) -> None:
    """A new folder under the old name gets a new watch, though the old tree still gives events."""
    hot_folders = HotFolders(tmp_path, NATIVE)
    with hot_folders.watching():
        time.sleep(0.3)
        (tmp_path / "in").rename(tmp_path / "old")
        (tmp_path / "in").mkdir()
        until(lambda: bool(hot_folders.events_named("watch-rebuilt")))
        hot_folders.drop({"a.jpg": b"one"})
        until(lambda: bool(hot_folders.events_named("delivered")))


@pytest.mark.slow
def test_a_changed_configuration_is_taken_over_and_a_broken_one_is_not(tmp_path: Path) -> None:
    """The daemon goes on with the last good rules, and with the new ones once they are right."""
    hot_folders = HotFolders(tmp_path)
    with hot_folders.watching():
        until((tmp_path / "state" / "live.json").exists)
        hot_folders.config.write_text(CONFIG + "nonsense: 1\n", encoding="utf-8")
        until(lambda: bool(hot_folders.events_named("config-broken")))
        hot_folders.drop({"a.jpg": b"one"})
        until(lambda: len(hot_folders.events_named("delivered")) == 1)
        hot_folders.config.write_text(CONFIG.replace("./out/", "./second/"), encoding="utf-8")
        until(lambda: bool(hot_folders.events_named("config-reloaded")))
        hot_folders.drop({"b.jpg": b"two"})
        until(lambda: len(hot_folders.events_named("delivered")) == 2)
    assert "config.yaml:" in hot_folders.events_named("config-broken")[0].values["mistakes"][0]
    assert set(hot_folders.files("second")) == {"b.psd", "b.png"}
    assert set(hot_folders.files("out")) == {"a.psd", "a.png"}


@pytest.mark.slow
def test_a_polled_folder_needs_no_events(tmp_path: Path) -> None:
    """mode: poll looks every so often."""
    hot_folders = HotFolders(
        tmp_path, NATIVE.replace("    settle", "    mode: poll\n    poll: 200ms\n    settle")
    )
    with hot_folders.watching():
        time.sleep(0.3)
        hot_folders.drop({"a.jpg": b"one"})
        until(lambda: bool(hot_folders.events_named("delivered")))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/srv/share/in", True),
        ("/srv/share", True),
        ("/srv/shared", False),
        ("/my disk/in", True),
        ("/", False),
    ],
)
def test_network_file_systems_are_told_by_the_mount_table(tmp_path: Path, path: str, expected: bool) -> None:
    r"""The longest mount point that holds the path decides; \\040 is a space."""
    table = tmp_path / "mountinfo"
    table.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 0:40 / /srv/share rw shared:1 - cifs //host/share rw\n"
        "3 1 0:41 / /my\\040disk rw - nfs4 host:/disk rw\n",
        encoding="utf-8",
    )
    assert is_network(Path(path), table) is expected


@pytest.mark.slow
def test_ten_thousand_files_with_a_small_event_queue(tmp_path: Path, figure: Callable[[str], None]) -> None:
    """Far more events than the kernel keeps: every file is found, in nested new folders too."""
    outcome = burst(tmp_path, files=10_000, queue=64)
    figure(outcome.line())
    assert outcome.noticed == 10_000
