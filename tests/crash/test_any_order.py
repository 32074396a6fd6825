"""Whatever people, disks and kills do in whatever order: each photo has one effect, and none is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.daemon.hot_folders import CONFIG, HotFolders

NAMES = st.sampled_from(["a.jpg", "b.jpg", "sub/a.jpg", "sub/deep/c.png", "a.png"])
KINDS = st.sampled_from([b"good", b"good", b"good", b"bad", b"poison"])
BOUNDARY = st.integers(0, 60)


class AnyOrder(RuleBasedStateMachine):
    """A watched folder with everything happening to it, against a plain count of what should come out."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
        place = memory if os.access(memory, os.W_OK) else None
        self.root = Path(tempfile.mkdtemp(dir=place))
        self.hot_folders = HotFolders(self.root, CONFIG)
        self.watched = self.root / "in"
        self.expected: Counter[bytes] = Counter()
        self.count = 0
        self.mounted = False

    def teardown(self) -> None:
        """In the end all obstacles go, the daemon runs, and every photo has had its one effect."""
        try:
            self.come_back()
            self.unblock()
            self.hot_folders.once()
            self.hot_folders.once()
            self.check_end()
        finally:
            self.unblock()
            shutil.rmtree(self.root)

    def fresh(self, kind: bytes) -> bytes:
        """Content that was never seen before."""
        self.count += 1
        return kind + b" %d" % self.count

    def lying(self) -> list[Path]:
        """What lies in the watched folder and nobody has claimed."""
        found = [path for path in self.watched.rglob("*") if path.is_file()]
        return sorted(path for path in found if ".mattebox" not in path.parts)

    @precondition(lambda self: self.watched.exists())
    @rule(name=NAMES, kind=KINDS)
    def drop(self, name: str, kind: bytes) -> None:
        """A new photo, or a new one over an old one that still lies there."""
        path = self.watched / name
        if path.exists():
            self.expected[path.read_bytes()] -= 1
        content = self.fresh(kind)
        staged = self.root / "arrives"
        staged.write_bytes(content)
        path.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(path)
        self.expected[content] += 1

    @precondition(lambda self: self.watched.exists() and self.lying())
    @rule(data=st.data(), kind=KINDS)
    def modify(self, data: st.DataObject, kind: bytes) -> None:
        """A photo is written anew in place."""
        path = data.draw(st.sampled_from(self.lying()))
        self.expected[path.read_bytes()] -= 1
        content = self.fresh(kind)
        path.write_bytes(content)
        self.expected[content] += 1

    @precondition(lambda self: self.watched.exists() and self.lying())
    @rule(data=st.data())
    def rename(self, data: st.DataObject) -> None:
        """A photo gets another name."""
        path = data.draw(st.sampled_from(self.lying()))
        path.rename(path.with_name(f"renamed-{self.count}.jpg"))
        self.count += 1

    @precondition(lambda self: self.watched.exists() and self.lying())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """A person takes a photo away."""
        path = data.draw(st.sampled_from(self.lying()))
        self.expected[path.read_bytes()] -= 1
        path.unlink()

    @rule()
    def run(self) -> None:
        """The daemon works and ends."""
        self.hot_folders.once()

    @rule(number=BOUNDARY)
    def kill(self, number: int) -> None:
        """The daemon works and is killed at a boundary, if it gets so far."""
        self.hot_folders.once_until(number)

    @precondition(lambda self: self.watched.exists() and (self.root / "state").exists())
    @rule()
    def vanish(self) -> None:
        """The watched folder is gone, as an unmounted share is."""
        self.hot_folders.once()
        self.watched.rename(self.root / "away")

    @precondition(lambda self: (self.root / "away").exists())
    @rule()
    def come_back(self) -> None:
        """The watched folder is there again."""
        if (self.root / "away").exists():
            self.watched.rmdir() if self.watched.exists() else None
            (self.root / "away").rename(self.watched)

    @precondition(lambda self: not (self.root / "out").exists())
    @rule()
    def block_outputs(self) -> None:
        """No output can be written: a file stands where the folder should be."""
        (self.root / "out").write_bytes(b"")

    @precondition(lambda self: not (self.root / "out").exists())
    @rule()
    def fill_the_disk(self) -> None:
        """The outputs' disk is full: a small one of its own, where this machine lets us mount it."""
        out = self.root / "out"
        out.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=1", "tmpfs", os.fspath(out)]
        done = subprocess.run(mount, capture_output=True, check=False)
        self.mounted = done.returncode == 0
        if not self.mounted:
            out.rmdir()

    @rule()
    def unblock(self) -> None:
        """The outputs' folder is as it should be."""
        out = self.root / "out"
        if self.mounted:
            subprocess.run(["umount", "-l", os.fspath(out)], check=True)
            self.mounted = False
        if out.is_file():
            out.unlink()

    @invariant()
    def nothing_is_done_twice(self) -> None:
        """No content is delivered or failed more often than it was dropped."""
        found = Counter(
            data for name, data in self.hot_folders.files().items() if name.startswith(("done/", "failed/"))
        )
        for content, times in found.items():
            assert times <= 1 or content.startswith(b"{"), content

    def check_end(self) -> None:
        """Good photos: in done/ with one PSD and one PNG. Bad ones: in failed/ with a reason."""
        left = +self.expected
        good = {content for content in left if content.startswith(b"good")}
        bad = set(left) - good
        found = self.hot_folders.files()
        reasons = {name for name in found if name.endswith(".reason.json")}
        assert sorted(data for name, data in found.items() if name.startswith("done/")) == sorted(good)
        assert sorted(data for name, data in found.items() if name.startswith("out/")) == sorted(
            kind + b":" + data for data in good for kind in (b"png", b"psd")
        )
        failed = {name: data for name, data in found.items() if name.startswith("failed/")}
        assert sorted(data for name, data in failed.items() if name not in reasons) == sorted(bad)
        assert {f"{name}.reason.json" for name in failed if name not in reasons} == reasons
        assert {name.split("/")[0] for name in found} <= {"done", "out", "failed"}


AnyOrder.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
class TestAnyOrder(AnyOrder.TestCase):
    """Each example is one order of events."""
