"""Reviews: a doubtful cutout waits for a person, whose answer is carried out and nothing else."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.daemon.hot_folders import CONFIG, HotFolders

from mattebox.daemon.delivery.deliver import Delivery
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


def test_what_a_person_saved_into_a_review_stays_beside_the_photo(tmp_path: Path) -> None:
    """A retouched PSD in approved/ is an original: it moves to done/, byte for byte; ours go."""
    hot_folders = HotFolders(tmp_path, REVIEW)
    hot_folders.drop({"sub/a.jpg": b"doubt"})
    hot_folders.once()
    psd = next((tmp_path / "review" / "sub").glob("*.psd"))
    mine = answer_folder(tmp_path, "approved") / f"edit{psd.name.removeprefix('a')}".replace(
        ".psd", " retouched.psd"
    )
    mine.write_bytes(b"a person's layers")
    assert hot_folders.once().delivered == 1
    assert hot_folders.files("done") == {"sub/a.jpg": b"doubt", f"sub/{mine.name}": b"a person's layers"}
    assert hot_folders.files("review") == {}


def test_what_a_person_saved_over_a_review_stays_too(tmp_path: Path) -> None:
    """Our own PSD that was changed in its place, and approved by the command, is a person's."""
    hot_folders, psd = in_review(tmp_path)
    psd.write_bytes(b"changed in its place")
    journal = Journal(tmp_path / "state")
    (job,) = journal.jobs("review")
    decide(journal, job, approve=True)
    journal.close()
    assert hot_folders.once().delivered == 1
    assert hot_folders.files("done") == {"a.jpg": b"doubt", psd.name: b"changed in its place"}
    assert hot_folders.files("review") == {}


def test_what_a_person_dropped_to_reject_stays_beside_the_photo(tmp_path: Path) -> None:
    """Whatever is dropped into rejected/ ends in failed/ with the photo, unless we wrote it."""
    hot_folders, psd = in_review(tmp_path)
    note = answer_folder(tmp_path, "rejected") / f"why{psd.suffix}{psd.name.removeprefix('a')}.txt"
    note.write_bytes(b"the hair is wrong")
    assert hot_folders.once().failed == 1
    assert set(hot_folders.files("failed")) == {"a.jpg", "a.jpg.reason.json", note.name}
    assert hot_folders.files("failed")[note.name] == b"the hair is wrong"
    assert hot_folders.files("review") == {}


@pytest.mark.parametrize("newest", ["approved", "rejected"])
def test_the_newest_of_two_files_decides(tmp_path: Path, newest: str) -> None:
    """The other one is told of, and kept as well; a preview that went along decides nothing."""
    hot_folders, psd = in_review(tmp_path)
    for age, name in enumerate(("approved", "rejected")):
        file = answer_folder(tmp_path, name) / psd.name.replace(".psd", f" {name}.psd")
        file.write_bytes(name.encode())
        os.utime(file, (1000 + age, 1000 + age))
    winner = next((tmp_path / "review" / newest).iterdir())
    os.utime(winner, (2000, 2000))
    preview = next((tmp_path / "review").glob("*.png"))
    preview.rename(tmp_path / "review" / "approved" / preview.name)
    summary = hot_folders.once()
    assert (summary.delivered, summary.failed) == ((1, 0) if newest == "approved" else (0, 1))
    files = hot_folders.files("done" if newest == "approved" else "failed")
    assert {b"approved", b"rejected"} < set(files.values())
    assert hot_folders.files("review") == {}
    told = {
        event.values["file"].rpartition("/")[2] for event in hot_folders.events_named("review-passed-over")
    }
    other = "rejected" if newest == "approved" else "approved"
    assert told == {psd.name.replace(".psd", f" {other}.psd"), preview.name}


def test_a_reason_with_a_persons_notes_stays_when_the_photo_is_tried_again(tmp_path: Path) -> None:
    """Retry takes away the reason file that we wrote, and no other."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"bad", "b.jpg": b"bad"})
    hot_folders.once()
    reason = tmp_path / "failed" / "a.jpg.reason.json"
    reason.write_text("called the client\n", encoding="utf-8")
    journal = Journal(tmp_path / "state")
    for job in journal.jobs("failed"):
        Delivery(journal).return_original(job)
    journal.close()
    assert hot_folders.files() == {
        "in/a.jpg": b"bad", "in/b.jpg": b"bad", "failed/a.jpg.reason.json": b"called the client\n"
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("outcome", ["approved", "rejected"])
def test_a_decision_outlives_a_lost_state_folder(tmp_path: Path, outcome: str) -> None:
    """A person's file of a job that no journal knows is told of, and counts for the photo's new review."""
    hot_folders = HotFolders(tmp_path, REVIEW)
    hot_folders.drop({"sub/a.jpg": b"doubt", "b.jpg": b"doubt b"})
    hot_folders.once()
    shutil.rmtree(tmp_path / "state")
    folder = tmp_path / "review" / outcome
    folder.mkdir()
    (old,) = (tmp_path / "review" / "sub").glob("a.*.psd")
    mine = folder / old.name.replace(".psd", " mine.psd")
    old.rename(mine)
    mine.write_bytes(b"my mask")
    hot_folders.events.clear()
    hot_folders.once()
    told = {
        (event.values["file"], event.values["decision"])
        for event in hot_folders.events_named("review-unknown")
    }
    assert (str(mine), True) in told
    assert len(told) == 2
    hot_folders.once()
    place = "done/sub" if outcome == "approved" else "failed/sub"
    assert hot_folders.files(place)["a.jpg"] == b"doubt"
    assert b"my mask" in hot_folders.files(place).values()
    assert ("sub/a.png" in hot_folders.files("out")) == (outcome == "approved")
    assert "b.png" not in hot_folders.files("out")


def test_a_decision_for_nobody_stays(tmp_path: Path) -> None:
    """A file whose number and name fit no review is told of once and stays where it is."""
    hot_folders = HotFolders(tmp_path, REVIEW)
    hot_folders.drop({"a.jpg": b"doubt"})
    (tmp_path / "review" / "approved").mkdir(parents=True)
    (tmp_path / "review" / "approved" / "z.0123456789.psd").write_bytes(b"whose?")
    hot_folders.once()
    hot_folders.once()
    assert hot_folders.files("review/approved") == {"z.0123456789.psd": b"whose?"}
    assert not hot_folders.files("done")
