"""What a person points at, on the command line: points, a box, pictures of strokes and of a former matte."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

PICTURE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)


_EXAMPLES: Final = {"X,Y": "479,268", "L,T,R,B": "100,80,520,460"}


def _numbers(text: str, form: str) -> tuple[float, ...]:
    """A text such as 479,268 as its numbers. Raises BadParameter."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != form.count(",") + 1 or not all(0 <= number < float("inf") for number in numbers):
        raise click.BadParameter(f"{text!r} is not {form} in pixels, such as {_EXAMPLES[form]}")
    return numbers


def as_points(_context: click.Context, _option: click.Parameter, texts: Sequence[str]) -> tuple[Any, ...]:
    """Texts X,Y as points. Raises BadParameter."""
    return tuple(_numbers(text, "X,Y") for text in texts)


def as_box(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[float, ...] | None:
    """A text L,T,R,B as a box; None where there is none. Raises BadParameter."""
    return None if text is None else _numbers(text, "L,T,R,B")


# What a mistake in a prompt is told under.
OPTIONS: Final = {
    "cut.prompts.inside": "--point",
    "cut.prompts.outside": "--not",
    "cut.prompts.box": "--box",
    "cut.prompts.strokes": "--strokes",
    "cut.prompts.from_matte": "--from-matte",
}


def pointed(
    points: Sequence[tuple[float, float]],
    nots: Sequence[tuple[float, float]],
    box: tuple[float, ...] | None,
    strokes: Path | None,
    from_matte: Path | None,
) -> dict[str, Any] | None:
    """The settings' prompts of these options; None where nothing was pointed at."""
    found = {
        "inside": tuple(points),
        "outside": tuple(nots),
        "box": box,
        "strokes": strokes,
        "from_matte": from_matte,
    }
    prompts = {name: value for name, value in found.items() if value}
    return prompts or None
