"""What is known about a file before a rule takes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mattebox.core.photo import PhotoFacts


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
