"""`mattebox status`: how the hot folders are doing."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mattebox.cli.hot_folders import read_config
from mattebox.core.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console


@click.command(name="status")
@click.argument("config", type=click.Path(path_type=Path), metavar="CONFIG")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.pass_context
def command(context: click.Context, *, config: Path, as_json: bool) -> None:
    """Show, for each hot folder of CONFIG, what waits, is in work, done, in review and failed."""
    loaded = read_config(context, config)
    from mattebox.daemon.report.status import gather  # noqa: PLC0415 - after the mistakes are told

    found = gather(loaded)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    _show(found)


def _show(found: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only where a table is drawn
    from rich.text import Text  # noqa: PLC0415

    from mattebox.cli.rows import show_rows  # noqa: PLC0415

    headings = ("Folder", "Waiting", "Settling", "Working", "Done", "Review", "Failed", "A minute", "Oldest")
    rows = []
    for folder in found["folders"]:
        waiting = "-" if folder["waiting"] is None else str(folder["waiting"])
        working = str(folder["working"] + folder["claimed"])
        counts = [str(folder[key]) for key in ("done", "review", "failed")]
        oldest = folder["oldest_waiting_seconds"]
        row = [folder["name"], waiting, str(folder["settling"]), working, *counts]
        row += [f"{folder['images_per_minute']:.1f}", "-" if oldest is None else _span(oldest)]
        rows.append([printable(cell) for cell in row])
    console = Console()
    show_rows(console, headings, rows)
    if found["workers"]:
        _show_workers(console, found["workers"])
    state = f"A daemon is running (process {found['pid']})." if found["running"] else "No daemon is running."
    console.print(state, highlight=False)
    for folder in found["folders"]:
        if folder["problem"]:
            console.print(Text(printable(f"{folder['name']}: {folder['problem']}")))
        for sentence in folder["in_work_unknown"]:
            console.print(Text(printable(f"{folder['name']}: {sentence}")))
        if folder["review"]:
            console.print(Text(printable(_in_review(folder))))
        if folder["left_alone"]:
            count = folder["left_alone"]
            what = "1 file that no rule takes" if count == 1 else f"{count} files that no rule takes"
            console.print(Text(printable(f"{folder['name']}: {what}.")))
        if folder["promise"]:
            console.print(Text(printable(f"{folder['name']}: {folder['promise']['sentence']}")))
    for error in found["last_errors"]:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(error["time"]))
        what = (
            error["what"]
            if error["what"].startswith(error["input"])
            else f"{error['input']}: {error['what']}"
        )
        console.print(Text(printable(f"{when}  {error['job']}  {what}")))


def _show_workers(console: Console, workers: Sequence[Mapping[str, Any]]) -> None:
    """A cluster's workers: what each does, and why one does nothing."""
    from rich.text import Text  # noqa: PLC0415 - only where a table is drawn

    from mattebox.cli.rows import show_rows  # noqa: PLC0415

    rows = [
        [
            printable(str(cell))
            for cell in (
                worker["name"],
                worker["host"] or worker["address"],
                worker["state"],
                ", ".join(worker["doing"]) or "-",
                worker["done"],
                f"{worker['images_per_minute']:.1f}",
            )
        ]
        for worker in workers
    ]
    show_rows(console, ("Worker", "Machine", "State", "Doing", "Done", "A minute"), rows)
    for worker in workers:
        for sentence in worker["why"]:
            console.print(Text(printable(f"{worker['name']}: {sentence}")))


def _in_review(folder: dict[str, Any]) -> str:
    count = folder["review"]
    what = (
        "1 photo is in review; its original waits"
        if count == 1
        else f"{count} photos are in review; their originals wait"
    )
    where = f"in {folder['originals_in_review']} until somebody decides ('mattebox approve')"
    return f"{folder['name']}: {what} {where}."


def _span(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
