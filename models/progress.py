"""What a store tells while it fetches: a small protocol, so that models/ draws nothing itself."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the course of a fetch; calls come from the thread that fetches, one fetch at a time."""

    def begin(self, label: str, total: int | None) -> None:
        """A transfer starts; `total` bytes are expected where that is known."""

    def advance(self, count: int) -> None:
        """`count` more bytes have arrived."""

    def end(self) -> None:
        """The transfer that began has ended, well or not."""

    def note(self, line: str) -> None:
        """One plain line that a person should see."""


class Silent:
    """A Progress that says nothing."""

    def begin(self, label: str, total: int | None) -> None:
        """Say nothing."""

    def advance(self, count: int) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""

    def note(self, line: str) -> None:
        """Say nothing."""
