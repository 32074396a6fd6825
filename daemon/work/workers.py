"""Workers: processes that do jobs, and that may die, hang or run out of memory without harm."""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from pebble import ProcessExpired, ProcessPool

from mattebox.core.errors import MatteboxError, reason_of
from mattebox.daemon.errors import Failure
from mattebox.daemon.guard import ENVIRONMENT, has_errno

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mattebox.core.settings import CutSettings
    from mattebox.daemon.inbox import Inbox

# How native code says that memory ended: C++, onnxruntime, OpenCV.
_NO_MEMORY: Final = ("bad_alloc", "bad allocation", "Failed to allocate", "Insufficient memory")


@dataclass(frozen=True, slots=True)
class TaskResult:
    """A finished task: its token, and its value or its failure."""

    token: Any
    value: Any = None
    failure: Failure | None = None


class WorkerSettings(NamedTuple):
    """How each worker begins: its network's threads and device, its most bytes, what it loads at once."""

    threads: int
    device: str
    memory: int | None = None
    cut: CutSettings | None = None


class Pool(Protocol):
    """Who does tasks; results arrive in a queue, in any order."""

    def submit(self, token: Any, function: Callable[[Any], Any], argument: Any, timeout: float) -> None:
        """Do `function(argument)`; a TaskResult with `token` will arrive."""

    def start(self) -> None:
        """Work is near: get ready for it."""

    def stop(self) -> None:
        """End at once; running tasks are given up and report nothing."""


@dataclass(frozen=True, slots=True)
class RunningPool:
    """The workers of one run, how many tasks they are given at a time, and what each of them does."""

    pool: Pool
    max_tasks: int | Callable[[], int]
    now: Callable[[], list[dict[str, Any]]] = list

    def room(self) -> int:
        """How many tasks they are given at a time just now: a cluster's workers come and go."""
        return self.max_tasks() if callable(self.max_tasks) else self.max_tasks


class Workers:
    """A pool of processes."""

    def __init__(
        self,
        results: Inbox,
        *,
        workers: int,
        threads: int,
        device: str,
        memory: int | None = None,
        cut: CutSettings | None = None,
    ) -> None:
        """`threads` is how many each worker's network may use on `device`, `memory` its most bytes.

        cut: settings whose network a worker loads before its first task.
        """
        self._results = results
        self._settings = (workers, WorkerSettings(threads, device, memory, cut))
        self._stopping = False
        self._broken = False
        self._pool = _pool(*self._settings)
        self._futures: dict[Any, Any] = {}

    def submit(self, token: Any, function: Callable[[Any], Any], argument: Any, timeout: float) -> None:
        """Do `function(argument)` in a worker within `timeout` seconds. Raises OSError."""
        if self._broken:
            # Pebble gives a pool up when its channel stays locked, on a machine far too busy for instance.
            self._end_pool()
            self._broken = False
            self._pool = _pool(*self._settings)
        with self._started():
            future = self._pool.schedule(guarded, args=(function, argument), timeout=timeout)
        self._futures[token] = future
        future.add_done_callback(lambda ended: self._deliver(token, ended, timeout))

    def cancel(self, token: Any) -> None:
        """Give a task up: it does not begin, or its worker is killed; nothing is told of it."""
        future = self._futures.get(token)
        if future is not None:
            future.cancel()

    def start(self) -> None:
        """Start the processes, which otherwise begin with the first task. Raises OSError."""
        with self._started():
            if not self._pool.active:
                self._broken = True

    @contextlib.contextmanager
    def _started(self) -> Iterator[None]:
        """Threads and processes that the system refuses are a refusal like any other."""
        try:
            yield
        except RuntimeError as error:
            self._broken = True
            raise OSError(errno.EAGAIN, "the workers cannot be started") from error

    def stop(self) -> None:
        """Kill the workers; what they were at is not told as a failure of theirs."""
        self._stopping = True
        self._end_pool()

    def _end_pool(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]  # pebble is partly typed
        self._pool.join()

    def _deliver(self, token: Any, future: Any, timeout: float) -> None:
        self._futures.pop(token, None)
        try:
            value = future.result()
        except CancelledError:
            return
        except BrokenProcessPool:
            self._broken = True
            failure = Failure("The workers had to be started again.", "pool", retry=True, hold=True)
        except TimeoutError:
            failure = Failure(
                f"It took longer than {timeout:g} seconds and was stopped.", "timeout", retry=True
            )
        except ProcessExpired as error:
            failure = Failure(
                f"The worker process ended while it worked on it ({_ending(error)}).", "crash", True
            )
        except Exception as error:  # noqa: BLE001 - whatever a worker could not say itself
            failure = Failure(f"The worker failed ({type(error).__name__}).", "crash", retry=True)
        else:
            ok = not isinstance(value, Failure)
            self._results.put(TaskResult(token, value if ok else None, None if ok else value))
            return
        if not self._stopping:
            self._results.put(TaskResult(token, failure=failure))


def _pool(workers: int, settings: WorkerSettings) -> ProcessPool:
    # Spawned, not forked: a fork of a process with threads (events, this pool) may lock up.
    return ProcessPool(
        max_workers=workers,
        initializer=prepare,
        initargs=(settings,),
        context=multiprocessing.get_context("spawn"),
    )


def _ending(error: Any) -> str:
    code = getattr(error, "exitcode", None)
    if isinstance(code, int) and code < 0:
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-code).name}"
    return f"exit status {code}"


def guarded(function: Callable[[Any], Any], argument: Any) -> Any:
    """Any exception as a Failure: an exception's cause would not survive the way between processes."""
    try:
        return function(argument)
    except MatteboxError as error:
        short, held = _is_memory(error), _is_environment(error)
        kind = "NotEnoughMemoryError" if short else type(error).__name__
        return Failure(str(error), kind, error.can_retry or short, held and not short, error.step or "work")
    except OSError as error:
        return Failure(_of_system(error), type(error).__name__, retry=True, hold=error.errno in ENVIRONMENT)
    except Exception as error:  # noqa: BLE001 - a photo must never stop the daemon
        if _is_memory(error):
            return Failure("There was not enough memory for it.", "NotEnoughMemoryError", retry=True)
        return Failure(
            f"Mattebox met an error that it does not know ({type(error).__name__}).",
            type(error).__name__,
            retry=True,
        )


def _of_system(error: OSError) -> str:
    """What the system refused, and to which file."""
    name = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return f"{name}{reason_of(error)}."


def _is_memory(error: BaseException | None) -> bool:
    """Whether memory ended, in Python or, by its words, in native code."""
    while error is not None:
        if isinstance(error, MemoryError) or any(word in str(error) for word in _NO_MEMORY):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_environment(error: BaseException | None) -> bool:
    return has_errno(error, ENVIRONMENT)


def prepare(settings: WorkerSettings) -> None:
    """Make a fresh worker: it ends with its parent, and leaves signals to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The kernel's choice when memory ends shall be a worker, which costs one attempt, not the daemon.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123 - no path of ours
        file.write("500")
    end_with_parent()
    if settings.memory is not None:
        _limit_memory(settings.memory)
    from mattebox.core.job import prepare_process, process_engine  # noqa: PLC0415 - in the worker alone

    prepare_process(settings.threads, settings.device)
    if settings.cut is not None:
        # What keeps a network from loading is told by the first job that needs it.
        with contextlib.suppress(MatteboxError, MemoryError):
            process_engine().segmenter(settings.cut)


def end_with_parent() -> None:
    """Let this process, which another one has spawned, end when that one does."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
        if sys.platform == "linux":
            _die_with_parent()
            if os.getppid() != parent.pid:
                os._exit(1)


def _limit_memory(most: int) -> None:
    """No allocation goes beyond `most` bytes of private memory, on Linux.

    RLIMIT_DATA, not RLIMIT_AS: weights and libraries that are mapped from disk can be read anew at any
    time and do not count, nor do addresses that are merely reserved. A control group would count every
    page but needs rights that a user's daemon may not have, and it kills where this lets the photo fail
    with a sentence.
    """
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - no other platform keeps to it

        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _die_with_parent() -> None:
    """Ask Linux for a SIGKILL when the parent ends: native code that hangs cannot be asked otherwise."""
    import ctypes  # noqa: PLC0415 - Linux alone

    set_parent_death_signal = 1
    ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL)
