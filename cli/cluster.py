"""`mattebox cluster`: workers on many machines."""

from __future__ import annotations

import signal
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mattebox.cli.echo import echo
from mattebox.core.network.device import DEVICES

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.daemon.work.cluster.host import WorkerHost

_PORT: Final = 8786
_CERTIFICATES: Final = click.option(
    "--certificates",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that 'mattebox cluster certs' made; needed beyond this machine.",
)


def _worker_options(function: Any) -> Any:
    for option in (
        click.option("--workers", type=click.IntRange(1, 256), help="Processes; by default what fits."),
        click.option("--threads", type=click.IntRange(1, 256), help="Threads of each one's network."),
        click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True),
        click.option("--memory", default="auto", show_default=True, help="The most that each may take."),
        click.option(
            "--map",
            "maps",
            multiple=True,
            metavar="DAEMON=HERE",
            help=r"A folder's name for the daemon, and here: /mnt/photos=P:\photos. May be repeated.",
        ),
        click.option(
            "--resources",
            multiple=True,
            metavar="NAME=AMOUNT",
            help="What each worker offers, such as GPU=1. May be repeated.",
        ),
        click.option("--name", default="", help="How 'mattebox status' calls them; by default the host."),
    ):
        function = option(function)
    return function


@click.group(name="cluster")
def command() -> None:
    """Run workers on many machines that see the same storage (docs/cluster.md).

    A scheduler that can be reached runs anybody's code on its workers: beyond this machine only tls:// with
    the cluster's own certificates is used.
    """


@command.command(name="certs")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--days", default=3650, show_default=True, type=click.IntRange(1, 36500))
def certs(*, folder: Path, days: int) -> None:
    """Make the cluster's certificates in FOLDER; copy it to every machine of the cluster."""
    from mattebox.daemon.work.cluster.certificates import make_certificates  # noqa: PLC0415 - only here

    make_certificates(folder, days)
    echo(f"Made {folder}. Copy it to every machine of the cluster, and to nobody else: it is the key.")


@command.command(name="worker")
@click.argument("scheduler")
@click.option("--host", help="The address of this machine that the others use; by default the right one.")
@_worker_options
@_CERTIFICATES
def worker(*, scheduler: str, certificates: Path | None, host: str | None, **options: Any) -> None:
    """Start workers for the SCHEDULER at tls://HOST:PORT, until stopped (Ctrl+C or SIGTERM)."""
    from mattebox.daemon.work.cluster.host import keep_running, worker_processes  # noqa: PLC0415 - loads much

    _check(scheduler, certificates)
    ours, count = _host(scheduler, certificates, host, options)
    echo(f"{_counted(count, ours)} for {scheduler}.")
    keep_running(worker_processes(ours, count), _stopped())


@command.command(name="up")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the scheduler listens.")
@click.option("--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535))
@click.option("--no-workers", is_flag=True, help="Start the scheduler alone.")
@_worker_options
@_CERTIFICATES
def up(*, host: str, port: int, no_workers: bool, certificates: Path | None, **options: Any) -> None:
    """Start a scheduler and workers on this machine, until stopped (Ctrl+C or SIGTERM)."""
    from mattebox.daemon.work.cluster.host import (  # noqa: PLC0415 - loads much
        keep_running,
        listen_address,
        scheduler_process,
        worker_processes,
    )

    shown = f"[{host}]" if ":" in host else host
    _check(f"{'tcp' if certificates is None else 'tls'}://{shown}:{port or _PORT}", certificates)
    address = listen_address(host, port, certificates)
    processes = [scheduler_process(address, certificates)]
    echo(f"The scheduler listens at {address}")
    if not no_workers:
        ours, count = _host(address, certificates, host, options)
        processes += worker_processes(ours, count)
        echo(f"{_counted(count, ours)}.")
    keep_running(processes, _stopped())


def _counted(count: int, host: WorkerHost) -> str:
    threads = host.settings.threads
    return f"Workers: {count}, threads of each: {threads}, device: {host.settings.device}"


def _check(scheduler: str, certificates: Path | None) -> None:
    from mattebox.daemon.config.cluster import Certificates, address_problem  # noqa: PLC0415 - as above
    from mattebox.daemon.work.cluster.library import load  # noqa: PLC0415

    problem = address_problem(scheduler, None if certificates is None else Certificates(certificates))
    if problem is not None:
        raise click.UsageError(f"{problem}.".replace("certificates:", "--certificates"))
    load()


def _host(
    scheduler: str, certificates: Path | None, host: str | None, options: dict[str, Any]
) -> tuple[WorkerHost, int]:
    """How workers of this machine begin, and how many; the same sizing as the hot folders' own."""
    from mattebox.core.network.device import available_cores  # noqa: PLC0415 - after the mistakes are told
    from mattebox.daemon.config.units import parse_memory  # noqa: PLC0415
    from mattebox.daemon.work.cluster.host import WorkerHost  # noqa: PLC0415
    from mattebox.daemon.work.cluster.paths import PathMap, parse_prefix  # noqa: PLC0415
    from mattebox.daemon.work.sizing import USUAL_WEIGHTS, choose_sizing, free_memory  # noqa: PLC0415
    from mattebox.daemon.work.workers import WorkerSettings  # noqa: PLC0415

    memory: Any = _parsed("--memory", parse_memory, options["memory"])
    paths = PathMap(tuple(_parsed("--map", parse_prefix, text) for text in options["maps"]))
    resources = dict(_parsed("--resources", _resource, text) for text in options["resources"])
    device = options["device"]
    if device not in ("auto", "cpu", "openvino"):
        # A card is one job's at a time.
        resources.setdefault("GPU", 1.0)
    sizing = choose_sizing(
        options["workers"] or "auto", memory, USUAL_WEIGHTS, available_cores(), free_memory()
    )
    settings = WorkerSettings(options["threads"] or sizing.threads, device, sizing.memory)
    name = options["name"] or socket.gethostname()
    found = WorkerHost(scheduler, settings, certificates, paths, name, host, resources)
    return found, sizing.workers


def _parsed(option: str, parse: Callable[[str], Any], text: str) -> Any:
    """What one of our own parsers makes of an option's text."""
    try:
        return parse(text)
    except ValueError as error:
        raise click.UsageError(f"{option}: {error}.") from error


def _resource(text: str) -> tuple[str, float]:
    name, sign, amount = text.partition("=")
    try:
        if name and sign and 0 < float(amount) < float("inf"):
            return name, float(amount)
    except ValueError:
        pass
    raise ValueError(f"{text}: write a name, = and an amount, such as GPU=1")


def _stopped() -> threading.Event:
    """Set by Ctrl+C and SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
