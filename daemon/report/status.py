"""Status: what the journal, the folders and a running daemon know, as plain data."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.errors import reason_of
from mattebox.core.publish import stage_name
from mattebox.daemon.config.facts import Facts, header_facts
from mattebox.daemon.config.planning import own_folders
from mattebox.daemon.config.rules import choose_rule
from mattebox.daemon.errors import JournalError
from mattebox.daemon.intake.beside import Beside
from mattebox.daemon.intake.orphans import in_work, sentences
from mattebox.daemon.intake.scan import Scope
from mattebox.daemon.journal.identity import is_folder, is_there
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.journal.owner import Owner, is_locked
from mattebox.daemon.report.promise import items_of, known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mattebox.daemon.config.keys import Folder
    from mattebox.daemon.config.load import LoadedConfig
    from mattebox.daemon.intake.intake import Intake
    from mattebox.daemon.journal.states import State

LIVE: Final = "live.json"
_PER_MINUTE_WINDOW: Final = 600.0
_LAST_ERRORS: Final = 5


def write_live(state: Path, intakes: Mapping[str, Intake], workers: Sequence[Mapping[str, Any]] = ()) -> None:
    """Note what only a running daemon knows; readers see the old text or the new one. Raises OSError."""
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
    try:
        live = {"pid": os.getpid(), "time": time.time(), "folders": folders, "workers": list(workers)}
        staged.write_text(json.dumps(live), "utf-8")
        staged.replace(target)
    except OSError as error:
        with suppress(OSError):
            staged.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, os.fspath(target)) from error


def gather(loaded: LoadedConfig) -> dict[str, Any]:
    """Everything that `mattebox status` shows; nothing is changed. Raises JournalError."""
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
    return {
        "running": running,
        "pid": live.get("pid"),
        "folders": folders,
        "workers": live.get("workers", []),
        "last_errors": errors,
    }


def is_running(state: Path) -> bool:
    """Whether a daemon holds the state folder. Raises JournalError where that is not told."""
    try:
        if is_there(state) and not is_folder(state):
            raise JournalError(
                f"{state}: the state folder is no folder; move it away, or name another one in state:."
            )
        return is_locked(state)
    except OSError as error:
        raise JournalError(
            f"{state}: whether a daemon works with this state folder is not told ({reason_of(error)}); "
            "remove what stands at its lock, or mend the rights of the folder."
        ) from error


def _folder(
    loaded: LoadedConfig, folder: Folder, journal: Journal | None, live: dict[str, Any]
) -> dict[str, Any]:
    own = own_folders(loaded, folder)
    scope = Scope(folder.watch, recursive=folder.recursive, ignore=folder.ignore, own=own)
    owner = Owner.of(loaded.state, loaded.path)
    try:
        lying, alone = _lying(folder, scope)
        problem = live.get("held", "")
        others = sentences(in_work(folder.watch, journal, owner))
    except OSError as error:
        lying, alone, others = [], 0, []
        problem = f"the watched folder cannot be read ({reason_of(error)})"
    since = time.time() - _PER_MINUTE_WINDOW

    def count(*states: State, since: float = 0.0) -> int:
        return journal.count(folder.name, *states, since=since) if journal else 0

    settling = min(int(live.get("settling", 0)), len(lying))
    return {
        "name": folder.name,
        "watch": str(folder.watch),
        "waiting": len(lying) - settling if folder.originals == "done" else None,
        "settling": settling,
        "left_alone": alone,
        "working": count("working"),
        "claimed": count("claiming", "claimed", "staged", "delivered", "reviewing", "failing"),
        "done": count("done", "duplicate"),
        "review": count("review"),
        "originals_in_review": str(
            owner.folder(folder.watch) if folder.originals == "done" else folder.watch
        ),
        "failed": count("failed"),
        "images_per_minute": round(count("done", since=since) / (_PER_MINUTE_WINDOW / 60), 2),
        "oldest_waiting_seconds": round(time.time() - min(lying), 1) if lying else None,
        "problem": problem,
        "in_work_unknown": others,
        "promise": _promise(journal, folder.name),
    }


def _promise(journal: Journal | None, folder: str) -> dict[str, Any] | None:
    """What is known of the cutouts that nobody looked at; None where none were drawn to be looked at."""
    rows = journal.drawings.of(folder) if journal else []
    if not rows:
        return None
    found = known(*items_of(rows))
    return {
        "looked": found.looked,
        "wrong": found.wrong,
        "unlooked": found.unlooked,
        "share": round(found.share, 4),
        "promised": found.promise.share,
        "surety": found.promise.surety,
        "holds": found.holds,
        "needs": found.needs,
        "sentence": found.sentence,
    }


def _lying(folder: Folder, scope: Scope) -> tuple[list[float], int]:
    """Since when each file lies there that a rule takes, and how many no rule takes. Raises OSError."""
    lying, alone = [], 0
    files = dict(scope.files())
    beside = Beside(folder.companion_rules, wait=0.0, follows=False)
    beside.only(files)
    for path, found in files.items():
        age = max(0.0, time.time() - found.mtime_ns / 1e9)
        if beside.goes_with(path) is not None:
            continue
        choice = choose_rule(folder, Facts(path, found.size, age))
        if choice.needs_header is not None:
            choice = choose_rule(folder, header_facts(folder.watch, path, found))
        if choice.index is None and choice.needs_header is None:
            alone += 1
        else:
            lying.append(found.ctime_ns / 1e9)
    return lying, alone


def _live(state: Path) -> dict[str, Any]:
    try:
        found = json.loads(Path(state, LIVE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
