"""`mattebox approve`: a person's decision about reviews, without moving files by hand."""

from __future__ import annotations

from pathlib import Path

import click

from mattebox.cli.console import Console
from mattebox.cli.hot_folders import read_config


@click.command(name="approve")
@click.argument("config", type=click.Path(path_type=Path), metavar="CONFIG")
@click.argument("jobs", nargs=-1, metavar="[JOB...]")
@click.option("--reject", is_flag=True, help="Reject instead: the originals go to failed.")
@click.pass_context
def command(context: click.Context, *, config: Path, jobs: tuple[str, ...], reject: bool) -> None:
    """Approve the reviews of JOBs with the masks that their PSDs have now; without JOBs, list them.

    It does what dropping the PSD into review/approved/ (or rejected/) does: the next run, or the
    running daemon, delivers.
    """
    loaded = read_config(context, config)
    from mattebox.core.errors import WriteError, reason_of  # noqa: PLC0415
    from mattebox.daemon.delivery.review import decide  # noqa: PLC0415
    from mattebox.daemon.journal.journal import Journal  # noqa: PLC0415 - after the mistakes are told
    from mattebox.daemon.report.status import is_running  # noqa: PLC0415

    console = Console(debug=bool(context.obj and context.obj.get("debug")))
    journal = Journal(loaded.state, lock=False)
    wrong = False
    who = "The running daemon" if is_running(loaded.state) else "The next 'mattebox once' or 'mattebox watch'"
    does = "moves its original to failed" if reject else "delivers it"
    try:
        waiting = {job.id: job for job in journal.jobs("review")}
        if not jobs:
            for job in waiting.values():
                console.say(f"{job.id}  {job.plan.source}: {(job.reason or {}).get('why', '')}")
            if not waiting:
                console.say("Nothing is in review.")
        for job_id in jobs:
            try:
                path = decide(journal, waiting[job_id], approve=not reject)
            except KeyError:
                wrong = True
                console.fail(Exception(f"{job_id}: no review has this id; 'mattebox approve' lists them."))
            except (OSError, WriteError) as error:
                wrong = True
                console.fail(Exception(f"{job_id}: its PSD cannot be moved ({reason_of(error)})."))
            else:
                console.say(f"{job_id}: {path}", f"{who} {does}.")
    finally:
        journal.close()
    if wrong:
        context.exit(1)
