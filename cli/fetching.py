"""The course of a fetch as a person sees it: a bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mattebox.cli.echo import echo

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress


class FetchProgress:
    """A models.progress.Progress that draws; bars of others are paused meanwhile."""

    def __init__(
        self, *, pause: Callable[[], None] = lambda: None, resume: Callable[[], None] = lambda: None
    ) -> None:
        """`pause` and `resume` are called around everything that is printed."""
        self._pause = pause
        self._resume = resume
        self._bar: Progress | None = None

    def begin(self, label: str, total: int | None) -> None:
        """Start a bar, or print one line."""
        self._pause()
        if not sys.stderr.isatty():
            size = f" ({total / 1e6:.0f} MB)" if total else ""
            echo(f"Fetching {label}{size} ...", err=True)
            return
        from rich.console import Console  # noqa: PLC0415 - only where somebody looks
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._bar = Progress(
            TextColumn("Fetching {task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.add_task(label, total=total)
        self._bar.start()

    def advance(self, count: int) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0], count)

    def end(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        self._resume()

    def note(self, line: str) -> None:
        """Print one line on stderr."""
        self._pause()
        echo(line, err=True)
        self._resume()
