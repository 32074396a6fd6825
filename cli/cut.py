"""`mattebox cut`: photos in, cutouts out."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from mattebox.cli.console import Console, with_notes
from mattebox.cli.cutting import CutRun, run_all
from mattebox.cli.passed_over import passed_over
from mattebox.cli.pipes import pipes
from mattebox.cli.plan import PlanError, plan, without_existing
from mattebox.cli.pointing import OPTIONS, PICTURE, as_box, as_points, pointed
from mattebox.core.errors import MatteboxError, PhotoError, SettingsError
from mattebox.core.network.device import DEVICES
from mattebox.core.settings import FORMATS, CutSettings, FinishSettings, format_of_ending
from mattebox.core.settings.assign import cut_settings, finish_settings, nested, output_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mattebox.cli.pipes import Pipes
    from mattebox.core.job_report import JobReport
    from mattebox.core.settings import Output


class _Format(click.Choice[str]):
    """A format by its name or by the ending that people know it by: jpg, tif, psb."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The format's name."""
        return super().convert(format_of_ending(str(value)) or value, param, ctx)


def _words(setting: str) -> list[str]:
    """The words that a setting of `cut:` can be."""
    return list(get_args(CutSettings.model_fields[setting].annotation))


# A word is text in YAML 1.1, but for a few (yaml.org/type: bool, null).
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_-]*")
_CONSTANTS: Final = frozenset({"yes", "no", "on", "off", "true", "false", "null"})
# So many files that are passed over are named.
_NAMED: Final = 10


@click.command(name="cut")
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO...")
@click.option(
    "-o", "--output", metavar="FILE|FOLDER", help="Where to write; default: beside each photo. - is stdout."
)
@click.option(
    "-f",
    "--format",
    "formats",
    multiple=True,
    type=_Format(FORMATS),
    help="What to write; repeatable. A jpeg needs --background.",
)
@click.option(
    "--quality",
    type=click.Choice(_words("quality")),
    help="fast: one look; balanced (default): several looks and finer edges; best: every network here.",
)
@click.option(
    "--subject",
    metavar="WHAT",
    help="all (default), largest, centre, a box LEFT,TOP,RIGHT,BOTTOM, or points 'X,Y X,Y', in pixels.",
)
@click.option(
    "--keep", type=click.IntRange(min=1), metavar="N", help="Keep the N largest subjects; default: all."
)
@click.option(
    "--refine",
    type=click.Choice(_words("refine")),
    help="Edges: auto (default), hair for soft ones, hard for sharp ones, none as the network drew them.",
)
@click.option(
    "--backdrop",
    metavar="WHAT",
    help="auto (default): what the subject encloses of an even one goes; none; or a photo of the empty set.",
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
@click.option(
    "--point",
    "points",
    callback=as_points,
    multiple=True,
    metavar="X,Y",
    help="The subject is here; repeatable.",
)
@click.option(
    "--not",
    "nots",
    callback=as_points,
    multiple=True,
    metavar="X,Y",
    help="The subject is not here; repeatable.",
)
@click.option("--box", callback=as_box, metavar="L,T,R,B", help="The subject is in this box, in pixels.")
@click.option(
    "--strokes",
    type=PICTURE,
    metavar="FILE",
    help="A picture: white is subject, black is not, gray is unsure.",
)
@click.option("--from-matte", type=PICTURE, metavar="FILE", help="A former matte to go on from.")
@click.option("--accept-licence", is_flag=True, help="Accept weights that forbid commercial use.")
@click.option(
    "-s",
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any setting of a rule by its path, such as finish.shadow.angle=60; repeatable.",
)
@click.option("--report", is_flag=True, help="Write NAME.report.json beside each output.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON report a line instead of names.")
@click.option("--overwrite", is_flag=True, help="Replace existing outputs.")
@click.option("--skip-existing", is_flag=True, help="Leave out what is there already: goes on after a stop.")
@click.pass_context
def command(
    context: click.Context,
    *,
    photos: tuple[Path, ...],
    output: str | None,
    formats: tuple[str, ...],
    quality: str | None,
    subject: str | None,
    keep: int | None,
    refine: str | None,
    backdrop: str | None,
    model: str | None,
    device: str,
    preset: str | None,
    crop: str | None,
    margin: str | None,
    canvas: str | None,
    background: str | None,
    shadow: str | None,
    points: tuple[tuple[float, float], ...],
    nots: tuple[tuple[float, float], ...],
    box: tuple[float, ...] | None,
    strokes: Path | None,
    from_matte: Path | None,
    accept_licence: bool,
    assignments: tuple[str, ...],
    report: bool,
    as_json: bool,
    overwrite: bool,
    skip_existing: bool,
) -> None:
    """Cut the subject out of each PHOTO; a folder is walked and its tree kept.

    Without -o, photo.jpg becomes photo.cutout.png beside it (photo.mask.png for a mask). - reads a photo
    from standard input, and -o - writes the output, a PNG unless -f says otherwise, to standard output.
    """
    named = {
        "cut.model": ("--model", model),
        "cut.accept_licence": ("--accept-licence", accept_licence or None),
        "cut.quality": ("--quality", quality),
        "cut.subject": ("--subject", subject),
        "cut.keep": ("--keep", keep),
        "cut.refine": ("--refine", refine),
        "cut.backdrop": ("--backdrop", backdrop),
        "cut.prompts": ("--point", pointed(points, nots, box, strokes, from_matte)),
        "finish.preset": ("--preset", preset),
        "finish.crop": ("--crop", crop),
        "finish.margin": ("--margin", margin),
        "finish.canvas": ("--canvas", canvas),
        "finish.background": ("--background", background),
        "finish.shadow": ("--shadow", shadow),
    }
    if overwrite and skip_existing:
        raise click.UsageError("--overwrite and --skip-existing contradict each other.", context)
    cut, finish, options = _settings(named, assignments)
    pipe = context.with_resource(
        pipes(photos, output, formats, megabytes=cut.limits.megabytes, reports=as_json or report)
    )
    photos, output = pipe.photos, pipe.output
    try:
        planned = plan(
            photos,
            Path(output) if output is not None else None,
            tuple(dict.fromkeys(formats)),
            as_folder=output is not None and output.endswith(("/", os.sep)),
        )
    except PlanError as error:
        raise click.UsageError(str(error), context) from error
    others = passed_over(photos)
    if not planned:
        also = f" {_passed_over(others)}" if others else ""
        raise PhotoError(f"{photos[0]}: there is no photo in this folder.{also}")
    outputs = {name: _output(name, options) for name, _ in planned[0].targets}
    console = Console(debug=bool(context.obj and context.obj.get("debug")))
    if skip_existing:
        planned, skipped = without_existing(planned)
        if skipped:
            console.note(f"{skipped} left out: done before.")
    run = CutRun(planned, cut, finish, outputs, device=device, overwrite=overwrite, report=report)
    failed = False
    with console.progress(len(planned)) as advance:
        for outcome in run_all(run, console, pipe.discard):
            failed = not _told(outcome, pipe, console, as_json=as_json) or failed
            advance()
    if others:
        console.fail(PhotoError(_passed_over(others)))
    if failed:
        context.exit(1)


def _told(outcome: JobReport | MatteboxError, pipe: Pipes, console: Console, *, as_json: bool) -> bool:
    """Say what became of a photo; whether it was cut."""
    if isinstance(outcome, MatteboxError):
        console.fail(pipe.told(outcome))
        return False
    lines = (json.dumps(outcome.as_dict()),) if as_json else _summary(outcome)
    if pipe.writes:
        pipe.deliver(outcome.outputs[0].path)
        for line in lines[1:]:
            console.note(pipe.named(line))
    else:
        console.say(*(pipe.named(line) for line in lines))
    return True


def _passed_over(others: Sequence[Path]) -> str:
    """The sentence about pictures in walked folders that are not cut."""
    named = [
        f"{path} ({'its format is not read' if path.suffix else 'it has no ending; name it to have it cut'})"
        for path in others[:_NAMED]
    ]
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    return f"Passed over: {', '.join(named)}{more}."


def _settings(
    named: dict[str, tuple[str, Any]], assignments: Sequence[str]
) -> tuple[CutSettings, FinishSettings, dict[str, Any]]:
    """The settings from options (each with its own name) and from KEY=VALUE of any depth."""
    values = {path: value for path, (_, value) in named.items() if value is not None}
    options = {path: option for path, (option, value) in named.items() if value is not None}
    options |= OPTIONS
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals:
            raise click.UsageError(f"--set {assignment}: write it as KEY=VALUE, such as cut.refine=none")
        value = as_value(text)
        # What is said last is said below what was said before it.
        values.pop(path, None)
        values[path] = value
        options[path] = f"--set {path}"
    try:
        groups = nested(values)
        return cut_settings(groups["cut"]), finish_settings(groups["finish"]), groups["output"]
    except SettingsError as error:
        raise click.UsageError(_as_written(str(error), options)) from error


def as_value(text: str) -> Any:
    """A value as a file of settings would have it; text that is no YAML stands for itself."""
    if _WORD.fullmatch(text) and text.lower() not in _CONSTANTS:
        return text
    import yaml  # noqa: PLC0415 - most values are one word

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _as_written(sentence: str, options: dict[str, str]) -> str:
    """The sentence with the option that the user wrote in the place of the path that it stands for."""
    path, colon, rest = sentence.partition(": ")
    return f"{options[path]}{colon}{rest}" if path in options else sentence


def _output(name: str, options: dict[str, Any]) -> Output:
    try:
        return output_settings(name, options)
    except SettingsError as error:
        raise click.UsageError(str(error)) from error


def _summary(done: JobReport) -> tuple[str, ...]:
    names = ", ".join(output.path for output in done.outputs)
    warnings = f" ({', '.join(done.warnings)})" if done.warnings else ""
    line = f"{done.input} -> {names}  confidence {done.confidence:.2f}{warnings}"
    return with_notes(line, done.photo_notes)
