"""What is known about a file before a rule takes it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mattebox.core.errors import MatteboxError

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.photo import PhotoFacts
    from mattebox.daemon.journal.identity import Identity


class UnreadableError(Exception):
    """A condition asked for the header of a file that has none; the text says why."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A file in a watched folder: its path below the root with forward slashes, size and age.

    size: bytes. age: seconds since it was last changed. header: what its picture says, or None where it
    could not be read; `problem` then tells why.
    """

    path: str
    size: int
    age: float
    header: PhotoFacts | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """The file's own name."""
        return PurePosixPath(self.path).name

    @property
    def photo(self) -> PhotoFacts:
        """The header. Raises UnreadableError where there is none."""
        if self.header is None:
            raise UnreadableError(self.problem or "its header cannot be read")
        return self.header


def header_facts(watch: Path, path: str, found: Identity) -> Facts:
    """What a file's header tells, read here and now."""
    from mattebox.core.photo import probe  # noqa: PLC0415 - loads arrays

    age = max(0.0, time.time() - found.mtime_ns / 1e9)
    try:
        return Facts(path, found.size, age, probe(watch / path))
    except MatteboxError as error:
        return Facts(path, found.size, age, None, str(error))
