"""`mattebox once`: do all that waits in the hot folders, then end."""

from __future__ import annotations

from pathlib import Path

import click

from mattebox.cli.echo import echo
from mattebox.cli.hot_folders import FolderScreen, read_config


@click.command(name="once")
@click.argument("config", type=click.Path(path_type=Path), metavar="CONFIG")
@click.option("--log", "as_log", is_flag=True, help="Print structured log lines instead.")
@click.pass_context
def command(context: click.Context, *, config: Path, as_log: bool) -> None:
    """Do all that waits in the hot folders of CONFIG, then end.

    Exit status: 0 all done, 1 some photos failed, 2 the configuration has mistakes.
    """
    loaded = read_config(context, config)
    from mattebox.daemon.delivery.review import Reviews  # noqa: PLC0415
    from mattebox.daemon.events import Events  # noqa: PLC0415 - after the mistakes are told
    from mattebox.daemon.periodic import review_task  # noqa: PLC0415
    from mattebox.daemon.run import run  # noqa: PLC0415

    screen = FolderScreen(context, as_log=as_log)
    with screen.shown():
        periodic_tasks = [review_task(1.0, Reviews(settle=0.0))]
        done = run(
            loaded, Events(screen), once=True, progress=screen.progress(), periodic_tasks=periodic_tasks
        )
    if not as_log:
        echo(screen.summary(done, loaded))
    if done.failed or done.left or done.ending == "stopped":
        context.exit(1)
