"""What hot folders promise: nothing lost, nothing twice, nothing overwritten, everything explained."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.daemon.hot_folders import CONFIG, HotFolders

from mattebox.daemon.delivery.deliver import Delivery
from mattebox.daemon.errors import StateLockedError
from mattebox.daemon.journal.journal import Journal

if TYPE_CHECKING:
    from mattebox.daemon.errors import Failure

FLAT = CONFIG.replace("{tree}/", "")
KEEP = CONFIG.replace("    settle", "    originals: keep\n    settle")


def test_same_names_all_get_their_own_output(tmp_path: Path) -> None:
    """Two endings and two sub-folders of one stem give a number, never a lost file."""
    hot_folders = HotFolders(tmp_path, FLAT)
    tree = {"IMG_1.jpg": b"one", "IMG_1.png": b"two", "x/IMG_1.jpg": b"three", "y/IMG_1.jpg": b"four"}
    hot_folders.drop(tree)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "IMG_1.png").write_bytes(b"mine")
    assert hot_folders.once().delivered == 4
    pngs = {path.read_bytes() for path in (tmp_path / "out").glob("*.png")}
    assert pngs == {b"mine", *(b"png:" + data for data in tree.values())}
    assert (tmp_path / "out" / "IMG_1.png").read_bytes() == b"mine"
    assert hot_folders.files("done") == tree


def test_an_original_that_would_overwrite_another_gets_a_number(tmp_path: Path) -> None:
    """The same name dropped again does not replace what lies in done/."""
    hot_folders = HotFolders(tmp_path)
    for data in (b"first", b"second"):
        hot_folders.drop({"a.jpg": data})
        hot_folders.once()
    assert hot_folders.files("done") == {"a.jpg": b"first", "a-2.jpg": b"second"}
    assert hot_folders.files("out")["a-2.png"] == b"png:second"


def test_the_same_content_is_done_twice_unless_told_otherwise(tmp_path: Path) -> None:
    """With deduplicate: true the second original moves and nothing else happens."""
    for name, text, outputs in (
        ("plain", CONFIG, 4),
        ("dedupe", CONFIG.replace("    settle", "    deduplicate: true\n    settle"), 2),
    ):
        hot_folders = HotFolders(tmp_path / name, text)
        hot_folders.drop({"a.jpg": b"same", "b.jpg": b"same"})
        hot_folders.once()
        assert len(hot_folders.files("out")) == outputs
        assert hot_folders.files("done") == {"a.jpg": b"same", "b.jpg": b"same"}


def test_originals_that_stay_are_done_once(tmp_path: Path) -> None:
    """With originals: keep a second run does nothing, a renamed file is known, a changed one is new."""
    hot_folders = HotFolders(tmp_path, KEEP)
    hot_folders.drop({"a.jpg": b"one", "bad.jpg": b"bad"})
    (tmp_path / "in").chmod(0o555)
    first = hot_folders.once()
    assert (first.delivered, first.failed) == (1, 1)
    assert hot_folders.files("in") == {"a.jpg": b"one", "bad.jpg": b"bad"}
    assert set(hot_folders.files("failed")) == {"bad.jpg.reason.json"}
    (tmp_path / "in").chmod(0o755)
    again = hot_folders.once()
    assert (again.delivered, again.failed) == (0, 0)
    (tmp_path / "in" / "a.jpg").rename(tmp_path / "in" / "b.jpg")
    assert hot_folders.once().delivered == 0
    hot_folders.drop({"b.jpg": b"changed"})
    assert hot_folders.once().delivered == 1
    assert hot_folders.files("out")["b.png"] == b"png:changed"


def test_names_of_all_kinds_come_through(tmp_path: Path) -> None:
    """Newlines, quotes, emoji and bytes that are no UTF-8 are names like any other."""
    hot_folders = HotFolders(tmp_path)
    weird = ["new\nline.jpg", "quo'te\".jpg", "📷.jpg", "-rf.jpg", " .jpg", "%s{stem}.jpg", "a\\b.jpg"]
    hot_folders.drop({name: name.encode() for name in weird})
    raw = os.fsencode(tmp_path / "in") + b"/\xff\xfe.jpg"
    Path(os.fsdecode(raw)).write_bytes(b"raw")
    assert hot_folders.once().delivered == len(weird) + 1
    assert {path.name for path in (tmp_path / "done").iterdir()} > set(weird)
    assert os.fsencode(tmp_path / "out") + b"/\xff\xfe.png" in [
        os.fsencode(path) for path in (tmp_path / "out").iterdir()
    ]


def test_what_is_nobodys_business_is_left_alone(tmp_path: Path) -> None:
    """Half-downloads, system files, links, pipes and folders of other programs stay where they are."""
    hot_folders = HotFolders(tmp_path)
    others = [
        "a.jpg.part", "b.crdownload", "c.tmp", "~lock.jpg", "._d.jpg", ".DS_Store", "Thumbs.db",
        "@eaDir/e.jpg", ".syncthing.f.jpg.tmp", ".stfolder/g.jpg", "notes.txt",
    ]  # fmt: skip
    hot_folders.drop(dict.fromkeys(others, b"x"))
    (tmp_path / "in" / "link.jpg").symlink_to(hot_folders.config)
    os.mkfifo(tmp_path / "in" / "pipe.jpg")
    hot_folders.drop({"good.jpg": b"good"})
    summary = hot_folders.once()
    assert (summary.delivered, summary.failed) == (1, 0)
    assert set(hot_folders.files("in")) >= set(others)
    assert [event.values["path"] for event in hot_folders.events_named("left-alone")] == ["notes.txt"]


@pytest.mark.slow
def test_a_second_daemon_refuses(tmp_path: Path) -> None:
    """One state folder has one daemon; the second says so in one sentence and changes nothing."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"one"})
    journal = Journal(tmp_path / "state")
    with pytest.raises(StateLockedError, match="another Mattebox daemon works with this state folder"):
        hot_folders.once()
    assert hot_folders.files("in") == {"a.jpg": b"one"}
    journal.close()
    assert hot_folders.once().delivered == 1


def test_a_failure_tells_what_which_step_and_what_to_do(tmp_path: Path) -> None:
    """The reason file beside the original is complete; retry brings both back to where they were."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"sub/a.jpg": b"poison"})
    assert hot_folders.once().failed == 1
    reason = json.loads(hot_folders.files("failed")["sub/a.jpg.reason.json"])
    assert {"what", "step", "do", "attempts", "input", "rule", "job"} <= set(reason)
    journal = Journal(tmp_path / "state")
    Delivery(journal).return_original(journal.job(reason["job"]))
    journal.close()
    assert hot_folders.files() == {"in/sub/a.jpg": b"poison"}
    hot_folders.drop({"sub/a.jpg": b"mended"})
    assert hot_folders.once().delivered == 1


def test_half_a_file_is_not_ready(tmp_path: Path) -> None:
    """A file that ends too early is looked at again before it fails."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"half"})
    looks: list[Any] = []
    inspect_file, copy_inspection = next(
        (key, value) for key, value in hot_folders.functions.items() if key.__name__ == "inspect_file"
    )

    def grow(file: Any) -> Any:
        looks.append(file)
        answer = copy_inspection(file)
        if len(looks) == 1:
            hot_folders.drop({"a.jpg": b"whole"})
        return answer

    hot_folders.functions[inspect_file] = grow
    assert hot_folders.once().delivered == 1
    assert len(looks) == 2
    assert hot_folders.files("done") == {"a.jpg": b"whole"}


@pytest.mark.slow
def test_a_file_that_changes_in_work_is_done_as_it_is_in_the_end(tmp_path: Path) -> None:
    """What a writer adds after the claim is in the output: the work is thrown away and done again."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"early"})
    do_job, copy_job = next(
        (key, value) for key, value in hot_folders.functions.items() if key.__name__ == "do_job"
    )
    calls: list[Any] = []

    def meddle(work: Any) -> Any:
        report = copy_job(work)
        calls.append(work)
        if len(calls) == 1:
            with work.job.source.open("ab") as file:
                file.write(b" and late")
        return report

    hot_folders.functions[do_job] = meddle
    assert hot_folders.once().delivered == 1
    assert hot_folders.files("done") == {"a.jpg": b"early and late"}
    assert hot_folders.files("out")["a.png"] == b"png:early and late"


def test_without_links_names_are_reserved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system that knows no hard links nothing is overwritten either."""

    def no_link(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_link)
    test_same_names_all_get_their_own_output(tmp_path)


def test_done_on_another_device_is_a_verified_copy(tmp_path: Path, second_disk: Path) -> None:
    """Where done/ lies on another device the original is copied, compared, and goes last."""
    assert tmp_path.stat().st_dev != second_disk.stat().st_dev
    hot_folders = HotFolders(tmp_path, CONFIG.replace("./done", os.fspath(second_disk / "done")))
    hot_folders.drop({"sub/a.jpg": b"one"})
    os.utime(tmp_path / "in" / "sub" / "a.jpg", (1, 1))
    assert hot_folders.once().delivered == 1
    moved = second_disk / "done" / "sub" / "a.jpg"
    assert moved.read_bytes() == b"one"
    assert moved.stat().st_mtime == 1
    assert set(hot_folders.files()) == {"out/sub/a.psd", "out/sub/a.png"}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_full_disk_gives_the_originals_back(tmp_path: Path, number: int) -> None:
    """It is not the photo's fault: `once` puts it back, spends no attempt and says why."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"one"})
    do_job = next(key for key in hot_folders.functions if key.__name__ == "do_job")
    copy_job = hot_folders.functions[do_job]

    def full(_: Any) -> Any:
        raise OSError(number, os.strerror(number))

    hot_folders.functions[do_job] = full
    summary = hot_folders.once()
    assert (summary.delivered, summary.failed, summary.left) == (0, 0, 1)
    assert hot_folders.files() == {"in/a.jpg": b"one"}
    assert os.strerror(number) in hot_folders.events_named("held")[-1].values["why"]
    hot_folders.functions[do_job] = copy_job
    assert hot_folders.once().delivered == 1


def test_a_failing_photo_does_not_stop_the_next(tmp_path: Path) -> None:
    """Good ones among bad ones are all delivered."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({f"{number}.jpg": b"bad" if number % 3 else b"good" for number in range(12)})
    summary = hot_folders.once()
    assert (summary.delivered, summary.failed) == (4, 8)


def test_a_failure_that_may_pass_is_tried_again(tmp_path: Path) -> None:
    """Three attempts, each counted, then failed/."""
    from mattebox.core.errors import InferenceError

    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"one"})
    do_job = next(key for key in hot_folders.functions if key.__name__ == "do_job")

    def broken(_: Any) -> Failure:
        raise InferenceError("The network failed on this photo.")

    hot_folders.functions[do_job] = broken
    assert hot_folders.once().failed == 1
    assert len(hot_folders.events_named("retry")) == 2
    assert json.loads(hot_folders.files("failed")["a.jpg.reason.json"])["attempts"] == 3


def test_folders_take_what_they_do_not_say_from_the_defaults(tmp_path: Path) -> None:
    """Every key of a folder but its own name, place and rules may stand in defaults; its own word wins."""
    from mattebox.daemon.config.keys import FolderKeys
    from mattebox.daemon.config.load import load_config

    text = CONFIG.replace("    settle: 10ms\n", "").replace("    failed: ./failed\n", "")
    text += (
        "defaults: {settle: 5ms, recursive: false, mode: poll, ignore: ['*.bak'], failed: ./broken,"
        " done: ./elsewhere, attempts: 7, deduplicate: true, originals: keep, poll: 3s, rescan: 9s,"
        " patience: 4s, companions: xmp, pairs: raw}\n"
    )
    hot_folders = HotFolders(tmp_path, text)
    (folder,) = load_config(hot_folders.config).config.folders
    assert {key: getattr(folder, key) for key in FolderKeys.model_fields} == {
        "settle": 0.005, "recursive": False, "mode": "poll", "ignore": ["*.bak"], "attempts": 7,
        "failed": tmp_path / "broken", "done": tmp_path / "done", "deduplicate": True,
        "originals": "keep", "poll": 3.0, "rescan": 1.0, "patience": 4.0,
        "companions": {"xmp"}, "pairs": "raw",
    }  # fmt: skip


@pytest.mark.slow
def test_thousands_of_one_name_are_numbered_in_few_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next free number is found in some 2 log n looks, and a name that is taken meanwhile is not lost."""
    from mattebox.core.publish import free_place, numbered, publish

    target = tmp_path / "IMG_1.png"
    for place in range(5000):
        numbered(target, place).touch()
    looks: list[Any] = []
    real = os.path.lexists
    monkeypatch.setattr(os.path, "lexists", lambda path: looks.append(path) or real(path))
    assert free_place(target) == 5000
    assert len(looks) < 40
    staged = tmp_path / "staged"
    staged.write_bytes(b"new")
    assert publish(staged, target, number=True).name == "IMG_1-5001.png"
    assert all(numbered(target, place).stat().st_size == 0 for place in range(5000))
