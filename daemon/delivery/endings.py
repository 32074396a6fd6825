"""Endings: the event when a job is delivered, has failed, or waits for a person."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from mattebox.daemon.events import Event

if TYPE_CHECKING:
    from mattebox.daemon.journal.rows import JobRow

# The event of each state that people are notified of.
EVENT_OF: Final = {"done": "delivered", "review": "review", "failed": "failed"}
STATE_OF: Final = {event: state for state, event in EVENT_OF.items()}


def ending(job: JobRow) -> Event | None:
    """The event of how a job ended, made from its row alone; None for other states."""
    if job.state not in EVENT_OF:
        return None
    report: dict[str, Any] = job.report or {}
    reason: dict[str, Any] = job.reason or {}
    outputs = [output["path"] for output in report.get("outputs", [])]
    values: dict[str, Any] = {"input": os.fspath(job.plan.source)}
    if job.state == "done":
        values |= {
            "outputs": outputs,
            "rule": job.plan.rule,
            "confidence": report.get("confidence"),
            "warnings": report.get("warnings"),
            "seconds": sum(report.get("seconds", {}).values()),
        }
        if report.get("photo_notes"):
            values["notes"] = report["photo_notes"]
    elif job.state == "review":
        values |= {"why": reason.get("why", ""), "files": outputs}
    else:
        values |= {"why": reason.get("what", ""), "do": reason.get("do", "")}
    return Event(EVENT_OF[job.state], job.folder, job.id, values)
