"""The one way onto the screen for a line that is no constant."""

from __future__ import annotations

import click

from mattebox.core.text import printable


def echo(line: str, *, err: bool = False) -> None:
    """Print one line; what a file's name holds shows as escapes and cannot begin another line."""
    click.echo(printable(line), err=err)
