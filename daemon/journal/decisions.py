"""Decisions: what a person has said of cutouts at the light table, and how each is taken back.

A decision is a mark until it is sent; the daemon, or `mattebox once`, carries out what was sent.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from mattebox.daemon.journal.rows import path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mattebox.daemon.journal.database import Database

# back: of a delivered one, which is taken back into review.
# handed: its PSD is open in another program, and what is saved there will be accepted.
Verdict = Literal["accept", "reject", "again", "back", "handed"]
VERDICTS: Final = ("accept", "reject", "again", "back", "handed")
# A decision's way: a mark, to be carried out, carried out.
MARKED: Final = 0
SENT: Final = 1
CARRIED_OUT: Final = 2
_COLUMNS: Final = "job, verdict, settings, matte, sent, time"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided of one job.

    settings: for "again" and "back" what shall be otherwise (quality, model); else where the matte comes
    from (`by`).
    matte: the file that is accepted, None for the review's own PSD. sent: MARKED, SENT or CARRIED_OUT.
    """

    job: str
    verdict: Verdict
    settings: Mapping[str, Any] = field(default_factory=dict)
    matte: Path | None = None
    sent: int = MARKED
    time: float = 0.0


class Decisions:
    """The decisions of a journal and the steps that led to them."""

    def __init__(self, database: Database) -> None:
        """`database` is the journal's; changes belong into its transactions."""
        self._db = database

    def of(self, job_id: str) -> Decision | None:
        """What was decided of a job, or None."""
        query = f"SELECT {_COLUMNS} FROM decisions WHERE job = ?"  # noqa: S608 - our own column names
        row = self._db.execute(query, (job_id,)).fetchone()
        return None if row is None else _decision(row)

    def sent(self) -> list[Decision]:
        """What is to be carried out, oldest first."""
        query = f"SELECT {_COLUMNS} FROM decisions WHERE sent = {SENT} ORDER BY time, job"  # noqa: S608 - our own
        return [_decision(row) for row in self._db.execute(query)]

    def handed(self) -> list[Decision]:
        """The jobs whose PSD is open in another program."""
        query = f"SELECT {_COLUMNS} FROM decisions WHERE verdict = 'handed' AND sent = {MARKED}"  # noqa: S608 - our own
        return [_decision(row) for row in self._db.execute(query)]

    def decide(
        self,
        jobs: Sequence[str],
        verdict: Verdict,
        *,
        settings: Mapping[str, Any] | None = None,
        matte: Path | None = None,
    ) -> None:
        """Decide the same of some jobs, as one step that can be taken back.

        "again" and "back" are sent at once, for they deliver nothing. What was carried out stays as it is,
        but for what is taken back.
        """
        sent = SENT if verdict in ("again", "back") else MARKED
        self._step(jobs)
        for job_id in jobs:
            decision = Decision(job_id, verdict, settings or {}, matte, sent, time.time())
            if verdict == "back" or not self._is_carried_out(job_id):
                self._write(decision)

    def undo(self) -> list[str]:
        """Take the last step back that was not carried out; its jobs, [] where none is left."""
        taken_back: list[str] = []
        while not taken_back:
            number = self._db.execute("SELECT max(step) FROM decision_steps").fetchone()[0]
            if number is None:
                break
            rows = self._db.execute("SELECT job, before FROM decision_steps WHERE step = ?", (number,))
            for job_id, before in rows:
                if self.of(job_id) is None or self._is_carried_out(job_id):
                    continue
                taken_back.append(job_id)
                self._db.execute("DELETE FROM decisions WHERE job = ?", (job_id,))
                if before is not None:
                    self._write(_from_json(job_id, before))
            self._db.execute("DELETE FROM decision_steps WHERE step = ?", (number,))
        return taken_back

    def send(self) -> list[str]:
        """Have every mark on a job in review carried out; these jobs."""
        rows = self._db.execute(
            f"UPDATE decisions SET sent = {SENT} WHERE sent = {MARKED} AND verdict IN ('accept', 'reject')"  # noqa: S608 - our own
            " AND job IN (SELECT id FROM jobs WHERE state = 'review') RETURNING job"
        )
        return [row[0] for row in rows]

    def carried_out(self, job_id: str) -> None:
        """A decision was carried out: it stays as history, but for what is to be decided anew."""
        self._db.execute("DELETE FROM decisions WHERE job = ? AND verdict IN ('again', 'back')", (job_id,))
        self._db.execute(f"UPDATE decisions SET sent = {CARRIED_OUT} WHERE job = ?", (job_id,))  # noqa: S608 - our own

    def reopen(self, job_id: str) -> None:
        """What was accepted could not be used: nothing is decided any more."""
        self._db.execute("DELETE FROM decisions WHERE job = ?", (job_id,))

    def mattes(self) -> set[Path]:
        """The files of mattes that decisions, or steps back to them, name."""
        rows = self._db.execute("SELECT matte FROM decisions WHERE matte IS NOT NULL")
        before = self._db.execute("SELECT job, before FROM decision_steps WHERE before IS NOT NULL")
        found = {path_of(row[0]) for row in rows}
        return found | {step.matte for step in (_from_json(*row) for row in before) if step.matte is not None}

    def _step(self, jobs: Iterable[str]) -> None:
        query = "SELECT coalesce(max(step), 0) + 1 FROM decision_steps"
        number = self._db.execute(query).fetchone()[0]
        for job_id in jobs:
            before = self.of(job_id)
            text = None if before is None else _to_json(before)
            self._db.execute("INSERT OR REPLACE INTO decision_steps VALUES (?,?,?)", (number, job_id, text))

    def _write(self, decision: Decision) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO decisions VALUES (?,?,?,?,?,?)",
            (
                decision.job,
                decision.verdict,
                json.dumps(dict(decision.settings)),
                None if decision.matte is None else os.fsencode(decision.matte),
                decision.sent,
                decision.time,
            ),
        )

    def _is_carried_out(self, job_id: str) -> bool:
        decision = self.of(job_id)
        return decision is not None and decision.sent == CARRIED_OUT


def _decision(row: Sequence[Any]) -> Decision:
    job, verdict, settings, matte, sent, moment = row
    return Decision(
        job, verdict, json.loads(settings), None if matte is None else path_of(matte), sent, moment
    )


def _to_json(decision: Decision) -> str:
    matte = None if decision.matte is None else os.fspath(decision.matte)
    return json.dumps([decision.verdict, dict(decision.settings), matte, decision.time, decision.sent])


def _from_json(job_id: str, text: str) -> Decision:
    verdict, settings, matte, moment, *sent = json.loads(text)
    # What was sent and taken back is a mark again.
    now = CARRIED_OUT if sent == [CARRIED_OUT] else MARKED
    return Decision(job_id, verdict, settings, None if matte is None else Path(matte), now, moment)
