"""Status: what the journal, the folders and a running daemon know, as plain data."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock, Timeout

from mattebox.core.publish import stage_name
from mattebox.daemon.intake.scan import Scope
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.journal.plan import WORK_FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mattebox.daemon.config.keys import Folder
    from mattebox.daemon.config.load import LoadedConfig
    from mattebox.daemon.intake.intake import Intake
    from mattebox.daemon.journal.states import State

LIVE: Final = "live.json"
_PER_MINUTE_WINDOW: Final = 600.0
_LAST_ERRORS: Final = 5


def write_live(state: Path, intakes: Mapping[str, Intake]) -> None:
    """Note what only a running daemon knows; readers see the old text or the new one."""
    now = time.monotonic()
    folders = {
        name: {
            "settling": intake.waiting,
            "oldest_seconds": round(intake.oldest(now), 1),
            "held": intake.root.held,
            "polling": intake.root.polling,
        }
        for name, intake in intakes.items()
    }
    target = state / LIVE
    staged = stage_name(target)
    staged.write_text(json.dumps({"pid": os.getpid(), "time": time.time(), "folders": folders}), "utf-8")
    staged.replace(target)


def gather(loaded: LoadedConfig) -> dict[str, Any]:
    """Everything that `mattebox status` shows; nothing is changed."""
    running = is_running(loaded.state)
    live = _live(loaded.state) if running else {}
    journal = Journal(loaded.state, lock=False) if (loaded.state / "journal.db").exists() else None
    try:
        folders = [
            _folder(loaded, folder, journal, live.get("folders", {}).get(folder.name, {}))
            for folder in loaded.config.folders
        ]
        errors = [
            {
                "job": job.id,
                "folder": job.folder,
                "input": str(job.plan.source),
                "what": (job.reason or {}).get("what", ""),
                "time": job.updated,
            }
            for job in (journal.last("failed", _LAST_ERRORS) if journal else [])
        ]
    finally:
        if journal is not None:
            journal.close()
    return {"running": running, "pid": live.get("pid"), "folders": folders, "last_errors": errors}


def is_running(state: Path) -> bool:
    """Whether a daemon holds the state folder."""
    if not (state / "lock").exists():
        return False
    lock = FileLock(state / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def _folder(
    loaded: LoadedConfig, folder: Folder, journal: Journal | None, live: dict[str, Any]
) -> dict[str, Any]:
    own = [folder.done, folder.failed, loaded.state, folder.watch / WORK_FOLDER]
    scope = Scope(folder.watch, recursive=folder.recursive, ignore=folder.ignore, own=own)
    try:
        lying = [found.ctime_ns / 1e9 for _, found in scope.files()]
        problem = live.get("held", "")
    except OSError as error:
        lying, problem = [], f"the watched folder cannot be read ({error.strerror})"
    since = time.time() - _PER_MINUTE_WINDOW

    def count(*states: State, since: float = 0.0) -> int:
        return journal.count(folder.name, *states, since=since) if journal else 0

    settling = min(int(live.get("settling", 0)), len(lying))
    return {
        "name": folder.name,
        "watch": str(folder.watch),
        "waiting": len(lying) - settling if folder.originals == "done" else None,
        "settling": settling,
        "working": count("working"),
        "claimed": count("claiming", "claimed", "staged", "delivered", "reviewing", "failing"),
        "done": count("done", "duplicate"),
        "review": count("review"),
        "failed": count("failed"),
        "images_per_minute": round(count("done", since=since) / (_PER_MINUTE_WINDOW / 60), 2),
        "oldest_waiting_seconds": round(time.time() - min(lying), 1) if lying else None,
        "problem": problem,
    }


def _live(state: Path) -> dict[str, Any]:
    try:
        found = json.loads(Path(state, LIVE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
