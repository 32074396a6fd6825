"""The journal's rows: one file's job, and one file on its way to its final name."""

from __future__ import annotations

import functools
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mattebox.daemon.errors import SET_ASIDE, DamagedJournalError
from mattebox.daemon.journal.identity import Identity
from mattebox.daemon.journal.plan import Plan
from mattebox.daemon.journal.states import STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mattebox.daemon.journal.states import State

JOB_COLUMNS: Final = "id, folder, work, identity, state, phase, attempts, plan, report, reason, updated"


@dataclass(frozen=True, slots=True)
class JobRow:
    """One file's job. work: where the original is now. phase: deliver, review or approved."""

    id: str
    folder: str
    work: Path
    identity: Identity
    state: State
    phase: str
    attempts: int
    plan: Plan
    report: dict[str, Any] | None
    reason: dict[str, Any] | None
    updated: float


@dataclass(frozen=True, slots=True)
class Placement:
    """One file on its way from a staged name to a final one; `candidate` counts the names tried.

    source: of a companion, the name that it leaves.
    """

    job: str
    kind: str
    number: int
    staged: Path
    target: Path
    final: Path | None = None
    candidate: int = 0
    state: str = "planned"
    size: int | None = None
    sha256: str | None = None
    source: Path | None = None


def new_id() -> str:
    """A new job id: 10 hexadecimal digits."""
    return secrets.token_hex(5)


@functools.lru_cache(maxsize=4096)
def path_of(raw: bytes) -> Path:
    """A path as it stands in a row: its bytes, which need not be UTF-8; a job's are read a dozen times."""
    return Path(os.fsdecode(raw))


def job_of(row: Sequence[Any]) -> JobRow:
    """The job in a row of JOB_COLUMNS. Raises DamagedJournalError where it cannot be one."""
    job_id, folder, work, found, state, phase, attempts, plan, report, reason, updated = row
    try:
        if state not in STATES:
            raise ValueError(state)  # noqa: TRY301 - told as the others are
        return JobRow(
            job_id,
            folder,
            path_of(work),
            Identity(*json.loads(found)),
            state,
            phase,
            attempts,
            Plan.from_json(plan),
            report and json.loads(report),
            reason and json.loads(reason),
            updated,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedJournalError(
            f"Job {job_id!r}: its row in the journal is damaged. {SET_ASIDE}"
        ) from error
