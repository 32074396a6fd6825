"""One attempt at a job on a worker: a marker on the storage that all see, a time limit, an answer."""

from __future__ import annotations

import contextlib
import faulthandler
import os
from typing import TYPE_CHECKING, Any, Final

from mattebox.daemon.errors import NOT_BEGUN, Failure
from mattebox.daemon.guard import ENVIRONMENT
from mattebox.daemon.journal.markers import attempt_marker
from mattebox.daemon.work.cluster.paths import PathMap
from mattebox.daemon.work.cluster.wire import packed_answer, unpacked_task
from mattebox.daemon.work.workers import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mattebox.core.job_report import JobReport
    from mattebox.daemon.work.tasks import JobTask

# What faulthandler writes first when the time is over.
_TIMEOUT: Final = b"Timeout ("
# How a worker says that it does not see the storage; it gets no work until a handshake succeeds again.
NO_STORAGE: Final = "storage"


class _Worker:
    """What this process was started with, and the marker of what it is at."""

    paths = PathMap()
    marker: Path | None = None


def this_machine(paths: PathMap) -> None:
    """Set how this process calls the daemon's folders."""
    _Worker.paths = paths


def paths_here() -> PathMap:
    """How this process calls the daemon's folders."""
    return _Worker.paths


def give_up() -> None:
    """End the attempt that this process is at without blame: the process is about to end on purpose."""
    if _Worker.marker is not None:
        with contextlib.suppress(OSError):
            _Worker.marker.unlink(missing_ok=True)


def attempt(function: Callable[[JobTask], JobReport], data: dict[str, Any], timeout: float) -> dict[str, Any]:
    """Do a packed task within `timeout` seconds, or end this process; a packed answer.

    The marker stands beside the staged files while the work lasts, so that whoever finds this process dead
    knows whether the job had begun and whether its time was over. Where it was taken away meanwhile, the
    daemon has given this attempt up: what was staged is thrown away.
    """
    try:
        task = unpacked_task(data, _Worker.paths)
    except ValueError:
        # Another version's settings, or a name that cannot be one here: the next worker may know better.
        what = f"{data['source']}: this job cannot be understood on the worker."
        return {"failure": {"what": what, "kind": NO_STORAGE, "retry": True, "hold": True, "step": "work"}}
    marker = attempt_marker(task.job.outputs[0].staged)
    try:
        handle = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return packed_answer(Failure("This attempt has begun on another worker.", "crash", True), data, task)
    except OSError:
        return packed_answer(_no_storage(marker.parent), data, task)
    try:
        _Worker.marker = marker
        os.fsync(handle)
        with _time_limit(timeout, handle):
            answer = guarded(function, task)
        if isinstance(answer, Failure) and not _sees(task):
            answer = _no_storage(task.job.source)
        if not _is_there(marker):
            task.job.discard()
            answer = Failure("This attempt was given up meanwhile.", NOT_BEGUN, True, True)
        return packed_answer(answer, data, task)
    finally:
        os.close(handle)
        _Worker.marker = None
        with contextlib.suppress(OSError):
            marker.unlink(missing_ok=True)


def how_it_ended(marker: Path, timeout: float, *, silent: bool = False) -> Failure:
    """What a worker's death means for the job that it had, as its marker tells. silent: it may live."""
    try:
        said = marker.read_bytes()[: len(_TIMEOUT)]
    except OSError:
        return Failure("Its worker went away before it had begun.", NOT_BEGUN, True, True)
    if silent or said == _TIMEOUT:
        return Failure(f"It took longer than {timeout:g} seconds and was stopped.", "timeout", retry=True)
    return Failure("The worker process ended while it worked on it.", "crash", retry=True)


@contextlib.contextmanager
def _time_limit(seconds: float, handle: int) -> Iterator[None]:
    """End this process after so many seconds: a thread of C does it, whatever Python is held by."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=handle)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _sees(task: JobTask) -> bool:
    """Whether this machine sees the original and the folders of the outputs."""
    places = [task.job.source, *(item.staged.parent for item in task.job.outputs)]
    try:
        for place in places:
            place.stat()
    except OSError:
        return False
    return True


def _no_storage(place: Path) -> Failure:
    return Failure(f"{place}: the worker does not see it.", NO_STORAGE, True, True)


def _is_there(marker: Path) -> bool:
    """Whether a marker is still there; opened, for a share may remember names that are gone."""
    try:
        os.close(os.open(marker, os.O_RDONLY))
    except FileNotFoundError:
        return False
    except OSError as error:
        return error.errno in ENVIRONMENT
    return True
