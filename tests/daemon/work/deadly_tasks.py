"""Work for real worker processes: bytes are copied, and some bytes kill the process that reads them."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from tests.daemon.hot_folders import copy_do, copy_look

from mattebox.daemon.journal.markers import marked

if TYPE_CHECKING:
    from mattebox.core.job import JobReport
    from mattebox.daemon.intake.inspection import Glance, Look
    from mattebox.daemon.work.tasks import Work


def deadly_do(work: Work) -> JobReport:
    """As copy_do, but a deadly photo ends the process in the middle of the work."""
    with marked(work.mark):
        if work.job.source.read_bytes().startswith(b"deadly work"):
            os.kill(os.getpid(), signal.SIGKILL)
        return copy_do(work)


def fatal_do(work: Work) -> JobReport:
    """As copy_do, but a fatal photo takes the daemon and this worker with it."""
    with marked(work.mark):
        if work.job.source.read_bytes().startswith(b"fatal work"):
            _fall()
        return copy_do(work)


def fatal_look(glance: Glance) -> Look:
    """As copy_look, but a fatal photo takes the daemon and this worker with it."""
    with marked(glance.mark):
        if glance.path.read_bytes().startswith(b"fatal look"):
            _fall()
        return copy_look(glance)


def _fall() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def deadly_look(glance: Glance) -> Look:
    """As copy_look, but a deadly photo ends the process as soon as it is decoded."""
    with marked(glance.mark):
        if glance.path.read_bytes().startswith(b"deadly look"):
            os.kill(os.getpid(), signal.SIGSEGV)
        return copy_look(glance)
