"""Hot folders for tests: a configuration, and workers that copy bytes in this very process.

The files, the journal, the locks and the order of effects are the product's own; only the engine's work is
a copy, so that a thousand runs take seconds. Tests of the engine's work run the real one elsewhere.
"""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mattebox.core.errors import PhotoError
from mattebox.core.job_report import JobReport, WrittenOutput
from mattebox.core.photo import PhotoFacts
from mattebox.daemon.config.load import load_config
from mattebox.daemon.delivery.review import Reviews
from mattebox.daemon.errors import Failure
from mattebox.daemon.events import Event, Events
from mattebox.daemon.inbox import Stop
from mattebox.daemon.intake.inspection import Inspection, InspectionTask, inspect_file
from mattebox.daemon.journal import steps
from mattebox.daemon.journal.markers import in_progress
from mattebox.daemon.journal.owner import RECORD
from mattebox.daemon.journal.plan import WORK_FOLDER
from mattebox.daemon.periodic import review_task
from mattebox.daemon.run import RunningPool, Summary, run
from mattebox.daemon.serve import serve
from mattebox.daemon.work.tasks import JobTask, do_job
from mattebox.daemon.work.workers import TaskResult, guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mattebox.daemon.config.load import LoadedConfig
    from mattebox.daemon.inbox import Inbox

# An exit status that is no count of boundaries.
_BROKEN = 255

CONFIG = """\
version: 1
state: ./state
engine: {grace: 1s}
folders:
  - name: studio
    watch: ./in
    settle: 10ms
    rescan: 1s
    done: ./done
    failed: ./failed
    rules:
      - name: all
        deliver:
          - {format: psd, to: "./out/{tree}/{stem}.psd"}
          - {format: png, to: "./out/{tree}/{stem}.png"}
"""


def copy_inspection(task: InspectionTask) -> Inspection:
    """A header for every file, but for those that say in their bytes that they are none."""
    with in_progress(task.marker):
        data = task.path.read_bytes()
    if data.startswith(b"bad"):
        return Inspection(None, f"{task.path}: this is no photo.")
    if data.startswith(b"half"):
        return Inspection(None, f"{task.path}: this photo ends too early.", truncated=True)
    return Inspection(PhotoFacts("jpeg", 40, 30, "rgb", 8, has_alpha=False, has_icc=False))


def copy_job(work: JobTask) -> JobReport:
    """Each output is the input's bytes after the name of its format, synced as the engine's are."""
    with in_progress(work.marker):
        return _copied(work)


def _copied(work: JobTask) -> JobReport:
    data = work.job.source.read_bytes()
    if data.startswith((b"bad", b"half", b"poison")):
        raise PhotoError(f"{work.job.source}: this photo cannot be cut.")
    written = []
    for item in work.job.outputs:
        content = item.output.format.encode() + b":" + data
        with item.staged.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        digest = hashlib.sha256(content).hexdigest()
        written.append(
            WrittenOutput(os.fspath(item.staged), item.output.format, digest, len(content), 40, 30)
        )
    doubtful = data.startswith(b"doubt") and work.job.matte is None
    if work.job.matte is not None and work.job.matte.read_bytes() == b"no mask":
        raise PhotoError(f"{work.job.matte}: no layer of this PSD has a layer mask.")
    confidence = 0.1 if doubtful else 0.9
    return JobReport(os.fspath(work.job.source), tuple(written), "u2net", confidence, (), None, {"cut": 0.0})


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that others do."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def killed_at(number: int, work: Callable[[], object]) -> int | None:
    """None where a forked child was killed at its boundary `number` (from 0); else how many it passed."""
    child = os.fork()
    if child == 0:
        code = _BROKEN
        try:
            passed = 0

            def kill(_name: str) -> None:
                nonlocal passed
                if passed == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                passed += 1

            steps.listen(kill)
            work()
            code = min(passed, _BROKEN)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return None
    passed = os.waitstatus_to_exitcode(status)
    assert passed != _BROKEN, "the child failed, or passed more boundaries than an exit status can tell"
    return passed


@dataclass
class InlinePool:
    """Workers that work at once, here."""

    inbox: Inbox
    functions: dict[Any, Callable[[Any], Any]]

    def submit(self, token: Any, function: Callable[[Any], Any], argument: Any, timeout: float) -> None:
        """Do it now."""
        value = guarded(self.functions.get(function, function), argument)
        if isinstance(value, Failure):
            self.inbox.put(TaskResult(token, failure=value))
        else:
            self.inbox.put(TaskResult(token, value))

    def start(self) -> None:
        """It is always ready."""

    def stop(self) -> None:
        """Nothing runs."""


@dataclass
class HotFolders:
    """A folder with hot folders in it."""

    root: Path
    text: str = CONFIG
    events: list[Event] = field(default_factory=list)
    functions: dict[Any, Callable[[Any], Any]] = field(
        default_factory=lambda: {do_job: copy_job, inspect_file: copy_inspection}
    )
    loaded: LoadedConfig | None = None

    def __post_init__(self) -> None:
        """Write the configuration."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.config = self.root / "config.yaml"
        self.config.write_text(self.text, encoding="utf-8")
        (self.root / "in").mkdir(exist_ok=True)

    def drop(self, tree: dict[str, bytes]) -> None:
        """Put files into the watched folder."""
        for name, data in tree.items():
            path = self.root / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def once(self) -> Summary:
        """One run over all that waits, in this process."""
        events = Events(self.events.append)
        return run(
            self.loaded or load_config(self.config),
            events,
            once=True,
            periodic_tasks=[review_task(0.1, Reviews(settle=0.0))],
            start_pool=lambda inbox: RunningPool(InlinePool(inbox, self.functions), 4),
        )

    @contextmanager
    def watching(self) -> Iterator[None]:
        """The daemon at work in a thread; it is told to stop at the end."""
        boxes: list[Inbox] = []

        def start_pool(inbox: Inbox) -> RunningPool:
            boxes.append(inbox)
            return RunningPool(InlinePool(inbox, self.functions), 4)

        failures: list[BaseException] = []

        def work() -> None:
            try:
                serve(self.config, Events(self.events.append), start_pool=start_pool)
            except BaseException as error:  # noqa: BLE001 - raised again where the test sees it
                failures.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            until(lambda: bool(boxes) or bool(failures))
            yield
        finally:
            for box in boxes:
                box.put(Stop())
            thread.join(30)
        assert not thread.is_alive()
        assert not failures, failures

    def once_until(self, number: int) -> bool:
        """A run in a child that kills itself at its boundary `number` (from 0); whether it came to that."""
        return self.in_child_until(number, self.once)

    def in_child_until(self, number: int, work: Callable[[], object]) -> bool:
        """Any work in a child that kills itself at its boundary `number`; whether it came to that."""
        return killed_at(number, work) is None

    def boundaries(self) -> list[str]:
        """The boundaries that a run passes, by name, in order; the run is done."""
        names: list[str] = []
        steps.listen(names.append)
        try:
            self.once()
        finally:
            steps.listen(None)
        return names

    def files(self, below: str = "") -> dict[str, bytes]:
        """All files (but the journal's, and the record of whose work folders are) with their contents."""
        top = self.root / below
        return {
            path.relative_to(top).as_posix(): path.read_bytes()
            for path in sorted(top.rglob("*"))
            if path.is_file()
            and "state" not in path.relative_to(self.root).parts
            and path != self.config
            and not (path.name == RECORD and path.parent.parent.name == WORK_FOLDER)
        }

    def events_named(self, name: str) -> list[Event]:
        """The events of one name."""
        return [event for event in self.events if event.name == name]
