"""Claim: a file becomes a job, noted in the journal first, then moved into the working folder."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from mattebox.core.publish import sync_folder
from mattebox.daemon.journal.identity import identity
from mattebox.daemon.journal.plan import WORK_FOLDER
from mattebox.daemon.journal.rows import JobRow, new_id
from mattebox.daemon.journal.steps import step

if TYPE_CHECKING:
    from mattebox.daemon.journal.identity import Identity
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.plan import Plan
    from mattebox.daemon.journal.states import State


def claim(journal: Journal, folder: str, found: Identity, plan: Plan) -> JobRow | None:
    """Take a file: a row first, then a rename into the working folder. None where it is gone.

    Raises OSError where the watched folder refuses.
    """
    job_id = new_id()
    work = plan.source if plan.keep else plan.watch / WORK_FOLDER / job_id / plan.name
    state: State = "claimed" if plan.keep else "claiming"
    job = JobRow(job_id, folder, work, found, state, "deliver", 0, plan, None, None, time.time())
    with journal.transaction():
        journal.add(job)
        journal.files.forget_aborted_inspections(folder, found)
    step("claim written")
    return job if plan.keep else _rename(journal, job)


def finish_claim(journal: Journal, job: JobRow) -> JobRow | None:
    """What a job in the state claiming, found in the journal, comes to: claimed, or None and dropped."""
    if os.path.lexists(job.work):
        return _claimed(journal, job)
    _drop(journal, job)
    return None


def remove_work_folder(job: JobRow) -> None:
    """Remove the folders that a claim made, as far as they are empty."""
    if not job.plan.keep:
        with contextlib.suppress(OSError):
            job.work.parent.rmdir()
        with contextlib.suppress(OSError):
            job.work.parent.parent.rmdir()


def _rename(journal: Journal, job: JobRow) -> JobRow | None:
    """Bring a claimed original into the working folder, or drop the claim."""
    try:
        # Not with parents: a share that was unmounted just now is never made anew.
        job.work.parent.parent.mkdir(exist_ok=True, mode=0o700)
        job.work.parent.mkdir(exist_ok=True, mode=0o700)
        step("working folder made")
        if identity(job.plan.source) is not None and not os.path.lexists(job.work):
            job.plan.source.rename(job.work)
            step("original claimed")
            sync_folder(job.work.parent)
    except OSError as error:
        if not os.path.lexists(job.work):
            _drop(journal, job)
            if isinstance(error, FileNotFoundError):
                return None
            raise
    return _claimed(journal, job)


def _claimed(journal: Journal, job: JobRow) -> JobRow | None:
    found = identity(job.work)
    if found is None:
        _drop(journal, job)
        return None
    with journal.transaction():
        job = journal.change(job.id, state="claimed", identity=found)
    step("claim done")
    return job


def _drop(journal: Journal, job: JobRow) -> None:
    remove_work_folder(job)
    with journal.transaction():
        journal.drop(job.id)
    step("claim dropped")
