"""`mattebox table`: the light table in a browser."""

from __future__ import annotations

from pathlib import Path

import click

from mattebox.cli.echo import echo
from mattebox.cli.hot_folders import read_config


@click.command(name="table")
@click.argument("what", type=click.Path(path_type=Path), metavar="CONFIG|FOLDER")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port; any free one by default.")
@click.option("--browser/--no-browser", default=True, help="Open the page in your browser.")
@click.pass_context
def command(context: click.Context, *, what: Path, port: int, browser: bool) -> None:
    """See the cutouts of hot folders (CONFIG), or of a FOLDER with photos, side by side; decide and mend.

    The page is served on this computer alone, at an address that holds a token. What is decided is kept in
    the journal and delivered by 'mattebox watch' or 'mattebox once'.
    """
    from functools import partial  # noqa: PLC0415

    import uvicorn  # noqa: PLC0415

    from mattebox.web.table.app import table_app  # noqa: PLC0415
    from mattebox.web.table.desk import Desk  # noqa: PLC0415
    from mattebox.web.table.table import Table  # noqa: PLC0415

    loaded = read_config(context, what)
    table = Table(partial(Desk, loaded.state, loaded.path.name))
    try:
        echo(f"http://127.0.0.1:{port}/")
        uvicorn.run(table_app(table), host="127.0.0.1", port=port, log_level="warning")
    finally:
        table.stop()
