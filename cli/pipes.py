"""`-` as a photo is standard input, `-o -` standard output: files in a private folder stand for both."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mattebox.cli.stopping import stopping_at_once
from mattebox.core.errors import LimitError, MatteboxError, reason_of
from mattebox.core.settings import ENDINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO

_PIPE: Final = "-"
_INPUT: Final = "standard-input"
_OUTPUT: Final = "standard-output"
_STEP: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Pipes:
    """The photos and the output to work with; folder: where the files lie that stand for pipes, if any."""

    photos: tuple[Path, ...]
    output: str | None
    folder: Path | None = None
    writes: bool = False

    def discard(self) -> None:
        """Remove what stands for the pipes; without opening a folder, which a stopped process cannot."""
        if self.folder is not None:
            names = (
                [self.folder / _INPUT] if self.output is None else [self.folder / _INPUT, Path(self.output)]
            )
            for name in names:
                if name.parent == self.folder:
                    with suppress(OSError):
                        name.unlink(missing_ok=True)
            with suppress(OSError):
                self.folder.rmdir()

    def deliver(self, path: str) -> None:
        """Write a finished output to standard output. Raises BrokenPipeError."""
        out: IO[bytes] = sys.stdout.buffer
        with Path(path).open("rb") as file:
            shutil.copyfileobj(file, out, _STEP)
        out.flush()

    def told(self, error: MatteboxError) -> MatteboxError:
        """The error in words of what the user wrote."""
        error.args = (self.named(str(error)),)
        return error

    def named(self, line: str) -> str:
        """A line with the pipes' names in place of the files that stand for them."""
        if self.folder is None:
            return line
        endings = [f".{ending}" for ending in sorted(ENDINGS.values(), key=len, reverse=True)]
        for name, told in ((_INPUT, "standard input"), (_OUTPUT, "standard output")):
            for ending in (*endings, ""):
                for path in (f"{self.folder / name}{ending}", f"{name}{ending}"):
                    line = line.replace(path, told)
        return line


@contextmanager
def pipes(
    photos: tuple[Path, ...], output: str | None, formats: Sequence[str], *, megabytes: float, reports: bool
) -> Iterator[Pipes]:
    """What `-` stands for, as files for as long as the block runs; standard input is read here.

    megabytes: the most that is read. reports: whether some were asked for, which need a file.
    Raises click.UsageError, LimitError, OSError.
    """
    reads = Path(_PIPE) in photos
    writes = output == _PIPE or (reads and output is None)
    if not reads and not writes:
        yield Pipes(photos, output)
        return
    if len(photos) > 1 or (writes and photos[0].is_dir()):
        raise click.UsageError("- stands for one photo: give it alone.")
    if writes and len(formats) > 1:
        raise click.UsageError("-o -: standard output holds one format; give one with -f.")
    if writes and reports:
        raise click.UsageError("--json and --report go with an output that is a file, not with -o -.")
    if writes and sys.stdout.isatty():
        raise click.UsageError("-o -: a picture is no text for a terminal; redirect it or name a file.")
    if reads and sys.stdin.isatty():
        raise click.UsageError("-: no photo comes in by standard input; pipe one in or name a file.")
    folder = Path(tempfile.mkdtemp(prefix="mattebox-cut-"))
    ending = ENDINGS[formats[0] if formats else "png"]
    made = Pipes(
        (folder / _INPUT,) if reads else photos,
        str(folder / f"{_OUTPUT}.{ending}") if writes else output,
        folder,
        writes,
    )
    try:
        if reads:
            with stopping_at_once(made.discard, threading.Lock()):
                _read(made.photos[0], megabytes)
        yield made
    finally:
        made.discard()


def _read(target: Path, megabytes: float) -> None:
    size = 0
    try:
        with target.open("xb") as file:
            while part := sys.stdin.buffer.read(_STEP):
                size += len(part)
                if size > megabytes * 1e6:
                    raise LimitError(
                        f"standard input: more than {megabytes:g} MB; raise it with the setting "
                        "cut.limits.megabytes."
                    )
                file.write(part)
    except OSError as error:
        raise MatteboxError(f"standard input: it cannot be kept ({reason_of(error)}).") from error
