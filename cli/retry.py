"""`mattebox retry`: bring failed photos back."""

from __future__ import annotations

from pathlib import Path

import click

from mattebox.cli.console import Console
from mattebox.cli.hot_folders import read_config


@click.command(name="retry")
@click.argument("config", type=click.Path(path_type=Path), metavar="CONFIG")
@click.argument("jobs", nargs=-1, metavar="[JOB...]")
@click.pass_context
def command(context: click.Context, *, config: Path, jobs: tuple[str, ...]) -> None:
    """Put the originals of failed JOBs (all of them by default) back into their watched folders.

    JOB is an id as 'mattebox status' and the reason files show it. The next run does them again.
    """
    loaded = read_config(context, config)
    from mattebox.core.errors import reason_of  # noqa: PLC0415
    from mattebox.daemon.delivery.deliver import Delivery  # noqa: PLC0415 - after the mistakes are told
    from mattebox.daemon.journal.journal import Journal  # noqa: PLC0415

    console = Console(debug=bool(context.obj and context.obj.get("debug")))
    journal = Journal(loaded.state, lock=False)
    wrong = False
    try:
        failed = {job.id: job for job in journal.jobs("failed")}
        for job_id in jobs or failed:
            job = failed.get(job_id)
            if job is None:
                wrong = True
                console.fail(Exception(f"{job_id}: no failed job has this id; see 'mattebox status'."))
                continue
            try:
                Delivery(journal).return_original(job)
            except OSError as error:
                wrong = True
                console.fail(Exception(f"{job.plan.source}: it cannot be brought back ({reason_of(error)})."))
                continue
            console.say(f"{job.plan.source}: waits again.")
        if not failed and not jobs:
            console.say("Nothing has failed.")
    finally:
        journal.close()
    if wrong:
        context.exit(1)
