"""`mattebox watch`: run the hot folders until stopped."""

from __future__ import annotations

from pathlib import Path

import click

from mattebox.cli.hot_folders import FolderScreen, read_config


@click.command(name="watch")
@click.argument("config", type=click.Path(path_type=Path), metavar="CONFIG")
@click.pass_context
def command(context: click.Context, *, config: Path) -> None:
    """Run the hot folders of CONFIG until stopped (Ctrl+C or SIGTERM).

    One structured log line an event on stdout: time, level, event, key=value.
    """
    loaded = read_config(context, config)
    from mattebox.daemon.events import Events  # noqa: PLC0415 - after the mistakes are told
    from mattebox.daemon.serve import serve  # noqa: PLC0415

    screen = FolderScreen(context, as_log=True)
    serve(loaded.path, Events(screen), progress=screen.progress())
