"""`mattebox check`: is a configuration right?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from mattebox.cli.echo import echo
from mattebox.cli.hot_folders import read_config


@click.command(name="check")
@click.argument("config", type=click.Path(path_type=Path), metavar="CONFIG", required=False)
@click.option("--schema", is_flag=True, help="Print the JSON Schema for editors instead.")
@click.pass_context
def command(context: click.Context, *, config: Path | None, schema: bool) -> None:
    """Validate CONFIG; every mistake is one line FILE:LINE:COLUMN: message."""
    if schema:
        from mattebox.daemon.config.load import json_schema  # noqa: PLC0415 - loads the vocabulary

        click.echo(json.dumps(json_schema(), indent=2))
        return
    if config is None:
        raise click.UsageError("Name a configuration, or ask for --schema.")
    loaded = read_config(context, config, files=True)
    from mattebox.daemon.report.notify import OFF, webhook_is_off  # noqa: PLC0415 - only with a configuration

    if webhook_is_off(loaded.config.notify):
        echo(f"{config}: note: {OFF}.")
    folders = loaded.config.folders
    rules = sum(len(folder.rules) for folder in folders)
    echo(f"{config}: right ({_count(len(folders), 'hot folder')}, {_count(rules, 'rule')}).")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
