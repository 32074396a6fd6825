"""Companions on their way: beside the original's new name, back with it, or after it when they come late.

Each is placed as an original is: journalled, by a link or a proven copy, never over another file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mattebox.core.names import fit, split
from mattebox.core.publish import stage_name
from mattebox.daemon.config.companions import renamed
from mattebox.daemon.delivery.keepsakes import OwnFiles
from mattebox.daemon.delivery.labels import KIND as LABEL
from mattebox.daemon.delivery.labels import is_labelled_copy, label_of_job, merging
from mattebox.daemon.delivery.place import move
from mattebox.daemon.journal.identity import content_hash, identity, is_there
from mattebox.daemon.journal.rows import Placement
from mattebox.daemon.journal.steps import step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.rows import JobRow

KIND: Final = "companion"
RETURN: Final = "companion-return"


def move_along(journal: Journal, job: JobRow, final: Path) -> None:
    """Bring what was claimed with an original beside its new name `final`. Raises OSError, WriteError."""
    for source in _in_work(job):
        _move(journal, job, KIND, source, beside(job.plan.name, source.name, final))
    step("companions moved")


def bring_back(journal: Journal, job: JobRow, final: Path) -> None:
    """Bring a job's companions back to the watched folder, beside `final`, where its original is again.

    Raises OSError, WriteError.
    """
    ours = OwnFiles(journal, job.id, LABEL)
    changed = [item.final for item in journal.placements(job.id, LABEL) if item.final is not None]
    moved = {item.source: item.final for item in journal.placements(job.id, KIND) if item.state == "placed"}
    original = _original(journal, job)
    for source in (*moved.values(), *(path for path in changed if not ours.wrote(path))):
        if source is not None:
            was = job.plan.name if original is None else original.name
            _move(journal, job, RETURN, source, beside(was, source.name, final))
    for source in _in_work(job):
        if source not in moved:
            _move(journal, job, RETURN, source, beside(job.plan.name, source.name, final))
    step("companions brought back")


def follow(journal: Journal, job: JobRow, source: Path) -> Path | None:
    """Bring a companion that came late after its original; where it is now.

    None where the original is not there: a person took it on, or it never left. Raises OSError, WriteError.
    """
    original = _original(journal, job)
    if original is None or identity(original) is None:
        return None
    target = beside(job.plan.name, source.name, original)
    ours = OwnFiles(journal, job.id, LABEL)
    if is_there(target) and ours.wrote(target) and label_of_job(job) is not None:
        # The label goes into theirs.
        target.unlink()
        step("sidecar removed")
    return _move(journal, job, KIND, source, target)


def beside(photo: str, name: str, final: Path) -> Path:
    """Where the companion `name` of `photo` lies once the photo is `final`."""
    stem, ending = split(renamed(name, photo, final.name))
    return final.with_name(fit(stem, ending))


def _original(journal: Journal, job: JobRow) -> Path | None:
    moved = journal.placements(job.id, "original")
    return moved[0].final if moved and moved[0].state == "placed" else None


def _in_work(job: JobRow) -> Iterator[Path]:
    if not job.plan.keep:
        yield from (job.work.with_name(name) for name in job.plan.companions)


def _move(journal: Journal, job: JobRow, kind: str, source: Path, target: Path) -> Path | None:
    """Move one companion, or finish what a stopped run began; None where there is none any more."""
    known = journal.placements(job.id, kind)
    copy = merging(label_of_job(job), source) if kind == KIND else None
    for item in known:
        if item.source != source:
            continue
        if item.state != "placed":
            places = (source, item.staged, item.final or source)
            return move(journal, item, source, copy) if any(is_there(path) for path in places) else None
        if item.staged != source:
            item.staged.unlink(missing_ok=True)
        if _is_left_over(source, item.final):
            source.unlink()
            step("companion left its old place")
    if identity(source) is None:
        return None
    staged = source if copy is None else stage_name(target)
    item = Placement(job.id, kind, len(known), staged, target, source=source)
    if copy is not None:
        with journal.transaction():
            journal.save(item)
        step("companion planned")
    return move(journal, item, source, copy)


def _is_left_over(source: Path, final: Path | None) -> bool:
    """Whether a stopped run has moved this file, and only its old name is left."""
    if final is None or identity(source) is None or identity(final) is None:
        return False
    same = source.samefile(final) or content_hash(source) == content_hash(final)
    return same or is_labelled_copy(source, final)
