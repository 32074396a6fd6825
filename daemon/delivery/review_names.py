"""The files in a review folder that say what a person has decided, and about which job."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from mattebox.daemon.journal.identity import identity, is_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPROVED: Final = "approved"
REJECTED: Final = "rejected"
_JOB_IN_NAME: Final = re.compile(r"\.([0-9a-f]{10})(?=[^0-9a-f])")


class Decision(NamedTuple):
    """A file that a person dropped: which job, what was decided, and the file."""

    job: str
    outcome: Literal["approved", "rejected"]
    path: Path


def decisions(review: Path) -> Iterator[Decision]:
    """The files in approved/ and rejected/ that belong to a job, in any sub-folder of theirs."""
    for outcome in (APPROVED, REJECTED):
        folder = review / outcome
        if not is_folder(folder):
            continue
        for path in sorted(folder.rglob("*")):
            found = _JOB_IN_NAME.findall(path.name)
            if found and not path.name.startswith((".", "~")) and identity(path) is not None:
                yield Decision(found[-1], outcome, path)


def undecided(review: Path) -> Iterator[tuple[str, Path]]:
    """The PSDs of reviews that wait for a person, each with its job."""
    if not is_folder(review):
        return
    for path in sorted(review.rglob("*.psd")):
        found = _JOB_IN_NAME.findall(path.name)
        decided = path.relative_to(review).parts[0] in (APPROVED, REJECTED)
        if found and not decided and not path.name.startswith((".", "~")):
            yield found[-1], path
