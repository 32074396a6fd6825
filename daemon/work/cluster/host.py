"""The processes of a cluster on one machine: a scheduler, and workers that are kept running."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from mattebox.core.errors import reason_of
from mattebox.core.network.quick import PRECISION
from mattebox.daemon.config.cluster import Certificates
from mattebox.daemon.work.cluster.attempt import give_up, this_machine
from mattebox.daemon.work.cluster.library import ClusterError, load
from mattebox.daemon.work.cluster.paths import PathMap
from mattebox.daemon.work.cluster.security import security
from mattebox.daemon.work.workers import WorkerSettings, end_with_parent, prepare

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_CONNECT_AGAIN: Final = 2.0
# A worker that ends at once is started again ever more slowly.
_FIRST_PAUSE: Final = 1.0
_MOST_PAUSE: Final = 30.0
_LASTED: Final = 30.0
_END_WITHIN: Final = 5.0


class Start(NamedTuple):
    """A process: what it runs, with a folder for its own files and these arguments."""

    function: Callable[..., None]
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class WorkerHost:
    """What the workers of one machine are started with."""

    scheduler: str
    settings: WorkerSettings
    certificates: Path | None = None
    paths: PathMap = field(default_factory=PathMap)
    name: str = ""
    host: str | None = None
    resources: Mapping[str, float] = field(default_factory=dict)


def listen_address(host: str, port: int, certificates: Path | None) -> str:
    """The tls:// or tcp:// address where a scheduler can listen; port 0 takes a free one.

    Raises ClusterError.
    """
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(place)
            port = trial.getsockname()[1]
    except OSError as error:
        raise ClusterError(
            f"{host}:{port}: a scheduler cannot listen there ({reason_of(error)}); choose an address of this "
            "machine and a free port."
        ) from error
    scheme = "tcp" if certificates is None else "tls"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def scheduler_process(address: str, certificates: Path | None) -> Start:
    """A scheduler that listens at an address."""
    return Start(_be_scheduler, (address, certificates))


def worker_processes(host: WorkerHost, count: int) -> list[Start]:
    """The workers of one machine."""
    return [Start(_be_worker, (host, number)) for number in range(count)]


def keep_running(processes: Sequence[Start], stop: threading.Event) -> None:
    """Run processes and start each again when it ends, ever more slowly where it ends at once."""
    context = multiprocessing.get_context("spawn")
    running: dict[int, tuple[Any, float]] = {}
    due = dict.fromkeys(range(len(processes)), 0.0)
    pauses = dict.fromkeys(due, _FIRST_PAUSE)
    scratch = tempfile.TemporaryDirectory(prefix="mattebox-cluster-", ignore_cleanup_errors=True)
    try:
        while not stop.is_set():
            now = time.monotonic()
            for number in [number for number, at in due.items() if at <= now]:
                function, arguments = processes[number]
                process = context.Process(target=function, args=(scratch.name, *arguments))
                process.start()
                running[number] = (process, now)
                del due[number]
            if running:
                wait([process.sentinel for process, _ in running.values()], timeout=0.2)
            else:
                stop.wait(0.2)
            for number, (process, since) in list(running.items()):
                if not process.is_alive():
                    process.join()
                    lasted = time.monotonic() - since >= _LASTED
                    pauses[number] = _FIRST_PAUSE if lasted else min(2 * pauses[number], _MOST_PAUSE)
                    due[number] = time.monotonic() + pauses[number]
                    del running[number]
    finally:
        for process, _ in running.values():
            process.terminate()
        for process, _ in running.values():
            process.join(_END_WITHIN)
            process.kill()
        scratch.cleanup()


def _be_scheduler(scratch: str, address: str, certificates: Path | None) -> None:
    """A scheduler process; a signal ends it at once, for it remembers nothing that anybody needs."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_schedule(scratch, address, certificates))


async def _schedule(scratch: str, address: str, certificates: Path | None) -> None:
    distributed = load()

    class Scheduler(distributed.Scheduler):  # type: ignore[misc, name-defined]
        """One without HTTP pages."""

        def start_http_server(self, *_: Any, **__: Any) -> None:
            """Listen for workers and clients alone."""

    secured = security(None if certificates is None else Certificates(certificates))
    parts = urlsplit(address)
    scheduler = await Scheduler(
        host=parts.hostname,
        port=parts.port,
        protocol=parts.scheme,
        security=secured,
        dashboard=False,
        local_directory=scratch,
    )
    await scheduler.finished()


def _be_worker(scratch: str, host: WorkerHost, number: int) -> None:
    """One worker process: networks first, then the scheduler, for as long as it is there."""
    # In 8 bits each kind of processor answers a little otherwise: outputs would depend on who is free.
    os.environ[PRECISION] = "full"
    prepare(host.settings)
    this_machine(host.paths)
    # What it is at goes back unharmed: the daemon sees by the marker that nobody is to blame.
    signal.signal(signal.SIGTERM, lambda *_: _end())
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(host, number, scratch))
    os._exit(0)


def _end() -> None:
    give_up()
    os._exit(0)


async def _serve(host: WorkerHost, number: int, scratch: str) -> None:
    distributed = load()

    class Worker(distributed.Worker):  # type: ignore[misc, name-defined]
        """One without HTTP pages."""

        def start_http_server(self, *_: Any, **__: Any) -> None:
            """Listen for the scheduler and other workers alone."""

    secured = security(None if host.certificates is None else Certificates(host.certificates))
    told = False
    while True:
        try:
            own = host.host or _own_address(host.scheduler)
            # By itself it asks for the way to port 80 of the scheduler's machine, to learn the same.
            sys.modules["distributed.worker"].get_ip = lambda *_, own=own: own  # type: ignore[attr-defined]
            worker = await Worker(
                host.scheduler,
                nthreads=1,
                name=f"{host.name}-{number + 1}-{os.getpid()}",
                host=own,
                security=secured,
                resources=dict(host.resources) or None,
                memory_limit=0,
                local_directory=scratch,
            )
        except (OSError, TimeoutError, ValueError):
            if not told:
                told = True
                sys.stderr.write(f"{host.scheduler}: the scheduler cannot be reached; it is tried again.\n")
            await asyncio.sleep(_CONNECT_AGAIN)
            continue
        await worker.finished()
        # The scheduler is gone, or has given this process up: whatever is still at work here is nobody's.
        give_up()
        return


def _own_address(scheduler: str) -> str:
    """This machine's address on the way to the scheduler; nothing is sent. Raises OSError."""
    parts = urlsplit(scheduler)
    family, _, _, _, place = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as way:
        way.connect(place)
        return str(way.getsockname()[0])
