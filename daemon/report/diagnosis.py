"""diagnosis: what is wrong with the hot folders of a configuration, found without changing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattebox.daemon.errors import JournalError
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.report.status import gather

if TYPE_CHECKING:
    from mattebox.daemon.config.load import LoadedConfig


def problems(loaded: LoadedConfig) -> list[str]:
    """One sentence for each thing that keeps hot folders from working or photos from being seen."""
    try:
        found = gather(loaded)
        if (loaded.state / "journal.db").exists():
            journal = Journal(loaded.state, lock=False)
            try:
                journal.check()
            finally:
                journal.close()
    except JournalError as error:
        return [str(error)]
    told = []
    for folder in found["folders"]:
        if folder["problem"]:
            told.append(f"{folder['name']}: {folder['problem']}")
        told += [f"{folder['name']}: {sentence}" for sentence in folder["in_work_unknown"]]
    return told
