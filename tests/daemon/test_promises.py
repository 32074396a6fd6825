"""What hot folders promise: nothing lost, nothing twice, nothing overwritten, everything explained."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.daemon.hot_folders import CONFIG, Yard

from mattebox.daemon.delivery.deliver import Delivery
from mattebox.daemon.errors import StateLockedError
from mattebox.daemon.journal.journal import Journal

if TYPE_CHECKING:
    from mattebox.daemon.work.workers import Trouble

FLAT = CONFIG.replace("{tree}/", "")
KEEP = CONFIG.replace("    settle", "    originals: keep\n    settle")


def test_same_names_all_get_their_own_output(tmp_path: Path) -> None:
    """Two endings and two sub-folders of one stem give a number, never a lost file."""
    yard = Yard(tmp_path, FLAT)
    tree = {"IMG_1.jpg": b"one", "IMG_1.png": b"two", "x/IMG_1.jpg": b"three", "y/IMG_1.jpg": b"four"}
    yard.drop(tree)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "IMG_1.png").write_bytes(b"mine")
    assert yard.once().delivered == 4
    pngs = {path.read_bytes() for path in (tmp_path / "out").glob("*.png")}
    assert pngs == {b"mine", *(b"png:" + data for data in tree.values())}
    assert (tmp_path / "out" / "IMG_1.png").read_bytes() == b"mine"
    assert yard.files("done") == tree


def test_an_original_that_would_overwrite_another_gets_a_number(tmp_path: Path) -> None:
    """The same name dropped again does not replace what lies in done/."""
    yard = Yard(tmp_path)
    for data in (b"first", b"second"):
        yard.drop({"a.jpg": data})
        yard.once()
    assert yard.files("done") == {"a.jpg": b"first", "a-2.jpg": b"second"}
    assert yard.files("out")["a-2.png"] == b"png:second"


def test_the_same_content_is_done_twice_unless_told_otherwise(tmp_path: Path) -> None:
    """With deduplicate: true the second original moves and nothing else happens."""
    for name, text, outputs in (
        ("plain", CONFIG, 4),
        ("dedupe", CONFIG.replace("    settle", "    deduplicate: true\n    settle"), 2),
    ):
        yard = Yard(tmp_path / name, text)
        yard.drop({"a.jpg": b"same", "b.jpg": b"same"})
        yard.once()
        assert len(yard.files("out")) == outputs
        assert yard.files("done") == {"a.jpg": b"same", "b.jpg": b"same"}


def test_originals_that_stay_are_done_once(tmp_path: Path) -> None:
    """With originals: keep a second run does nothing, a renamed file is known, a changed one is new."""
    yard = Yard(tmp_path, KEEP)
    yard.drop({"a.jpg": b"one", "bad.jpg": b"bad"})
    (tmp_path / "in").chmod(0o555)
    first = yard.once()
    assert (first.delivered, first.failed) == (1, 1)
    assert yard.files("in") == {"a.jpg": b"one", "bad.jpg": b"bad"}
    assert set(yard.files("failed")) == {"bad.jpg.reason.json"}
    (tmp_path / "in").chmod(0o755)
    again = yard.once()
    assert (again.delivered, again.failed) == (0, 0)
    (tmp_path / "in" / "a.jpg").rename(tmp_path / "in" / "b.jpg")
    assert yard.once().delivered == 0
    yard.drop({"b.jpg": b"changed"})
    assert yard.once().delivered == 1
    assert yard.files("out")["b.png"] == b"png:changed"


def test_names_of_all_kinds_come_through(tmp_path: Path) -> None:
    """Newlines, quotes, emoji and bytes that are no UTF-8 are names like any other."""
    yard = Yard(tmp_path)
    weird = ["new\nline.jpg", "quo'te\".jpg", "📷.jpg", "-rf.jpg", " .jpg", "%s{stem}.jpg", "a\\b.jpg"]
    yard.drop({name: name.encode() for name in weird})
    raw = os.fsencode(tmp_path / "in") + b"/\xff\xfe.jpg"
    Path(os.fsdecode(raw)).write_bytes(b"raw")
    assert yard.once().delivered == len(weird) + 1
    assert {path.name for path in (tmp_path / "done").iterdir()} > set(weird)
    assert os.fsencode(tmp_path / "out") + b"/\xff\xfe.png" in [
        os.fsencode(path) for path in (tmp_path / "out").iterdir()
    ]


def test_what_is_nobodys_business_is_left_alone(tmp_path: Path) -> None:
    """Half-downloads, system files, links, pipes and folders of other programs stay where they are."""
    yard = Yard(tmp_path)
    others = [
        "a.jpg.part", "b.crdownload", "c.tmp", "~lock.jpg", "._d.jpg", ".DS_Store", "Thumbs.db",
        "@eaDir/e.jpg", ".syncthing.f.jpg.tmp", ".stfolder/g.jpg", "notes.txt",
    ]  # fmt: skip
    yard.drop(dict.fromkeys(others, b"x"))
    (tmp_path / "in" / "link.jpg").symlink_to(yard.config)
    os.mkfifo(tmp_path / "in" / "pipe.jpg")
    yard.drop({"good.jpg": b"good"})
    summary = yard.once()
    assert (summary.delivered, summary.failed) == (1, 0)
    assert set(yard.files("in")) >= set(others)
    assert [event.values["path"] for event in yard.told("left-alone")] == ["notes.txt"]


def test_a_second_daemon_refuses(tmp_path: Path) -> None:
    """One state folder has one daemon; the second says so in one sentence and changes nothing."""
    yard = Yard(tmp_path)
    yard.drop({"a.jpg": b"one"})
    journal = Journal(tmp_path / "state")
    with pytest.raises(StateLockedError, match="another Mattebox daemon works with this state folder"):
        yard.once()
    assert yard.files("in") == {"a.jpg": b"one"}
    journal.close()
    assert yard.once().delivered == 1


def test_a_failure_tells_what_which_step_and_what_to_do(tmp_path: Path) -> None:
    """The reason file beside the original is complete; retry brings both back to where they were."""
    yard = Yard(tmp_path)
    yard.drop({"sub/a.jpg": b"poison"})
    assert yard.once().failed == 1
    reason = json.loads(yard.files("failed")["sub/a.jpg.reason.json"])
    assert {"what", "step", "do", "attempts", "input", "rule", "job"} <= set(reason)
    journal = Journal(tmp_path / "state")
    Delivery(journal).give_back(journal.job(reason["job"]))
    journal.close()
    assert yard.files() == {"in/sub/a.jpg": b"poison"}
    yard.drop({"sub/a.jpg": b"mended"})
    assert yard.once().delivered == 1


def test_half_a_file_is_not_ready(tmp_path: Path) -> None:
    """A file that ends too early is looked at again before it fails."""
    yard = Yard(tmp_path)
    yard.drop({"a.jpg": b"half"})
    looks: list[Any] = []
    look, copy_look = next((key, value) for key, value in yard.functions.items() if key.__name__ == "look")

    def grow(file: Any) -> Any:
        looks.append(file)
        answer = copy_look(file)
        if len(looks) == 1:
            yard.drop({"a.jpg": b"whole"})
        return answer

    yard.functions[look] = grow
    assert yard.once().delivered == 1
    assert len(looks) == 2
    assert yard.files("done") == {"a.jpg": b"whole"}


def test_a_file_that_changes_in_work_is_done_as_it_is_in_the_end(tmp_path: Path) -> None:
    """What a writer adds after the claim is in the output: the work is thrown away and done again."""
    yard = Yard(tmp_path)
    yard.drop({"a.jpg": b"early"})
    do, copy_do = next((key, value) for key, value in yard.functions.items() if key.__name__ == "do")
    calls: list[Any] = []

    def meddle(work: Any) -> Any:
        report = copy_do(work)
        calls.append(work)
        if len(calls) == 1:
            with work.job.source.open("ab") as file:
                file.write(b" and late")
        return report

    yard.functions[do] = meddle
    assert yard.once().delivered == 1
    assert yard.files("done") == {"a.jpg": b"early and late"}
    assert yard.files("out")["a.png"] == b"png:early and late"


def test_without_links_names_are_reserved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system that knows no hard links nothing is overwritten either."""

    def no_link(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_link)
    test_same_names_all_get_their_own_output(tmp_path)


def test_done_on_another_device_is_a_verified_copy(tmp_path: Path, second_disk: Path) -> None:
    """Where done/ lies on another device the original is copied, compared, and goes last."""
    assert tmp_path.stat().st_dev != second_disk.stat().st_dev
    yard = Yard(tmp_path, CONFIG.replace("./done", os.fspath(second_disk / "done")))
    yard.drop({"sub/a.jpg": b"one"})
    os.utime(tmp_path / "in" / "sub" / "a.jpg", (1, 1))
    assert yard.once().delivered == 1
    moved = second_disk / "done" / "sub" / "a.jpg"
    assert moved.read_bytes() == b"one"
    assert moved.stat().st_mtime == 1
    assert set(yard.files()) == {"out/sub/a.psd", "out/sub/a.png"}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_full_disk_gives_the_originals_back(tmp_path: Path, number: int) -> None:
    """It is not the photo's fault: `once` puts it back, spends no attempt and says why."""
    yard = Yard(tmp_path)
    yard.drop({"a.jpg": b"one"})
    do = next(key for key in yard.functions if key.__name__ == "do")
    copy_do = yard.functions[do]

    def full(_: Any) -> Any:
        raise OSError(number, os.strerror(number))

    yard.functions[do] = full
    summary = yard.once()
    assert (summary.delivered, summary.failed, summary.left) == (0, 0, 1)
    assert yard.files() == {"in/a.jpg": b"one"}
    assert os.strerror(number) in yard.told("held")[-1].values["why"]
    yard.functions[do] = copy_do
    assert yard.once().delivered == 1


def test_a_failing_photo_does_not_stop_the_next(tmp_path: Path) -> None:
    """Good ones among bad ones are all delivered."""
    yard = Yard(tmp_path)
    yard.drop({f"{number}.jpg": b"bad" if number % 3 else b"good" for number in range(12)})
    summary = yard.once()
    assert (summary.delivered, summary.failed) == (4, 8)


def test_a_trouble_that_may_pass_is_tried_again(tmp_path: Path) -> None:
    """Three attempts, each counted, then failed/."""
    from mattebox.core.errors import InferenceError

    yard = Yard(tmp_path)
    yard.drop({"a.jpg": b"one"})
    do = next(key for key in yard.functions if key.__name__ == "do")

    def broken(_: Any) -> Trouble:
        raise InferenceError("The network failed on this photo.")

    yard.functions[do] = broken
    assert yard.once().failed == 1
    assert len(yard.told("retry")) == 2
    assert json.loads(yard.files("failed")["a.jpg.reason.json"])["attempts"] == 3


def test_folders_take_what_they_do_not_say_from_the_defaults(tmp_path: Path) -> None:
    """Every key of a folder but its own name, place and rules may stand in defaults; its own word wins."""
    from mattebox.daemon.config.keys import FolderKeys
    from mattebox.daemon.config.load import load_config

    text = CONFIG.replace("    settle: 10ms\n", "").replace("    failed: ./failed\n", "")
    text += (
        "defaults: {settle: 5ms, recursive: false, mode: poll, ignore: ['*.bak'], failed: ./broken,"
        " done: ./elsewhere, attempts: 7, deduplicate: true, originals: keep, poll: 3s, rescan: 9s,"
        " patience: 4s}\n"
    )
    yard = Yard(tmp_path, text)
    (folder,) = load_config(yard.config).config.folders
    assert {key: getattr(folder, key) for key in FolderKeys.model_fields} == {
        "settle": 0.005, "recursive": False, "mode": "poll", "ignore": ["*.bak"], "attempts": 7,
        "failed": tmp_path / "broken", "done": tmp_path / "done", "deduplicate": True,
        "originals": "keep", "poll": 3.0, "rescan": 1.0, "patience": 4.0,
    }  # fmt: skip


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
