"""Thousands of cutouts in review without thousands of photos: rows that share a dozen files."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.web.rig import hot_folders

from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.journal.rows import new_id

if TYPE_CHECKING:
    from pathlib import Path

    from tests.daemon.hot_folders import HotFolders


def many(finished: Path, root: Path, count: int) -> HotFolders:
    """A copy of finished hot folders with `count` further rows, whose pictures are those that are there."""
    shutil.copytree(finished, root)
    folders = hot_folders(root)
    journal = Journal(root / "state", lock=False)
    known = journal.jobs("review")
    with journal.transaction():
        for number in range(count):
            model = known[number % len(known)]
            plan = replace(model.plan, name=f"copy-{number:05}.jpg", tree="")
            row = replace(model, id=new_id(), plan=plan)
            journal.add(row)
            journal.change(row.id, report={**(model.report or {}), "confidence": number / count * 0.05})
            for item in journal.placements(model.id, "review"):
                journal.save(replace(item, job=row.id))
    journal.close()
    return folders
