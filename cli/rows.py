"""Tables of names and numbers that stay whole on terminals of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

# A name in the first column may be folded to so many letters a line.
_LEAST_NAME = 8
_GAP = 2


def show_rows(console: Console, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of a name and short values; no heading and no value is ever cut.

    Where the terminal is too narrow for the columns, each row becomes lines "Heading  value" instead.
    """
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)][1:]
    if sum(widths) + _GAP * len(widths) + max(_LEAST_NAME, len(headings[0])) > console.width:
        wide = max(map(len, headings))
        for row in rows:
            for heading, value in zip(headings, row, strict=True):
                console.print(Text(f"{heading:<{wide}}  {value}"), soft_wrap=True)
            console.print()
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column(headings[0], overflow="fold", min_width=len(headings[0]))
    for heading, width in zip(headings[1:], widths, strict=True):
        table.add_column(heading, justify="right", no_wrap=True, min_width=width)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
