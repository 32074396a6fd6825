"""Candidates: what a watched folder offers to be inspected, and what is then to be claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mattebox.daemon.journal.identity import Identity


class Candidate(NamedTuple):
    """A file that has settled and that some rule may take."""

    folder: str
    path: str
    found: Identity


class Ready(NamedTuple):
    """A file that is to be claimed: by which rule, its size in pixels, and its problem if it has one."""

    path: str
    found: Identity
    rule: int
    size: tuple[int, int]
    problem: str
    truncated: bool = False
