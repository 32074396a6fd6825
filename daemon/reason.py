"""The reason file: why a photo is in failed/, for a person, beside the photo."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from mattebox.core.publish import stage_name
from mattebox.daemon.place import place
from mattebox.daemon.rows import Placement
from mattebox.daemon.steps import step

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.daemon.journal import Journal
    from mattebox.daemon.rows import JobRow


def write_reason(journal: Journal, job: JobRow, wished: Path) -> None:
    """Write a job's reason as JSON, synced, and place it as outputs are placed. Raises OSError."""
    items = journal.placements(job.id, "reason")
    item = items[0] if items else Placement(job.id, "reason", 0, stage_name(wished), wished)
    if item.state == "planned":
        with journal.transaction():
            journal.save(item)
        step("reason planned")
        wished.parent.mkdir(parents=True, exist_ok=True)
        with item.staged.open("w", encoding="utf-8", errors="backslashreplace") as file:
            json.dump(job.reason, file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        step("reason written")
    place(journal, item)
