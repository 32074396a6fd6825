"""What the commands about hot folders share: reading the configuration, and the screen."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from mattebox.cli.console import Console, with_notes
from mattebox.cli.echo import echo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import click

    from mattebox.core.network.lookup import Progress
    from mattebox.daemon.config.load import LoadedConfig
    from mattebox.daemon.events import Event
    from mattebox.daemon.run import Summary


def read_config(context: click.Context, path: Path, *, files: bool = False) -> LoadedConfig:
    """The configuration; its mistakes go to stderr and end the command with exit status 2.

    files: that a file which a setting names is missing is a mistake too.
    """
    from mattebox.daemon.config.load import load_config  # noqa: PLC0415
    from mattebox.daemon.errors import ConfigError  # noqa: PLC0415 - `--help` loads no YAML and no pydantic

    try:
        return load_config(path, files=files)
    except ConfigError as error:
        for line in error.mistakes:
            echo(line, err=True)
        context.exit(2)
        raise


def _delivered(values: Mapping[str, Any]) -> tuple[str, ...]:
    warnings = f" ({', '.join(values['warnings'])})" if values.get("warnings") else ""
    confidence = "" if values.get("confidence") is None else f"  confidence {values['confidence']:.2f}"
    line = f"{values['input']} -> {', '.join(values['outputs'])}{confidence}{warnings}"
    return with_notes(line, values.get("notes", ()))


def _held(event: Event) -> str:
    return _named(event.values.get("input", event.folder), event.values["why"])


def _failed(event: Event) -> str:
    return f"{_named(event.values['input'], event.values['why'])} {event.values['do']}"


def _named(what: str, sentence: str) -> str:
    """The sentence with what it is about before it, unless it says that itself."""
    return sentence if sentence.startswith(what) else f"{what}: {sentence}"


_UNKNOWN: Final = {
    True: (
        "no photo in review has this number, as after the loss of a state folder; it counts once a photo of "
        "this name is in review again, and stays here until then."
    ),
    False: (
        "it belongs to no photo in review, as after the loss of a state folder; decide about the newer one, "
        "or about this one where you have worked in it, and delete the other."
    ),
}
_GOOD: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "duplicate": lambda values: f"{values['input']}: the same content was done before; only moved.",
    "review": lambda values: f"{values['input']} -> review: {values['why']} ({', '.join(values['files'])})",
    "review-passed-over": lambda values: (
        f"{values['file']}: not used, for {values['newest']} is newer; it stays with the photo."
    ),
    "review-unknown": lambda values: f"{values['file']}: {_UNKNOWN[values['decision']]}",
    "changed-late": lambda values: (
        f"{values['input']}: it changed after it was taken, so it counts as new and is done again."
    ),
    "taken-back": lambda values: (
        f"{values['input']}: taken back into review; what was delivered is removed, but for what was changed."
    ),
    "followed": lambda values: f"{values['path']}: it came after its photo, and is now {values['to']}.",
    "passed-over": lambda values: values["sentence"],
    "left-alone": lambda values: f"{values['path']}: left alone; {values['why']}.",
}
_BAD: Final[dict[str, Callable[[Event], str]]] = {
    "journal-damaged": lambda event: f"{event.values['path']}: {event.values['why']}.",
    "put-back": lambda event: f"{event.values['path']}: put back; {event.values['why']}.",
    "in-work-elsewhere": lambda event: event.values["why"],
    "failed": _failed,
    "held": _held,
    "retry": _held,
}


class FolderScreen:
    """Shows events: log lines, or for a person one line a photo and a bar that grows with the work."""

    def __init__(self, context: click.Context, *, as_log: bool) -> None:
        self._console = Console(debug=bool(context.obj and context.obj.get("debug")))
        self._as_log = as_log
        self._made: list[str] = []
        self._in_review = 0
        self._advance: Callable[[], None] | None = None
        self._grow: Callable[[], None] | None = None

    def progress(self) -> Progress:
        """What shows how weights are fetched."""
        return self._console.fetching

    @contextmanager
    def shown(self) -> Iterator[None]:
        """A bar on a terminal while inside."""
        if self._as_log:
            yield
            return
        with self._console.growing() as (grow, advance):
            self._grow, self._advance = grow, advance
            yield

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if self._as_log:
            from mattebox.daemon.events import log_line  # noqa: PLC0415 - the commands load it first

            echo(log_line(event))
            return
        if event.name == "claimed" and self._grow is not None:
            self._grow()
        if event.name == "folder-made":
            self._made.append(str(event.values["path"]))
        self._in_review += event.name == "review"
        if event.name == "delivered":
            self._console.say(*_delivered(event.values))
        if event.name in _GOOD:
            self._console.say(_GOOD[event.name](event.values))
        if event.name in _BAD:
            self._console.fail(Exception(_BAD[event.name](event)))
        if event.name in ("delivered", "duplicate", "review", "failed") and self._advance is not None:
            self._advance()

    def summary(self, done: Summary, loaded: LoadedConfig) -> str:
        """The last line: what was done, or what to do next."""
        if self._made and not done.delivered and not done.failed and not self._in_review:
            folders = ", ".join(self._made)
            return (
                f"Made {folders}. Put photos there and run the same command again, "
                f"or 'mattebox watch {loaded.path}'."
            )
        parts = [f"{done.delivered} done", f"{done.failed} failed"]
        if self._in_review:
            parts.append(f"{self._in_review} sent to review")
        if done.left:
            parts.append(f"{done.left} left for the next run")
        if not done.delivered and not done.failed and not done.left and not self._in_review:
            watched = ", ".join(str(folder.watch) for folder in loaded.config.folders)
            return f"Nothing waits in {watched}."
        return ", ".join(parts) + "."
