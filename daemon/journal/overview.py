"""Overview: what lists show of every job, read without its plan, so that ten thousand take no second."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mattebox.daemon.journal.database import Database

_QUERY: Final = (
    "SELECT jobs.id, jobs.folder, jobs.rule, jobs.source, jobs.state, jobs.phase, jobs.updated, jobs.report,"
    " jobs.reason, decisions.verdict, decisions.settings, decisions.matte, decisions.sent, decisions.time"
    " FROM jobs LEFT JOIN decisions ON decisions.job = jobs.id WHERE jobs.state NOT IN ('returned')"
)


@dataclass(frozen=True, slots=True)
class JobSummary:
    """One job as a list shows it; `source` is its path below the watched folder.

    confidence: 0..1, None where nothing was cut yet. box: the subject's [left, top, right, bottom] in pixels.
    verdict: "" where nothing is decided; sent: whether that is only marked, sent, or carried out (0, 1, 2).
    """

    id: str
    folder: str
    rule: str
    source: str
    state: str
    phase: str
    updated: float
    confidence: float | None
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    box: tuple[int, ...] | None
    why: str
    verdict: str
    settings: dict[str, Any]
    mended: bool
    sent: int
    decided: float


def overview(database: Database, jobs: Sequence[str] | None = None) -> Iterator[JobSummary]:
    """All jobs, or those named, but for those that were given back; in no order. Raises JournalError."""
    if jobs is None:
        rows = database.execute(_QUERY)
    else:
        rows = database.execute(f"{_QUERY} AND jobs.id IN ({','.join('?' * len(jobs))})", jobs)
    for row in rows:
        yield _seen(row)


def states(database: Database) -> dict[str, str]:
    """The state of every job by its id. Raises JournalError."""
    return dict(database.execute("SELECT id, state FROM jobs"))


def version(database: Database) -> int:
    """A number that is another one after another connection changed the journal. Raises JournalError."""
    return int(database.execute("PRAGMA data_version").fetchone()[0])


def _seen(row: Sequence[Any]) -> JobSummary:
    job, folder, rule, source, state, phase, updated, report, reason, verdict, how, matte, sent, when = row
    told: dict[str, Any] = _mapping(report)
    why: dict[str, Any] = _mapping(reason)
    box = told.get("subject_box")
    return JobSummary(
        id=job,
        folder=folder,
        rule=rule,
        source=os.fsdecode(source),
        state=state,
        phase=phase,
        updated=updated,
        confidence=told.get("confidence"),
        warnings=tuple(told.get("warnings", ())),
        notes=tuple(told.get("notes", ())),
        box=tuple(box) if box else None,
        why=str(why.get("what") or why.get("why") or ""),
        verdict=verdict or "",
        settings=_mapping(how),
        mended=matte is not None,
        sent=sent or 0,
        decided=when or 0.0,
    )


def _mapping(text: str | None) -> dict[str, Any]:
    found = json.loads(text) if text else None
    return found if isinstance(found, dict) else {}
