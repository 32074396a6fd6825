"""`mattebox table`: the light table in a browser."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mattebox.cli.echo import echo
from mattebox.cli.hot_folders import read_config

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.web.table.desk import Desk

_YAML: Final = (".yaml", ".yml")
_PASSWORD: Final = "MATTEBOX_PASSWORD"  # noqa: S105 - the name of a variable


@click.command(name="table")
@click.argument("what", type=click.Path(path_type=Path), metavar="CONFIG|FOLDER")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port; any free one by default.")
@click.option("--host", default="127.0.0.1", help="Address to listen on; others reach only this computer's.")
@click.option("--certificate", type=click.Path(path_type=Path), help="TLS certificate, to listen beyond.")
@click.option("--key", type=click.Path(path_type=Path), help="The certificate's key.")
@click.option("--browser/--no-browser", default=True, help="Open the page in your browser.")
@click.pass_context
def command(
    context: click.Context,
    *,
    what: Path,
    port: int,
    host: str,
    certificate: Path | None,
    key: Path | None,
    browser: bool,
) -> None:
    """See the cutouts of hot folders (CONFIG), or of a FOLDER beside their photos; decide and mend by key.

    The address holds a token that opens once, on this computer alone. Beyond it the page needs TLS files and
    a password in the variable MATTEBOX_PASSWORD. What is decided is kept in the journal; 'mattebox watch' or
    'mattebox once' delivers it.
    """
    desk = _desk(context, what)
    from mattebox.core.errors import MissingExtraError  # noqa: PLC0415 - after the mistakes are told
    from mattebox.core.extra import install_command  # noqa: PLC0415

    try:
        from mattebox.web.policy import Sessions, guarded, new_token  # noqa: PLC0415
        from mattebox.web.server import Address, Server, check_address  # noqa: PLC0415
        from mattebox.web.table.app import EVENTS, table_app  # noqa: PLC0415
        from mattebox.web.table.table import Table  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"The light table needs extra packages; install them with: {install_command('web')}"
        ) from error
    address = Address(host, port, certificate, key)
    password = os.environ.get(_PASSWORD)
    check_address(address, has_password=bool(password))
    table = Table(desk)
    try:
        token = new_token()
        sessions = Sessions(token, password)
        app = guarded(table_app(table), host=host, sessions=sessions)
        server = Server(app, address, streams=[EVENTS])
        sessions.cookie = f"mattebox-{server.port}"
        page = f"{server.url}/?token={token}"
        echo(f"The light table is at {page}")
        if browser:
            import webbrowser  # noqa: PLC0415 - only where a page is opened

            webbrowser.open(page)
        server.run()
    finally:
        table.stop()


def _desk(context: click.Context, what: Path) -> Callable[[], Desk]:
    """What opens the journal of hot folders, or that of a folder. Raises click.UsageError."""
    from mattebox.core.settings.endings import PHOTO_ENDINGS  # noqa: PLC0415 - `--help` loads no settings

    if not what.exists():
        kind = "configuration" if what.suffix.lower() in _YAML else "folder"
        raise click.UsageError(f"{what}: there is no such {kind}.", context)
    if what.is_file() and what.suffix.lower()[1:] in PHOTO_ENDINGS:
        raise click.UsageError(f"{what}: that is a photo; name the folder in which it lies.", context)
    if not what.is_dir():
        loaded = read_config(context, what)
        from mattebox.web.table.desk import Desk  # noqa: PLC0415 - after the mistakes are told

        return partial(Desk, loaded.state, loaded.path.name)
    from mattebox.web.table.folder import FolderDesk  # noqa: PLC0415 - loads settings

    return partial(FolderDesk, what)
