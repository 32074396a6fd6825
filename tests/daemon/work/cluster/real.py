"""A real cluster for tests and benches: the product's own scheduler and workers, processes to be killed.

The jobs copy bytes, as those of `tests.daemon.hot_folders` do, and some of them kill, hang or take long.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.daemon.hot_folders import copy_inspection, copy_job

from mattebox.core.job_report import JobReport
from mattebox.daemon.intake.inspection import inspect_file
from mattebox.daemon.work.cluster.pool import ClusterPool
from mattebox.daemon.work.tasks import JobTask, do_job

ROOT = Path(__file__).resolve().parents[4]
CONFIG = """\
version: 1
state: ./state
engine: {{model: u2netp, workers: dask, scheduler: "tcp://127.0.0.1:{port}", grace: 1s, timeout: 10s}}
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
          - {{format: psd, to: "./out/{{tree}}/{{stem}}.psd"}}
          - {{format: png, to: "./out/{{tree}}/{{stem}}.png"}}
"""


def copying_job(task: JobTask) -> JobReport:
    """A copy of the bytes; they say whether it kills its process, hangs in native code, or takes a while."""
    data = task.job.source.read_bytes()
    if data.startswith(b"deadly"):
        os.kill(os.getpid(), signal.SIGKILL)
    if data.startswith(b"hanging"):
        _hang()
    if data.startswith(b"slow"):
        time.sleep(float(data.split()[1]))
    return copy_job(task)


def _hang() -> None:
    """Sleep in C, with the interpreter's lock held: no Python code of this process runs any more."""
    import ctypes

    ctypes.PyDLL(None).sleep(600)


class CopyingPool(ClusterPool):
    """The product's pool, whose jobs copy bytes."""

    def submit(self, token: Any, function: Callable[[Any], Any], argument: Any, timeout: float) -> None:
        """The same way, with other work at its end."""
        super().submit(
            token, {do_job: copying_job, inspect_file: copy_inspection}[function], argument, timeout
        )


@dataclass
class RealCluster:
    """A scheduler at a port of its own, and groups of workers."""

    port: int
    log: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start_scheduler(self) -> None:
        """Start it, or again."""
        self.start("scheduler", "up", "--no-workers", "--port", str(self.port))

    def start_workers(self, name: str, count: int, *more: str, **environment: str) -> None:
        """Start a group of workers under a name."""
        self.start(
            name,
            "worker", f"tcp://127.0.0.1:{self.port}", "--workers", str(count), "--name", name,
            "--device", "cpu", "--memory", "none", *more,
            **environment,
        )  # fmt: skip

    def start(self, name: str, *arguments: str, **environment: str) -> None:
        """Start a part of the cluster by the product's own command."""
        path = os.pathsep.join([os.fspath(ROOT), *sys.path])
        with self.log.open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "mattebox.cli.main", "cluster", *arguments],
                env={**os.environ, "PYTHONPATH": path, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """Kill -9 of a part: of its processes, and of what keeps them running."""
        process = self.processes.pop(name)
        for pid in (*children(process.pid), process.pid):
            kill(pid)
        process.wait()

    def workers(self, name: str) -> list[int]:
        """The worker processes of a group."""
        return children(self.processes[name].pid)

    def stop(self) -> None:
        """End everything."""
        for name in list(self.processes):
            self.kill(name)


@contextmanager
def real_cluster(folder: Path) -> Iterator[RealCluster]:
    """A scheduler that runs; workers are started by the test."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    cluster = RealCluster(port, folder / "cluster.log")
    cluster.start_scheduler()
    try:
        yield cluster
    finally:
        cluster.stop()


def children(parent: int) -> list[int]:
    """The processes that a process has spawned to work, without Python's own helpers."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(fields[1]) == parent and fields[0] != "Z" and b"spawn_main" in command:
                found.append(int(entry.name))
    return found


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Signal a process that may be gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def good(count: int, seconds: float = 0.0) -> Mapping[str, bytes]:
    """Photos that can be done, each with bytes of its own."""
    return {f"good-{number}.jpg": b"slow %.3f %d" % (seconds, number) for number in range(count)}
