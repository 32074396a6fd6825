"""A state folder that is full or read-only when `watch` starts is waited for, as it is later."""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from tests.daemon.hot_folders import HotFolders, InlinePool, until

from mattebox.daemon.errors import JournalError
from mattebox.daemon.events import Events
from mattebox.daemon.inbox import Stop
from mattebox.daemon.run import RunningPool
from mattebox.daemon.serve import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.daemon.inbox import Inbox


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of two megabytes in a folder."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> None:
    """Leave no room."""
    with suppress(OSError), (folder / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def lock(folder: Path, *, writable: bool) -> None:
    """Mount a disk anew."""
    mode = "rw" if writable else "ro"
    subprocess.run(["mount", "-o", f"remount,{mode}", folder], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_watch_waits_for_its_state_folder(tmp_path: Path, fault: str) -> None:
    """It says so once, goes on when there is room, and does the photos; `once` ends with the sentence."""
    hot_folders = HotFolders(tmp_path)
    state = tmp_path / "state"
    boxes: list[Inbox] = []

    def start_pool(inbox: Inbox) -> RunningPool:
        boxes.append(inbox)
        return RunningPool(InlinePool(inbox, hot_folders.functions), 4)

    def watch() -> None:
        serve(hot_folders.config, Events(hot_folders.events.append), start_pool=start_pool)

    with small_disk(state):
        fill(state) if fault == "full" else lock(state, writable=False)
        with pytest.raises(JournalError):
            hot_folders.once()
        hot_folders.events.clear()
        thread = threading.Thread(target=watch)
        thread.start()
        until(lambda: bool(hot_folders.events_named("held")))
        assert thread.is_alive()
        hot_folders.drop({"a.jpg": b"one"})
        (state / "filler").unlink() if fault == "full" else lock(state, writable=True)
        until(lambda: bool(hot_folders.events_named("delivered")))
        boxes[0].put(Stop())
        thread.join(30)
        assert not thread.is_alive()
    assert [event.name for event in hot_folders.events][:2] == ["held", "back"]
