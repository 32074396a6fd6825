"""A share that goes away may leave a folder of the same name, its empty mount point."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.kill_pairs import other_place, quick_place
from tests.daemon.hot_folders import CONFIG, HotFolders, copy_job

from mattebox.core.job_report import JobReport
from mattebox.daemon.events import Event
from mattebox.daemon.journal import steps
from mattebox.daemon.work.tasks import JobTask, do_job


class Share:
    """A link to the share's folder, or to its mount point, which holds an empty watched folder."""

    def __init__(self, root: Path, store: Path, point: Path) -> None:
        self.place, self.store, self.point = root / "share", store, point
        (store / "in").mkdir()
        (point / "in").mkdir()
        self.place.symlink_to(store)

    def show(self, folder: Path) -> None:
        """Mount or unmount it."""
        new = self.place.with_name("new")
        new.symlink_to(folder)
        new.replace(self.place)


class BackWhenHeld(list[Event]):
    """The events; the share comes back as soon as something is held up."""

    def __init__(self, share: Share) -> None:
        super().__init__()
        self.share = share

    def append(self, event: Event) -> None:
        """Note an event."""
        super().append(event)
        if event.name == "held":
            self.share.show(self.share.store)


@pytest.fixture(params=["another device", "the same device"])
def share(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Share]:
    """A share and its mount point: on another device, or on the same one as that of a bind mount is."""
    places = (quick_place(), other_place() if request.param == "another device" else quick_place())
    store, point = (Path(tempfile.mkdtemp(dir=place)) for place in places)
    yield Share(tmp_path, store, point)
    for folder in (store, point):
        shutil.rmtree(folder)


def on_share(tmp_path: Path, share: Share) -> HotFolders:
    """Hot folders on the share, whose journal is elsewhere."""
    text = CONFIG
    for name in ("in", "done", "failed", "out/{tree}"):
        text = text.replace(f"./{name}", f"./share/{name}")
    hot_folders = HotFolders(tmp_path, text)
    hot_folders.events = BackWhenHeld(share)
    (share.place / "in" / "a.jpg").write_bytes(b"good")
    return hot_folders


def check_end(hot_folders: HotFolders, share: Share) -> None:
    """One effect, nobody told that the photo was taken away, nothing temporary left."""
    assert hot_folders.events_named("held")
    assert not hot_folders.events_named("vanished")
    found = {
        p.relative_to(share.store).as_posix(): p.read_bytes() for p in share.store.rglob("*") if p.is_file()
    }
    assert found == {"done/a.jpg": b"good", "out/a.psd": b"psd:good", "out/a.png": b"png:good"}


def test_a_photo_in_work_did_not_vanish_with_its_share(tmp_path: Path, share: Share) -> None:
    """While a worker is at it: the job waits, and what was staged goes when the share is back."""
    hot_folders, begun = on_share(tmp_path, share), []

    def work(task: JobTask) -> JobReport:
        begun.append(task)
        report = copy_job(task)
        if len(begun) == 1:
            share.show(share.point)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return report

    hot_folders.functions[do_job] = work
    assert hot_folders.once().delivered == 1
    check_end(hot_folders, share)


@pytest.mark.parametrize("boundary", ["outputs published", "name chosen", "staged"])
def test_a_photo_is_not_done_twice_when_its_share_goes_at_its_end(
    tmp_path: Path, share: Share, boundary: str
) -> None:
    """Between any two steps of its end: the original is not taken for one that somebody took away."""
    hot_folders, left = on_share(tmp_path, share), [boundary]

    def unmount(name: str) -> None:
        if left == [name]:
            left.clear()
            share.show(share.point)

    steps.listen(unmount)
    try:
        assert hot_folders.once().delivered == 1
    finally:
        steps.listen(None)
    assert left == []
    assert hot_folders.once().delivered == 0
    check_end(hot_folders, share)
