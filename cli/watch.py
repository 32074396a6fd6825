"""`mattebox watch`: run the hot folders until stopped."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mattebox.cli.hot_folders import FolderScreen, read_config

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command(name="watch")
@click.argument("config", type=click.Path(path_type=Path), metavar="CONFIG")
@click.option("--page", is_flag=True, help="Serve the light table too: see 'mattebox table'.")
@click.pass_context
def command(context: click.Context, *, config: Path, page: bool) -> None:
    """Run the hot folders of CONFIG until stopped (Ctrl+C or SIGTERM).

    One structured log line an event on stdout: time, level, event, key=value.
    """
    loaded = read_config(context, config)
    from mattebox.daemon.events import Events  # noqa: PLC0415 - after the mistakes are told
    from mattebox.daemon.serve import serve  # noqa: PLC0415

    screen = FolderScreen(context, as_log=True)
    with _page(loaded.path) if page else nullcontext():
        serve(loaded.path, Events(screen), progress=screen.progress())


@contextmanager
def _page(config: Path) -> Iterator[None]:
    """The light table in a process of its own, which whatever happens to it costs no photo."""
    import subprocess  # noqa: PLC0415 - only with the page

    command = [sys.executable, "-m", "mattebox.cli.main", "table", os.fspath(config)]
    # A group of its own: Ctrl+C is for the daemon, which ends the page when it has ended.
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            yield
        finally:
            process.terminate()
