"""Claim: a file becomes a job, noted in the journal first, then moved into the working folder."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from mattebox.core.publish import sync_folder
from mattebox.daemon.journal.identity import identity, is_folder, is_there
from mattebox.daemon.journal.owner import RECORD, make_known, remove_empty
from mattebox.daemon.journal.plan import WORK_FOLDER
from mattebox.daemon.journal.rows import JobRow, new_id
from mattebox.daemon.journal.steps import step

if TYPE_CHECKING:
    from mattebox.daemon.journal.identity import Identity
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.plan import Plan
    from mattebox.daemon.journal.states import State


GONE: Final = "the watched folder is gone, or what of it is in work"


def claim(journal: Journal, folder: str, found: Identity, plan: Plan) -> JobRow | None:
    """Take a file: a row first, then a rename into the working folder. None where it is gone.

    Raises OSError where the watched folder refuses.
    """
    job_id = new_id()
    folder_of_it = journal.owner.folder(plan.watch) / job_id / plan.tree
    work = plan.source if plan.keep else folder_of_it / plan.name
    state: State = "claimed" if plan.keep else "claiming"
    job = JobRow(job_id, folder, work, found, state, "deliver", 0, plan, None, None, time.time())
    # Without its row the original goes back: what is in work and belongs to no journal counts as new.
    with journal.transaction(synced=False):
        journal.add(job)
        journal.files.forget_aborted_inspections(folder, found)
    step("claim written")
    return job if plan.keep else _rename(journal, job)


def finish_claim(journal: Journal, job: JobRow) -> JobRow | None:
    """What a job in the state claiming, found in the journal, comes to: claimed, or None and dropped."""
    if is_there(job.work):
        _take_companions(job)
        return _claimed(journal, job)
    _drop(journal, job)
    return None


def was_taken_away(job: JobRow) -> bool:
    """Whether somebody took a claimed original away; False where its watched folder is away as a whole.

    A share that was unmounted may leave a folder of the same name, which lies in its mount point: without
    the job's own folder, and without our record or on another device. Raises OSError.
    """
    if not is_folder(job.plan.watch):
        return False
    here = job.plan.keep or is_folder(job.work.parent) or _is_same(job)
    # The share may have come back between the questions.
    return here and not is_there(job.work)


def _is_same(job: JobRow) -> bool:
    watch = job.plan.watch
    owner = watch / WORK_FOLDER / job.work.relative_to(watch / WORK_FOLDER).parts[0]
    return watch.stat().st_dev == job.identity.device and is_there(owner / RECORD)


def remove_work_folder(job: JobRow) -> None:
    """Remove the folders that a claim made, as far as they are empty."""
    if not job.plan.keep:
        remove_empty(job.work.parent, job.plan.watch)


def _rename(journal: Journal, job: JobRow) -> JobRow | None:
    """Bring a claimed original into the working folder, or drop the claim."""
    try:
        make_known(journal.owner, job.plan.watch)
        step("owner noted")
        job.work.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        step("working folder made")
        if identity(job.plan.source) is not None and not is_there(job.work):
            job.plan.source.rename(job.work)
            step("original claimed")
            sync_folder(job.work.parent)
        _take_companions(job)
    except OSError as error:
        if not is_there(job.work):
            _drop(journal, job)
            if isinstance(error, FileNotFoundError):
                return None
            raise
    return _claimed(journal, job)


def _take_companions(job: JobRow) -> None:
    """Bring what belongs to a claimed original beside it; what refuses stays, and follows later."""
    if not is_there(job.work):
        return
    for name in job.plan.companions:
        source, taken = job.plan.source.with_name(name), job.work.with_name(name)
        with suppress(OSError):
            if identity(source) is not None and not is_there(taken):
                source.rename(taken)
                step("companion claimed")


def _claimed(journal: Journal, job: JobRow) -> JobRow | None:
    found = identity(job.work)
    if found is None:
        _drop(journal, job)
        return None
    with journal.transaction(synced=False):
        job = journal.change(job.id, state="claimed", identity=found)
    step("claim done")
    return job


def _drop(journal: Journal, job: JobRow) -> None:
    remove_work_folder(job)
    with journal.transaction():
        journal.drop(job.id)
    step("claim dropped")
