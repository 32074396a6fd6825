"""`mattebox cut`: photos in, cutouts out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml
from pydantic import ValidationError

from mattebox.cli.console import Console
from mattebox.cli.cutting import CutRun, run_all
from mattebox.cli.plan import PlanError, plan
from mattebox.core.device import DEVICES
from mattebox.core.errors import MatteboxError, PhotoError
from mattebox.core.settings import FORMATS, CutSettings, FinishSettings, parse_output
from mattebox.core.settings.explain import explain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mattebox.core.job import JobReport


@click.command(name="cut")
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO...")
@click.option("-o", "--output", metavar="FILE|FOLDER", help="Where to write; default: beside each photo.")
@click.option(
    "-f", "--format", "formats", multiple=True, type=click.Choice(FORMATS), help="What to write; repeatable."
)
@click.option("-m", "--model", help="The network to use; see 'mattebox models list'.")
@click.option(
    "--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="Where the network runs."
)
@click.option("--preset", metavar="NAME", help="Finish for a marketplace: amazon, ebay, etsy, shopify, ...")
@click.option("--crop", type=click.Choice(["none", "subject"]), help="Crop to the subject.")
@click.option("--margin", metavar="LENGTH", help="Around it: 8%, 40px, or '5% 10%' for up/down and sides.")
@click.option("--canvas", metavar="SIZE", help="Size of the finished picture: 2000 or 2000x1500.")
@click.option("--background", metavar="WHAT", help="white, #rrggbb, blur, none, or an image file.")
@click.option(
    "--shadow", type=click.Choice(["none", "drop", "contact", "both", "keep"]), help="Below the subject."
)
@click.option("--accept-licence", is_flag=True, help="Accept weights that forbid commercial use.")
@click.option(
    "-s",
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any setting of a rule, such as cut.refine=none; repeatable.",
)
@click.option("--report", is_flag=True, help="Write NAME.report.json beside each output.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON report a line instead of names.")
@click.option("--overwrite", is_flag=True, help="Replace existing outputs.")
@click.pass_context
def command(
    context: click.Context,
    *,
    photos: tuple[Path, ...],
    output: str | None,
    formats: tuple[str, ...],
    model: str | None,
    device: str,
    preset: str | None,
    crop: str | None,
    margin: str | None,
    canvas: str | None,
    background: str | None,
    shadow: str | None,
    accept_licence: bool,
    assignments: tuple[str, ...],
    report: bool,
    as_json: bool,
    overwrite: bool,
) -> None:
    """Cut the subject out of each PHOTO; a folder is walked and its tree kept.

    Without -o, photo.jpg becomes photo.cutout.png beside it (photo.mask.png for a mask).
    """
    named = {
        "cut.model": model,
        "cut.accept_licence": accept_licence or None,
        "finish.preset": preset,
        "finish.crop": crop,
        "finish.margin": margin,
        "finish.canvas": canvas,
        "finish.background": background,
        "finish.shadow": shadow,
    }
    cut, finish, options = _settings(named, assignments)
    try:
        planned = plan(
            photos,
            Path(output) if output is not None else None,
            tuple(dict.fromkeys(formats)),
            as_folder=output is not None and output.endswith(("/", os.sep)),
        )
    except PlanError as error:
        raise click.UsageError(str(error), context) from error
    if not planned:
        raise PhotoError(f"{photos[0]}: there is no photo in this folder.")
    outputs = {name: _output(name, options) for name, _ in planned[0].targets}
    run = CutRun(planned, cut, finish, outputs, device=device, overwrite=overwrite, report=report)
    console = Console(debug=bool(context.obj and context.obj.get("debug")))
    failed = False
    with console.progress(len(planned)) as advance:
        for outcome in run_all(run, console):
            if isinstance(outcome, MatteboxError):
                failed = True
                console.fail(outcome)
            else:
                console.say(json.dumps(outcome.as_dict()) if as_json else _summary(outcome))
            advance()
    if failed:
        context.exit(1)


def _settings(
    named: dict[str, Any], assignments: Sequence[str]
) -> tuple[CutSettings, FinishSettings, dict[str, Any]]:
    """The three groups of settings from named options and KEY=VALUE assignments."""
    groups: dict[str, dict[str, Any]] = {"cut": {}, "finish": {}, "output": {}}
    values = {key: value for key, value in named.items() if value is not None}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise click.UsageError(f"--set {assignment}: write it as KEY=VALUE, such as cut.refine=none")
        try:
            values[key] = yaml.safe_load(text)
        except yaml.YAMLError:
            values[key] = text
    for key, value in values.items():
        group, dot, name = key.partition(".")
        if not dot or group not in groups:
            raise click.UsageError(f"--set {key}: a setting begins with cut., finish. or output.")
        groups[group][name] = value
    try:
        cut = CutSettings(**groups["cut"])
    except ValidationError as error:
        raise click.UsageError(f"cut.{explain(error, CutSettings)}") from error
    try:
        finish = FinishSettings(**groups["finish"])
    except ValidationError as error:
        raise click.UsageError(f"finish.{explain(error, FinishSettings)}") from error
    return cut, finish, groups["output"]


def _output(name: str, options: dict[str, Any]) -> Any:
    try:
        return parse_output({"format": name, **options})
    except ValidationError as error:
        model = type(parse_output({"format": name}))
        raise click.UsageError(f"output.{explain(error, model)}") from error


def _summary(done: JobReport) -> str:
    names = ", ".join(output.path for output in done.outputs)
    warnings = f" ({', '.join(done.warnings)})" if done.warnings else ""
    return f"{done.input} -> {names}  confidence {done.confidence:.2f}{warnings}"
