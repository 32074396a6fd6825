"""What a sentence or a page tells the user to type, put to the real command and the real settings."""

from __future__ import annotations

from typing import Any

import click

from mattebox.cli.cut import _settings
from mattebox.cli.main import app
from mattebox.core.settings import FORMATS
from mattebox.core.settings.assign import output_settings
from mattebox.models.catalogue import find_network


def understood(words: list[str]) -> click.Command:
    """Parse the words after `mattebox` as the command does; nothing runs. Raises click.ClickException."""
    context = app.make_context("mattebox", list(words))
    command: click.Command = app
    rest: list[str] = list(words)
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None, f"{name}: no such command"
        command = found
        if isinstance(command, click.Group):
            context = click.Context(command, parent=context, info_name=name)
            continue
        context = command.make_context(name, list(rest), parent=context)
    if command.name == "pull":
        for name in context.params["names"]:
            if name.islower():
                find_network(name)
    if command.name == "cut":
        _check_settings(context.params)
    return command


def _check_settings(given: dict[str, Any]) -> None:
    keys = ("model", "quality", "subject", "keep", "refine")
    named = {f"cut.{key}": (f"--{key}", given[key]) for key in keys}
    keys = ("preset", "crop", "margin", "canvas", "background", "shadow")
    named |= {f"finish.{key}": (f"--{key}", given[key]) for key in keys}
    _, _, options = _settings(named, given["assignments"])
    for name in given["formats"] or FORMATS[:1]:
        output_settings(name, options)
