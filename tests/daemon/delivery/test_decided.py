"""What is decided at the light table is a mark until it is sent; then it is carried out once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.daemon.hot_folders import CONFIG, HotFolders

from mattebox.daemon.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REVIEW = CONFIG.replace("        deliver", "        review: {below: 0.5, to: ./review}\n        deliver")


class Rig:
    """Hot folders with three cutouts in review, and their journal."""

    def __init__(self, root: Path) -> None:
        self.hot_folders = HotFolders(root, REVIEW)
        self.hot_folders.drop({f"{name}.jpg": f"doubt {name}".encode() for name in "abc"})
        self.hot_folders.once()
        self.journal = Journal(root / "state", lock=False)
        self.ids = {job.plan.name[0]: job.id for job in self.journal.jobs("review")}

    def states(self) -> dict[str, str]:
        """The state of each job by its name."""
        return {name: self.journal.job(job).state for name, job in self.ids.items()}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Three cutouts in review."""
    made = Rig(tmp_path)
    yield made
    made.journal.close()


def test_a_mark_does_nothing_until_it_is_sent(rig: Rig) -> None:
    """Accepting and rejecting change no job; sending them has the next run deliver and fail."""
    decisions = rig.journal.decisions
    with rig.journal.transaction():
        decisions.decide([rig.ids["a"]], "accept")
        decisions.decide([rig.ids["b"]], "reject")
    rig.hot_folders.once()
    assert rig.states() == {"a": "review", "b": "review", "c": "review"}
    with rig.journal.transaction():
        assert sorted(decisions.send()) == sorted([rig.ids["a"], rig.ids["b"]])
    rig.hot_folders.once()
    assert rig.states() == {"a": "done", "b": "failed", "c": "review"}
    assert rig.hot_folders.files("out") == {"a.psd": b"psd:doubt a", "a.png": b"png:doubt a"}
    assert {name.partition(".")[0] for name in rig.hot_folders.files("review")} == {"c"}
    assert [item.sent for item in map(decisions.of, rig.ids.values()) if item is not None] == [2, 2]


def test_again_comes_back_undecided_with_other_settings(rig: Rig) -> None:
    """One that is asked for again is cut by the new settings and waits in review, in one set of files."""
    before = sorted(rig.hot_folders.files("review"))
    with rig.journal.transaction():
        rig.journal.decisions.decide([rig.ids["a"]], "again", settings={"quality": "best", "model": "isnet"})
    rig.hot_folders.once()
    job = rig.journal.job(rig.ids["a"])
    assert (job.state, job.plan.cut.quality, job.plan.cut.model) == ("review", "best", "isnet")
    assert rig.journal.decisions.of(job.id) is None
    assert sorted(rig.hot_folders.files("review")) == before


def test_again_keeps_what_a_person_saved_into_the_review(rig: Rig) -> None:
    """A PSD that a person changed stays, and the new one gets another name."""
    psd = next((rig.hot_folders.root / "review").glob("a.*.psd"))
    psd.write_bytes(b"hours of work")
    with rig.journal.transaction():
        rig.journal.decisions.decide([rig.ids["a"]], "again", settings={"quality": "fast"})
    rig.hot_folders.once()
    assert psd.read_bytes() == b"hours of work"
    assert len(list((rig.hot_folders.root / "review").glob("a.*.psd"))) == 2


def test_every_step_is_taken_back_in_its_order(rig: Rig) -> None:
    """Undo restores what was decided before, a run of photos in one step, until nothing is left."""
    decisions, ids = rig.journal.decisions, list(rig.ids.values())
    with rig.journal.transaction():
        decisions.decide(ids[:1], "accept")
        decisions.decide(ids, "reject")
        assert sorted(decisions.undo()) == sorted(ids)
    first, *rest = (decisions.of(job) for job in ids)
    assert first is not None
    assert first.verdict == "accept"
    assert rest == [None, None]
    with rig.journal.transaction():
        assert decisions.undo() == ids[:1]
        assert decisions.undo() == []
        assert decisions.send() == []


def test_what_was_carried_out_is_not_taken_back(rig: Rig) -> None:
    """Undo passes over what was delivered and takes back the last step before it."""
    decisions = rig.journal.decisions
    with rig.journal.transaction():
        decisions.decide([rig.ids["a"]], "accept")
        decisions.send()
        decisions.decide([rig.ids["b"]], "accept")
    rig.hot_folders.once()
    with rig.journal.transaction():
        assert decisions.undo() == [rig.ids["b"]]
        assert decisions.undo() == []
        decisions.decide([rig.ids["a"]], "reject")
    done = decisions.of(rig.ids["a"])
    assert done is not None
    assert (done.verdict, done.sent) == ("accept", 2)


def test_a_matte_without_use_opens_the_review_again(rig: Rig) -> None:
    """What cannot be used as a matte is told, and the photo waits undecided as before."""
    matte = rig.hot_folders.root / "state" / "matte.png"
    matte.write_bytes(b"no mask")
    with rig.journal.transaction():
        rig.journal.decisions.decide([rig.ids["a"]], "accept", matte=matte)
        rig.journal.decisions.send()
    rig.hot_folders.once()
    assert rig.states()["a"] == "review"
    assert rig.journal.decisions.of(rig.ids["a"]) is None
    assert rig.hot_folders.events_named("review-refused")


def test_what_a_person_drops_beside_goes_first(rig: Rig) -> None:
    """A PSD that was moved to rejected/ in the meantime decides, and nothing is done twice."""
    with rig.journal.transaction():
        rig.journal.decisions.decide([rig.ids["a"]], "accept")
        rig.journal.decisions.send()
    psd = next((rig.hot_folders.root / "review").glob("a.*.psd"))
    rejected = rig.hot_folders.root / "review" / "rejected"
    rejected.mkdir()
    psd.rename(rejected / psd.name)
    rig.hot_folders.once()
    assert rig.states()["a"] == "failed"
    assert rig.hot_folders.files("out") == {}


def test_the_overview_shows_jobs_and_decisions(rig: Rig) -> None:
    """Every job is there once with its confidence, and with what was decided of it."""
    with rig.journal.transaction():
        rig.journal.decisions.decide([rig.ids["b"]], "again", settings={"quality": "best"})
    seen = {item.source: item for item in rig.journal.overview()}
    assert sorted(seen) == ["a.jpg", "b.jpg", "c.jpg"]
    assert seen["a.jpg"].confidence == pytest.approx(0.1)
    assert (seen["a.jpg"].verdict, seen["b.jpg"].verdict) == ("", "again")
    assert seen["b.jpg"].settings == {"quality": "best"}
    assert "below 0.5" in seen["c.jpg"].why


def taken_back(hot_folders: HotFolders, name: str) -> str:
    """Deliver a photo, have a person take it back, and run once more; its job."""
    hot_folders.drop({name: b"sure"})
    hot_folders.once()
    journal = Journal(hot_folders.root / "state", lock=False)
    (job,) = journal.jobs("done")
    with journal.transaction():
        journal.decisions.decide([job.id], "back", settings={"quality": "best"})
    journal.close()
    return job.id


@pytest.mark.parametrize("keep", [False, True])
def test_what_was_delivered_is_taken_back_into_review(tmp_path: Path, *, keep: bool) -> None:
    """Our own outputs go, one that a person changed stays; the photo waits in review by the new settings."""
    text = REVIEW.replace("    settle", "    originals: keep\n    settle") if keep else REVIEW
    hot_folders = HotFolders(tmp_path, text)
    job_id = taken_back(hot_folders, "sub/a.jpg")
    (tmp_path / "out" / "sub" / "a.psd").write_bytes(b"hours of work")
    hot_folders.once()
    journal = Journal(tmp_path / "state", lock=False)
    job = journal.job(job_id)
    assert (job.state, job.phase, job.plan.cut.quality) == ("review", "review", "best")
    assert journal.decisions.of(job_id) is None
    assert hot_folders.files("out") == {"sub/a.psd": b"hours of work"}
    assert hot_folders.files("done") == {}
    assert job.work.read_bytes() == b"sure"
    assert (job.work == tmp_path / "in" / "sub" / "a.jpg") == keep
    assert (job.reason or {})["why"] == "it was taken back after its delivery"
    (told,) = hot_folders.events_named("taken-back")
    assert told.job == job_id
    with journal.transaction():
        journal.decisions.decide([job_id], "accept")
        journal.decisions.send()
    hot_folders.once()
    assert hot_folders.files("out") == {
        "sub/a.psd": b"hours of work",
        "sub/a-2.psd": b"psd:sure",
        "sub/a.png": b"png:sure",
    }
    assert journal.job(job_id).state == "done"
    journal.close()


def test_one_that_was_taken_back_can_be_rejected(tmp_path: Path) -> None:
    """It goes to failed/ with its reason like any other review, and nothing of it stays in done/."""
    hot_folders = HotFolders(tmp_path, REVIEW)
    job_id = taken_back(hot_folders, "a.jpg")
    hot_folders.once()
    journal = Journal(tmp_path / "state", lock=False)
    with journal.transaction():
        journal.decisions.decide([job_id], "reject")
        journal.decisions.send()
    journal.close()
    hot_folders.once()
    assert set(hot_folders.files("failed")) == {"a.jpg", "a.jpg.reason.json"}
    assert hot_folders.files("done") == hot_folders.files("out") == {}


@pytest.mark.parametrize("why", ["no review", "no original"])
def test_what_cannot_come_back_stays_as_it_was_delivered(tmp_path: Path, why: str) -> None:
    """Without a review in its rule, or with its original taken away, nothing of it changes."""
    hot_folders = HotFolders(tmp_path, CONFIG if why == "no review" else REVIEW)
    job_id = taken_back(hot_folders, "a.jpg")
    if why == "no original":
        (tmp_path / "done" / "a.jpg").unlink()
    hot_folders.once()
    journal = Journal(tmp_path / "state", lock=False)
    assert journal.job(job_id).state == "done"
    assert journal.decisions.of(job_id) is None
    journal.close()
    assert set(hot_folders.files("out")) == {"a.psd", "a.png"}
