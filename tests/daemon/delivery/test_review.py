"""Reviews: a doubtful cutout waits for a person, whose answer is carried out and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.daemon.hot_folders import CONFIG, HotFolders

from mattebox.daemon.delivery.review import decide
from mattebox.daemon.journal.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

REVIEW = CONFIG.replace("        deliver", "        review: {below: 0.5, to: ./review}\n        deliver")


def in_review(tmp_path: Path) -> tuple[HotFolders, Path]:
    """Hot folders whose only photo is in doubt, and the PSD that waits for a person."""
    hot_folders = HotFolders(tmp_path, REVIEW)
    hot_folders.drop({"a.jpg": b"doubt"})
    hot_folders.once()
    return hot_folders, next((tmp_path / "review").glob("*.psd"))


def answer_folder(tmp_path: Path, name: str) -> Path:
    """The folder of reviews that a person has made for an answer."""
    folder = tmp_path / "review" / name
    folder.mkdir()
    return folder


def test_a_review_that_is_approved_is_delivered(tmp_path: Path) -> None:
    """A doubtful cutout waits as a PSD; dropped into approved/ it is delivered and its files go."""
    hot_folders = HotFolders(tmp_path, REVIEW)
    hot_folders.drop({"sub/a.jpg": b"doubt", "b.jpg": b"sure"})
    assert hot_folders.once().delivered == 1
    assert set(hot_folders.files("out")) == {"b.psd", "b.png"}
    names = sorted(hot_folders.files("review"))
    assert [name.split(".")[0] for name in names] == ["sub/a", "sub/a"]
    psd = tmp_path / "review" / next(name for name in names if name.endswith(".psd"))
    psd.rename(answer_folder(tmp_path, "approved") / psd.name.replace(".psd", " copy.psd"))
    assert hot_folders.once().delivered == 1
    assert hot_folders.files() == {
        "done/b.jpg": b"sure",
        "done/sub/a.jpg": b"doubt",
        "out/b.png": b"png:sure",
        "out/b.psd": b"psd:sure",
        "out/sub/a.png": b"png:doubt",
        "out/sub/a.psd": b"psd:doubt",
    }


def test_a_review_that_is_rejected_fails(tmp_path: Path) -> None:
    """The original goes to failed/ with that reason and the review's files go."""
    hot_folders, psd = in_review(tmp_path)
    psd.rename(answer_folder(tmp_path, "rejected") / psd.name)
    assert hot_folders.once().failed == 1
    assert set(hot_folders.files()) == {"failed/a.jpg", "failed/a.jpg.reason.json"}
    assert "rejected" in json.loads(hot_folders.files("failed")["a.jpg.reason.json"])["what"]


def test_an_approval_without_a_mask_leaves_the_review_open(tmp_path: Path) -> None:
    """A PSD that holds no matte is refused with a sentence; nothing is lost and nothing delivered."""
    hot_folders, psd = in_review(tmp_path)
    approved = answer_folder(tmp_path, "approved")
    psd.unlink()
    (approved / psd.name).write_bytes(b"no mask")
    assert hot_folders.once().delivered == 0
    assert "no layer of this PSD" in hot_folders.events_named("review-refused")[0].values["why"]
    (approved / psd.name).write_bytes(b"a mask")
    assert hot_folders.once().delivered == 1
    assert hot_folders.files("review") == {}


def test_an_approval_overwrites_no_file_of_a_person(tmp_path: Path) -> None:
    """Where a PSD of that name lies in approved/ already, the review's gets a number and both stay."""
    hot_folders, psd = in_review(tmp_path)
    mine = answer_folder(tmp_path, "approved") / psd.name
    mine.write_bytes(b"a person's")
    journal = Journal(tmp_path / "state")
    (job,) = journal.jobs("review")
    moved = decide(journal, job, approve=True)
    journal.close()
    assert mine.read_bytes() == b"a person's"
    assert moved.read_bytes() == b"psd:doubt"
    assert moved.parent == mine.parent
    assert hot_folders.once().delivered == 1
