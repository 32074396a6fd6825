"""`mattebox engine`: the host that keeps networks loaded for the plug-in in GIMP."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from multiprocessing import AuthenticationError
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mattebox.cli.echo import echo
from mattebox.core.errors import MatteboxError, reason_of
from mattebox.core.process import configure_process
from mattebox.gimp_plugin.host import Host
from mattebox.gimp_plugin.mattebox import protocol, timeouts
from mattebox.gimp_plugin.rendezvous import AlreadyRunningError, HostError, default_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.core.engine import Engine


_SILENT: Final = "The engine in {} does not answer; try again in a minute, or end its process."


@click.command(name="engine")
@click.option("--idle", default=15.0, show_default=True, metavar="MINUTES", help="End after; 0 means never.")
@click.option("--stop", is_flag=True, help="End the engine that runs.")
@click.option("--status", is_flag=True, help="Say whether one runs, as JSON.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where plug-in and engine meet.")
@click.option("--announce", is_flag=True, hidden=True, help="One JSON line when ready, then silence.")
@click.pass_context
def command(
    context: click.Context, *, idle: float, stop: bool, status: bool, folder: Path | None, announce: bool
) -> None:
    """Keep networks loaded for the plug-in in GIMP, which starts this by itself where it may.

    Only processes of yours can reach it: it listens in a folder that is closed to others.
    """
    place = folder.absolute() if folder else default_folder()
    if stop or status:
        answer = _ask(place, "stop" if stop else "status")
        if status:
            click.echo(json.dumps(answer or {"running": False}))
        elif answer is None:
            click.echo("No Mattebox engine is running.")
        context.exit(0 if answer or stop else 1)
    host = Host(place, _make_engine, idle=idle * 60)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: host.stop())

    def greet() -> None:
        echo(f"The engine listens in {place}.")

    ready: Callable[[], None] = _go_silent if announce else greet
    try:
        host.run(ready)
    except AlreadyRunningError:
        if not announce:
            raise
        click.echo(json.dumps({"ready": False}))
    except MatteboxError as error:
        if not announce:
            raise
        click.echo(json.dumps({"error": str(error)}))
        context.exit(1)


def _make_engine(progress: Any) -> Engine:
    configure_process()
    from mattebox.core.engine import Engine  # noqa: PLC0415 - loads onnxruntime
    from mattebox.core.network.quick import make_quick  # noqa: PLC0415
    from mattebox.core.settings import CutSettings  # noqa: PLC0415
    from mattebox.models.catalogue import find_network  # noqa: PLC0415
    from mattebox.models.store import Store  # noqa: PLC0415

    store = Store(progress=progress)
    network = find_network(CutSettings().model)
    if store.find(network) is not None:
        make_quick(store, network)
    return Engine(store)


def _go_silent() -> None:
    """Tell the plug-in that the engine is ready; then hold nothing of the plug-in's open.

    Standard error stays: it is the log in the folder, whose last lines `mattebox gimp doctor` shows.
    """
    print(json.dumps({"ready": True}), flush=True)  # noqa: T201 - the protocol's first line
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdin, sys.stdout):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _ask(folder: Path, say: str) -> dict[str, Any] | None:
    """One short question to the engine that runs; None where none does. Raises HostError."""
    with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
        try:
            with timeouts.connect(folder) as wire:
                protocol.send(wire, say)
                if say == "status" and not wire.poll(protocol.PATIENCE):
                    return {"silent": True}
                return protocol.receive_head(wire)
        except (FileNotFoundError, ConnectionRefusedError):
            raise
        except (TimeoutError, BlockingIOError) as error:
            raise HostError(_SILENT.format(folder)) from error
        except (AuthenticationError, EOFError, ConnectionError, protocol.ProtocolError) as error:
            raise HostError(
                f"Something answers in {folder} that is not this mattebox's engine; end it, or remove the "
                "folder."
            ) from error
        except OSError as error:
            raise HostError(f"{folder}: the engine cannot be reached there ({reason_of(error)}).") from error
    return None
