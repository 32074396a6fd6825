"""The reason: why a photo is in failed/ and what to do, for a person, in a file beside the photo."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.publish import stage_name
from mattebox.daemon.delivery.place import place
from mattebox.daemon.journal.rows import Placement
from mattebox.daemon.journal.steps import step

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.rows import JobRow


_ADVICE: Final = {
    "timeout": "Try 'mattebox retry'; if it happens again, raise engine: timeout or make the photo smaller.",
    "crash": "The photo may be damaged: open and save it again in an editor, then 'mattebox retry'.",
    "NotEnoughMemoryError": "Raise engine: memory, lower engine: workers, then 'mattebox retry'.",
    "WriteError": "Make room or mend the permissions of the output folder, then 'mattebox retry'.",
    "TruncatedPhotoError": "Copy the photo again: this one is damaged or was never complete.",
    "DamagedPhotoError": "Copy the photo again, or open and save it in an editor, then 'mattebox retry'.",
    "PhotoError": "Do what the sentence says, then 'mattebox retry', or leave the photo out.",
    "rejected": "Bring it back with 'mattebox retry' where the rejection was a mistake.",
    "LimitError": "Raise the limit in the rule's cut: limits:, then 'mattebox retry'.",
}
_ANY_ADVICE: Final = "Mend what the sentence names, then bring the photo back with 'mattebox retry'."


def failure_reason(
    job: JobRow, what: str, kind: str, step_name: str, file: Path | None = None
) -> dict[str, Any]:
    """What the journal and NAME.reason.json say of a failure; kind: an error's name, or crash, timeout...

    file: what a person dropped into rejected/.
    """
    return {
        "what": what,
        "step": step_name,
        "do": _ADVICE.get(kind, _ANY_ADVICE),
        "kind": kind,
        "attempts": job.attempts,
        "input": os.fspath(job.plan.source),
        "rule": job.plan.rule,
        "job": job.id,
        **({} if file is None else {"file": os.fspath(file)}),
    }


def write_reason(journal: Journal, job: JobRow, target: Path) -> None:
    """Write a job's reason as JSON, synced, and place it as outputs are placed. Raises OSError."""
    items = journal.placements(job.id, "reason")
    item = items[0] if items else Placement(job.id, "reason", 0, stage_name(target), target)
    if item.state == "planned":
        with journal.transaction():
            journal.save(item)
        step("reason planned")
        target.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(job.reason, indent=2, ensure_ascii=False) + "\n"
        data = text.encode("utf-8", "backslashreplace")
        with item.staged.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        item = replace(item, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        step("reason written")
    place(journal, item)
