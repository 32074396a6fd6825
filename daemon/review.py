"""Review: a PSD with its mask and a preview for a person, and what the person did with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from mattebox.core.settings import PngOutput, PsdOutput
from mattebox.daemon.plan import PlannedOutput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.daemon.plan import Plan, ReviewPlan

APPROVED: Final = "approved"
REJECTED: Final = "rejected"
_JOB_IN_NAME: Final = re.compile(r"\.([0-9a-f]{10})(?=[^0-9a-f])")


class Verdict(NamedTuple):
    """A file that a person dropped: which job, what was decided, and the file."""

    job: str
    verdict: Literal["approved", "rejected"]
    path: Path


def review_outputs(review: ReviewPlan, plan: Plan, job_id: str) -> tuple[PlannedOutput, ...]:
    """The PSD and the preview of one job; the job's id in their names survives "save as copy"."""
    stem = plan.name.rpartition(".")[0] or plan.name
    folder = review.to / plan.tree
    return (
        PlannedOutput(PsdOutput(), folder / f"{stem}.{job_id}.psd"),
        PlannedOutput(PngOutput(), folder / f"{stem}.{job_id}.preview.png"),
    )


def verdicts(review: Path) -> Iterator[Verdict]:
    """The files in approved/ and rejected/ that belong to a job, in any sub-folder of theirs."""
    for verdict in (APPROVED, REJECTED):
        folder = review / verdict
        if not folder.is_dir():
            continue
        for path in sorted(folder.rglob("*")):
            found = _JOB_IN_NAME.findall(path.name)
            if found and not path.name.startswith(".") and path.is_file() and not path.is_symlink():
                yield Verdict(found[-1], verdict, path)
