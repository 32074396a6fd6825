"""`mattebox simulate`: which rule would take which file, and why; writes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from mattebox.cli.echo import echo
from mattebox.cli.hot_folders import read_config


@click.command(name="simulate")
@click.argument("config", type=click.Path(path_type=Path), metavar="CONFIG")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def command(context: click.Context, *, config: Path, as_json: bool) -> None:
    """Show for each file that waits in CONFIG's folders which rule takes it, and why the earlier do not.

    Nothing is written, moved or remembered. Exit status 1 where a folder cannot be read.
    """
    loaded = read_config(context, config)
    from mattebox.daemon.simulate import simulate  # noqa: PLC0415 - after the mistakes are told

    wrong = False
    for answer in simulate(loaded):
        wrong = wrong or bool(answer.get("problem"))
        if as_json:
            click.echo(json.dumps(answer))
        else:
            for line in _lines(answer):
                echo(line, err=bool(answer.get("problem")))
    if wrong:
        context.exit(1)


def _lines(answer: dict[str, Any]) -> list[str]:
    if answer.get("problem"):
        return [f"{answer['folder']}: {answer['problem']}"]
    if "path" not in answer:
        return [f"{answer['folder']}: {answer['note']}"]
    rule = answer["rule"]
    if answer["companion"]:
        return [f"{answer['folder']}/{answer['path']}: {answer['note']}"]
    lines = [f"{answer['folder']}/{answer['path']}: {f'rule {rule}' if rule else 'no rule; left alone'}"]
    lines += [f"    not {name}: {why}" for name, why in answer["not"].items()]
    lines += [f"    -> {path}" for path in answer["outputs"]]
    if answer["note"]:
        lines.append(f"    {answer['note']}")
    return lines
