"""What can go wrong with hot folders as a whole, told to the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mattebox.core.errors import MatteboxError

if TYPE_CHECKING:
    from collections.abc import Sequence

SET_ASIDE: Final = (
    "The next 'mattebox once' or 'mattebox watch' sets it aside under another name, begins a new one, and "
    "puts the photos that were in work back."
)


# The kind of failure of a job that no worker had begun: it waits again, as if nothing had been.
NOT_BEGUN: Final = "not-begun"


class ConfigError(MatteboxError):
    """A configuration has mistakes; each is one line FILE:LINE:COLUMN: message."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        """`mistakes` are complete lines, in the order of the file."""
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


class StateLockedError(MatteboxError):
    """Another daemon works with the same state folder."""


class JournalError(MatteboxError):
    """The journal cannot be opened or written."""


class DamagedJournalError(JournalError):
    """The journal is there and cannot be trusted: it is to be set aside."""


class LostJournalError(JournalError):
    """The journal's file was taken away or replaced while it was open."""


class TemplateError(MatteboxError, ValueError):
    """A template is wrong, or would lead out of its folder; a ValueError, so that pydantic places it."""


class WebhookError(MatteboxError):
    """A webhook did not take an event; `final` where trying again is of no use."""

    def __init__(self, why: str, *, final: bool = True) -> None:
        """`why` names the cause in a few words, without the address: it may hold secrets."""
        super().__init__(why)
        self.final = final


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong in a worker, as plain data.

    what: a sentence. retry: whether the same work may succeed later. hold: it is the disk's or the
    folder's fault, not the photo's. step: where it happened.
    """

    what: str
    kind: str
    retry: bool = False
    hold: bool = False
    step: str = "work"
