"""What a person sees: progress bars on a terminal, plain lines otherwise, errors on stderr."""

from __future__ import annotations

import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mattebox.cli.echo import echo
from mattebox.cli.fetching import FetchProgress
from mattebox.cli.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.progress import Progress


class Console:
    """Lines to stdout, sentences to stderr, and a bar while work is long and a person looks."""

    def __init__(self, *, debug: bool = False) -> None:
        """With `debug`, errors come with their traceback."""
        self._debug = debug
        self._progress: Progress | None = None

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[], None]]:
        """A bar over `total` photos on a terminal; yields the function that advances it.

        Where there are many, a line says after ten how quick it is.
        """
        if total < 2:
            yield lambda: None
            return
        pace = Pace(total)
        with self.growing(total) as (_, advance):

            def step() -> None:
                advance()
                if line := pace.line():
                    self.note(line)

            yield step

    @contextmanager
    def growing(self, total: int = 0) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
        """A bar on a terminal; yields what makes its total one larger, and what advances it."""
        if not sys.stderr.isatty():
            yield (lambda: None), (lambda: None)
            return
        from rich.console import Console as RichConsole  # noqa: PLC0415 - only where somebody looks
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=RichConsole(stderr=True), transient=True) as progress:
            self._progress = progress
            task = progress.add_task("Cutting", total=total)

            def grow() -> None:
                nonlocal total
                total += 1
                progress.update(task, total=total)

            try:
                yield grow, lambda: progress.advance(task)
            finally:
                self._progress = None

    @property
    def fetching(self) -> FetchProgress:
        """What a Store tells while it fetches: a bar on a terminal, plain lines otherwise."""
        return FetchProgress(pause=self._pause, resume=self._resume)

    def say(self, *lines: str) -> None:
        """A result on stdout, with the lines that belong to it."""
        self._above_bar(*lines, err=False)

    def note(self, line: str) -> None:
        """A line about the run on stderr."""
        self._above_bar(line, err=True)

    def fail(self, error: Exception) -> None:
        """An error's sentence on stderr."""
        if self._debug:
            self._above_bar(*"".join(traceback.format_exception(error)).splitlines(), err=True)
        else:
            self._above_bar(str(error), err=True)

    def _above_bar(self, *lines: str, err: bool) -> None:
        self._pause()
        for line in lines:
            echo(line, err=err)
        self._resume()

    def _pause(self) -> None:
        if self._progress is not None:
            self._progress.stop()

    def _resume(self) -> None:
        if self._progress is not None:
            self._progress.start()


def with_notes(line: str, notes: Iterable[str]) -> tuple[str, ...]:
    """A result's line, and below it, indented, what is to be known about its photo: a line each."""
    return (line, *(f"    {note}" for note in notes))
