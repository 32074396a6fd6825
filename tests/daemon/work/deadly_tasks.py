"""Work for real worker processes: bytes are copied, and some bytes kill the process that reads them."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from tests.daemon.hot_folders import copy_inspection, copy_job

from mattebox.daemon.journal.markers import in_progress

if TYPE_CHECKING:
    from mattebox.core.job_report import JobReport
    from mattebox.daemon.intake.inspection import Inspection, InspectionTask
    from mattebox.daemon.work.tasks import JobTask


def deadly_job(work: JobTask) -> JobReport:
    """As copy_do, but a deadly photo ends the process in the middle of the work."""
    with in_progress(work.marker):
        if work.job.source.read_bytes().startswith(b"deadly work"):
            os.kill(os.getpid(), signal.SIGKILL)
        return copy_job(work)


def fatal_job(work: JobTask) -> JobReport:
    """As copy_do, but a fatal photo takes the daemon and this worker with it."""
    with in_progress(work.marker):
        if work.job.source.read_bytes().startswith(b"fatal work"):
            _fall()
        return copy_job(work)


def fatal_inspection(task: InspectionTask) -> Inspection:
    """As copy_look, but a fatal photo takes the daemon and this worker with it."""
    with in_progress(task.marker):
        if task.path.read_bytes().startswith(b"fatal look"):
            _fall()
        return copy_inspection(task)


def _fall() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def deadly_inspection(task: InspectionTask) -> Inspection:
    """As copy_look, but a deadly photo ends the process as soon as it is decoded."""
    with in_progress(task.marker):
        if task.path.read_bytes().startswith(b"deadly look"):
            os.kill(os.getpid(), signal.SIGSEGV)
        return copy_inspection(task)
