"""Folders that lose their rights while the daemon runs, as a plain user meets them."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.daemon.faults import PHOTOS, TEXT, is_finished
from tests.daemon.forked import daemon, is_alive, listen, wait_for
from tests.daemon.hot_folders import HotFolders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# linux/capability.h: version 3 has two words of 32 bits; 1 and 2 let root pass by all rights of files.
_VERSION = 0x20080522
_OVERRIDE = 1 << 1 | 1 << 2


def like_a_plain_user() -> None:
    """Give up the capabilities by which root is never refused."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    data = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, data) == 0
    for word in (0, 1):
        data[word] &= ~_OVERRIDE
    assert libc.capset(header, data) == 0


@contextmanager
def without_rights(folder: Path, mode: int) -> Iterator[None]:
    """A folder with fewer rights for a while."""
    before = folder.stat().st_mode
    folder.chmod(mode)
    try:
        yield
    finally:
        folder.chmod(before)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "mode"),
    [("parent", 0o000), ("parent/in", 0o000), ("parent/in", 0o555), ("shelf", 0o000), ("shelf/review", 0o555),
     ("state", 0o555), ("state", 0o000), ("done", 0o555), ("out", 0o000)],
)  # fmt: skip
def test_a_folder_without_rights_is_waited_for(tmp_path: Path, name: str, mode: int) -> None:
    """The daemon lives and tells, and finishes everything once the rights are back."""
    text = TEXT.replace("./in", "./parent/in").replace("./review", "./shelf/review")
    hot_folders = HotFolders(tmp_path, text)
    (tmp_path / "in").rmdir()
    for folder in ("parent/in", "shelf/review", "done", "out"):
        (tmp_path / folder).mkdir(parents=True)
    for link, folder in (("in", "parent/in"), ("review", "shelf/review")):
        (tmp_path / link).symlink_to(folder)
    reader, writer = os.pipe()
    pid = daemon(hot_folders, writer, like_a_plain_user)
    os.close(writer)
    events: list[list[Any]] = []
    listener = threading.Thread(target=listen, args=(reader, events), daemon=True)
    listener.start()
    try:
        assert wait_for((tmp_path / "state" / "live.json").exists, 60)
        with without_rights(tmp_path / name, mode):
            hot_folders.drop(PHOTOS)
            wait_for(lambda: is_finished(hot_folders), 1.0)
            assert is_alive(pid)
        assert wait_for(lambda: is_finished(hot_folders) or not is_alive(pid), 60)
        assert is_alive(pid)
        os.kill(pid, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)
        listener.join(5)
        os.close(reader)
    assert [name for name, level, _ in events if level != "info" and name != "failed"], events
