"""`mattebox service`: hot folders that start with the user's session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mattebox.cli.echo import echo
from mattebox.cli.hot_folders import read_config

if TYPE_CHECKING:
    from mattebox.daemon.service import Service


@click.group(name="service")
def command() -> None:
    """Install hot folders as a service of your session: systemd, launchd or the Task Scheduler."""


@command.command(name="install")
@click.argument("config", type=click.Path(path_type=Path), metavar="CONFIG")
@click.option("--print", "only_print", is_flag=True, help="Show the service's file; change nothing.")
@click.pass_context
def install_command(context: click.Context, *, config: Path, only_print: bool) -> None:
    """Run 'mattebox watch CONFIG' from now on, and at every login."""
    service = _service(context, config)
    from mattebox.daemon.service import install  # noqa: PLC0415 - after the mistakes are told

    if only_print:
        text = service.text.decode("utf-16" if service.text[:2] == b"\xff\xfe" else "utf-8", "replace")
        for line in text.splitlines():
            echo(line)
        return
    install(service)
    echo(f"{service.name} runs; its file is {service.file}.")


@command.command(name="remove")
@click.argument("config", type=click.Path(path_type=Path), metavar="CONFIG")
@click.pass_context
def remove_command(context: click.Context, *, config: Path) -> None:
    """Stop the service of CONFIG and delete its file."""
    service = _service(context, config)
    from mattebox.daemon.service import remove  # noqa: PLC0415 - after the mistakes are told

    gone = remove(service)
    echo(f"{service.name} is removed." if gone else f"{service.name} was not installed.")


def _service(context: click.Context, config: Path) -> Service:
    loaded = read_config(context, config)
    from mattebox.daemon.config.planning import deliveries, review_folders  # noqa: PLC0415 - after the mistakes are told
    from mattebox.daemon.config.template import Template  # noqa: PLC0415
    from mattebox.daemon.service import service_for  # noqa: PLC0415
    from mattebox.models.store import models_folder  # noqa: PLC0415

    writable = {loaded.state, models_folder(), *review_folders(loaded.config)}
    for folder in loaded.config.folders:
        writable |= {folder.done, folder.failed}
        if folder.originals == "done":
            writable.add(folder.watch)
        for rule in folder.rules:
            writable |= {Template(item.to, loaded.base).root for item in deliveries(loaded.config, rule)}
    return service_for(config, sorted(writable))
