"""Refusals of disks, shares and kernels at every system call of a hot folder, and what became of it.

    python -m bench.faults --singles 200 --json faults.json

The daemon is the product's own in a process of its own, its workers copy bytes; strace makes one system
call fail with one error, for a moment or once, and is taken away. Each daemon must live, tell, and end with
every photo where it belongs. Needs strace.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from tests.daemon.faults import ERRORS, Outcome, outages, refusable, single, trial, trials


@click.command()
@click.option("--call", "only", multiple=True, help="Try this system call alone; may be given again.")
@click.option("--singles", default=100, show_default=True, help="How many single refusals beside outages.")
@click.option("--threads/--no-threads", default=True, help="Outages of all threads too, not of the main one.")
@click.option("--seed", default=None, type=int, help="Which single refusals; printed where not given.")
@click.option("--runners", default=6, show_default=True, help="Daemons at a time.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write the outcomes here too.")
def main(
    only: tuple[str, ...], singles: int, *, threads: bool, seed: int | None, runners: int, target: Path | None
) -> None:
    """Refuse each system call of a run of the daemon with each error."""
    root = Path(tempfile.mkdtemp(prefix="mattebox-faults-"))
    calls = refusable(trial(root / "plain", None, seconds=30.0))
    if only:
        calls = {call: count for call, count in calls.items() if call in only}
    seed = random.randrange(1_000_000) if seed is None else seed
    faults = outages(calls, threads=False)
    if threads:
        faults += outages(calls, threads=True)
    faults += single(calls, random.Random(seed), singles if calls else 0)
    click.echo(f"{len(calls)} system calls, {len(faults)} faults, seed {seed}", err=True)
    found = []
    for outcome in trials(faults, root, runners=runners):
        found.append(outcome)
        if outcome.wrong:
            click.echo(f"{outcome.fault}: {outcome.wrong}; told {outcome.told}", err=True)
    figures = counted(found)
    show(found, figures)
    if target is not None:
        plain = {"seed": seed, "calls": calls, **figures, "outcomes": [asdict(item) for item in found]}
        target.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    if figures["wrong"]:
        click.echo(f"See {root}.", err=True)
        sys.exit(1)
    shutil.rmtree(root)


def counted(found: list[Outcome]) -> dict[str, Any]:
    """The figures of all outcomes together."""
    return {
        "faults": len(found),
        "met": sum(bool(item.hits) for item in found),
        "refusals": sum(item.hits for item in found),
        "held_up": sum(item.late for item in found),
        "told": sum(bool(item.told) for item in found),
        "wrong": sum(bool(item.wrong) for item in found),
    }


def show(found: list[Outcome], figures: dict[str, Any]) -> None:
    """Refusals by call and error, with an exclamation mark where something was wrong; then the figures."""
    from rich.console import Console
    from rich.table import Table

    hits: Counter[tuple[str, str]] = Counter()
    wrong = set()
    for item in found:
        if item.fault is None:
            continue
        hits[item.fault.call, item.fault.error] += item.hits
        if item.wrong:
            wrong.add((item.fault.call, item.fault.error))
    table = Table("Refused", *ERRORS)
    for call in sorted({call for call, _ in hits}):
        cells = [f"{hits[call, error]}{'!' * ((call, error) in wrong)}" for error in ERRORS]
        table.add_row(call, *cells)
    console = Console()
    console.print(table)
    console.print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
