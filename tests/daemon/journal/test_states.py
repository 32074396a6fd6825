"""The ways between a job's states are those that the daemon goes, and no others."""

from __future__ import annotations

import errno
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

import pytest
from tests.daemon.hot_folders import CONFIG, HotFolders, copy_job

from mattebox.core.errors import PhotoError
from mattebox.daemon.delivery.deliver import Delivery
from mattebox.daemon.journal import steps
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.journal.states import ENDED, FIRST, TRANSITIONS, State
from mattebox.daemon.work.tasks import do_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

REVIEW = CONFIG.replace("        deliver", "        review: {below: 0.5, to: ./review}\n        deliver")


@dataclass
class Ways:
    """What the journal has written: first states, and pairs of states."""

    first: set[State] = field(default_factory=set)
    pairs: set[tuple[State, State]] = field(default_factory=set)


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ways]:
    """Writes down each state that the real journal is told of."""
    seen = Ways()
    add, change = Journal.add, Journal.change

    def noted_add(journal: Journal, job: Any) -> None:
        seen.first.add(job.state)
        add(journal, job)

    def noted_change(journal: Journal, job_id: str, **values: Any) -> Any:
        if "state" in values:
            seen.pairs.add((journal.job(job_id).state, values["state"]))
        return change(journal, job_id, **values)

    monkeypatch.setattr(Journal, "add", noted_add)
    monkeypatch.setattr(Journal, "change", noted_change)
    yield seen
    steps.listen(None)


def retry(hot_folders: HotFolders) -> None:
    """Bring back what failed."""
    journal = Journal(hot_folders.root / "state")
    for job in journal.jobs("failed"):
        Delivery(journal).return_original(job)
    journal.close()


def answered(hot_folders: HotFolders, name: str, content: bytes) -> None:
    """A person drops the review's PSD into approved/ or rejected/, with other content."""
    psd = next((hot_folders.root / "review").rglob("*.psd"))
    target = hot_folders.root / "review" / name / psd.name
    target.parent.mkdir(exist_ok=True)
    psd.rename(target)
    target.write_bytes(content)


def at(boundary: str, work: Callable[[], object]) -> None:
    """Do something once, at the first boundary of that name."""
    left = [work]

    def heard(name: str) -> None:
        if name == boundary and left:
            left.pop()()

    steps.listen(heard)


def good_bad_and_kept(root: Path) -> None:
    """One photo is delivered, one stays in its place, one fails and is brought back."""
    hot_folders = HotFolders(root / "moved")
    hot_folders.drop({"a.jpg": b"one", "b.jpg": b"poison"})
    hot_folders.once()
    retry(hot_folders)
    kept = HotFolders(root / "kept", CONFIG.replace("    settle", "    originals: keep\n    settle"))
    kept.drop({"a.jpg": b"one", "b.jpg": b"bad"})
    kept.once()


def changed_late(root: Path) -> None:
    """A photo's writer goes on after its delivery."""
    hot_folders = HotFolders(root / "late")
    hot_folders.drop({"a.jpg": b"one"})
    hot_folders.once()
    with (hot_folders.root / "done" / "a.jpg").open("ab") as file:
        file.write(b" and more")
    hot_folders.once()


def twice_the_same(root: Path) -> None:
    """The second photo of one content is a duplicate."""
    hot_folders = HotFolders(root / "same", CONFIG.replace("    settle", "    deduplicate: true\n    settle"))
    hot_folders.drop({"a.jpg": b"same", "b.jpg": b"same"})
    hot_folders.once()


def reviewed(root: Path) -> None:
    """Photos in review are approved without a matte, then with one, and rejected."""
    hot_folders = HotFolders(root / "approved", REVIEW)
    hot_folders.drop({"a.jpg": b"doubt"})
    hot_folders.once()
    answered(hot_folders, "approved", b"no mask")
    hot_folders.once()
    answered(hot_folders, "approved", b"a mask")
    hot_folders.once()
    rejected = HotFolders(root / "rejected", REVIEW)
    rejected.drop({"a.jpg": b"doubt"})
    rejected.once()
    answered(rejected, "rejected", b"a mask")
    rejected.once()


def taken_back(root: Path) -> None:
    """A person wants a delivered photo back in review."""
    hot_folders = HotFolders(root, REVIEW)
    hot_folders.drop({"a.jpg": b"one"})
    hot_folders.once()
    journal = Journal(hot_folders.root / "state")
    with journal.transaction():
        journal.decisions.decide([job.id for job in journal.jobs("done")], "back")
    journal.close()
    hot_folders.once()


def taken_away(root: Path) -> None:
    """Somebody takes the original away before the work, and in it."""
    hot_folders = HotFolders(root / "before")
    hot_folders.drop({"a.jpg": b"one"})
    at("claim done", lambda: next((hot_folders.root / "in" / ".mattebox").rglob("a.jpg")).unlink())
    hot_folders.once()
    within = HotFolders(root / "within")

    def gone(work: Any) -> Any:
        work.job.source.unlink()
        raise PhotoError("a.jpg: it is gone.")

    within.functions[do_job] = gone
    within.drop({"a.jpg": b"one"})
    within.once()


def refused_by_disks(root: Path) -> None:
    """Outputs cannot be made, and staged files of a photo and of a review are lost once."""
    full = HotFolders(root / "full")

    def fill(_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    full.functions[do_job] = fill
    full.drop({"a.jpg": b"one"})
    full.once()
    for name, text in (("lost", CONFIG), ("lost-review", REVIEW)):
        hot_folders = HotFolders(root / name, text)
        hot_folders.functions[do_job] = copy_job
        hot_folders.drop({"a.jpg": b"doubt"})

        def lose(hot_folders: HotFolders = hot_folders) -> None:
            for folder in ("out", "review"):
                shutil.rmtree(hot_folders.root / folder, ignore_errors=True)

        at("staged", lose)
        hot_folders.once()


@pytest.mark.slow
def test_the_daemon_goes_these_ways_and_no_others(tmp_path: Path, ways: Ways) -> None:
    """Runs with every ending change states as the table says, and go each of its ways."""
    scenarios = (good_bad_and_kept, changed_late, twice_the_same, reviewed, taken_back, taken_away)
    for scenario in (*scenarios, refused_by_disks):
        scenario(tmp_path / scenario.__name__)
        steps.listen(None)
    assert ways.first == set(FIRST)
    assert ways.pairs == {(before, after) for before, rest in TRANSITIONS.items() for after in rest}


def test_every_state_has_its_ways() -> None:
    """Each state is reached; only a person and a late change lead out of those without anything left."""
    states = set(get_args(State))
    assert set(TRANSITIONS) == states
    assert {after for rest in TRANSITIONS.values() for after in rest} | set(FIRST) == states
    assert {state for state in ENDED if TRANSITIONS[state]} == {"done", "failed"}
    assert all(TRANSITIONS[state] for state in states - set(ENDED))
