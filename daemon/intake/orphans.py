"""Orphans: originals in a work folder that no journal knows any more, and what puts them back.

A state folder may be deleted, damaged or named anew, and a machine may be replaced, while photos are in
work. They lie in a hidden folder then, which no scan looks into.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mattebox.core.publish import free_place, numbered, publish
from mattebox.core.settings.endings import PHOTO_ENDINGS, RAW_ENDINGS
from mattebox.daemon.config.companions import renamed
from mattebox.daemon.errors import ConfigError
from mattebox.daemon.journal.identity import identity, is_there
from mattebox.daemon.journal.owner import RECORD, is_locked, note, read, remove_empty
from mattebox.daemon.journal.plan import WORK_FOLDER
from mattebox.daemon.journal.states import ENDED
from mattebox.daemon.journal.steps import step

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.owner import Owner

# An owner on another machine that gave no sign for so long, and had not ended well, is dead. Signs come
# once a minute.
_DEAD: Final = 900.0
_NEXT_RUN: Final = "the next 'mattebox once' or 'mattebox watch' puts it back into the watched folder"

_JOB: Final = re.compile(r"[0-9a-f]{10}")
_STREWN: Final = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class InWork:
    """An original in a work folder that nobody at work here answers for.

    below: its place under the watched folder. elsewhere: who may come back to it, in words, or "".
    companions: what was claimed with it, in the same folder.
    """

    path: Path
    below: Path
    elsewhere: str
    companions: tuple[Path, ...] = ()


def in_work(watch: Path, journal: Journal | None, me: Owner) -> list[InWork]:
    """What lies in the work folders of a watched folder and is neither of this journal nor in other hands.

    journal: None where there is none, and nothing is known. Raises OSError.
    """
    # By their real paths: a configuration may name the same folder in another way now.
    ours = _works(journal) if journal is not None else set()
    found = []
    for folder in _folders(watch / WORK_FOLDER):
        files = [path for path in _files(folder) if not _is_ours(path, ours)]
        elsewhere = _elsewhere(folder, me, files) if files else None
        if elsewhere is None:
            continue
        together: dict[tuple[str, ...], list[Path]] = {}
        for path in files:
            parts = path.relative_to(folder).parts
            # By the first layout a job's files lie directly in the folder, each for itself.
            own = len(parts) > 1 and _JOB.fullmatch(parts[0]) is not None
            together.setdefault(parts[:-1] if own else parts, []).append(path)
        for parts, paths in together.items():
            first, *others = sorted(paths, key=_is_companion)
            below = Path(*parts[1:], first.name) if _JOB.fullmatch(parts[0]) else Path(*parts)
            found.append(InWork(first, below, elsewhere, tuple(others)))
    return found


def put_back(item: InWork, watch: Path) -> Path:
    """Put an orphan and its companions back into the watched folder, not over other files; where it is now.

    All of them get the same number where one of their names is taken. The orphan goes last.

    Raises OSError, WriteError.
    """
    target = watch / item.below
    target.parent.mkdir(parents=True, exist_ok=True)
    step("orphan found")
    left = []
    for path in (*item.companions, item.path):
        final = _linked_before(path, target.with_name(path.name))
        if final is None:
            left.append(path)
        else:
            path.unlink()
            target = final if path == item.path else target
    place = free_place(target) if item.path in left else 0
    while any(os.path.lexists(_at(target, path, item, place)) for path in left):
        place += 1
    for path in left:
        final = publish(path, _at(target, path, item, place), number=True)
        target = final if path == item.path else target
        step("orphan put back")
    remove_empty(item.path.parent, watch)
    return target


def _at(target: Path, path: Path, item: InWork, place: int) -> Path:
    """The name of an orphan, or of a companion of it, at a place in the row of numbered names."""
    name = numbered(target, place).name
    return target.with_name(name if path == item.path else renamed(path.name, item.path.name, name))


def _is_companion(path: Path) -> tuple[bool, bool, str]:
    """What puts the photo before its companions."""
    ending = path.suffix[1:].lower()
    return ending not in PHOTO_ENDINGS, ending not in RAW_ENDINGS, path.name


def sentences(items: Iterable[InWork]) -> list[str]:
    """What a person should know of photos in work that are not ours: one sentence for each owner."""
    found: dict[str, list[InWork]] = {}
    for item in items:
        found.setdefault(item.elsewhere, []).append(item)
    told = []
    for owner, theirs in found.items():
        named = os.fspath(theirs[0].path) + (f" and {len(theirs) - 1} more" if len(theirs) > 1 else "")
        if owner:
            told.append(f"{named}: in work, and of {owner}.")
        else:
            told.append(f"{named}: in work, and of no journal; {_NEXT_RUN}.")
    return told


def _linked_before(path: Path, target: Path) -> Path | None:
    """The name that an orphan has got already in the watched folder, where a kill came before the rest."""
    if path.stat().st_nlink > 1:
        for place in range(free_place(target)):
            name = numbered(target, place)
            if name.samefile(path):
                return name
    return None


def tidy(journal: Journal, watch: Path) -> None:
    """Remove what a kill left of our empty work folders, and make those of our rows known as ours."""
    mine = _works(journal)
    for folder in _folders(watch / WORK_FOLDER):
        known = read(folder)
        if known is not None and known[0].key != journal.owner.key:
            if any(path.startswith(f"{os.path.realpath(folder)}{os.sep}") for path in mine):
                # Of this journal under another name of the machine: a container that was made anew.
                note(journal.owner, folder, resting=False)
            continue
        if known is not None or folder == journal.owner.folder(watch):
            for inner in sorted(_inner_folders(folder), reverse=True):
                with contextlib.suppress(OSError):
                    inner.rmdir()
        remove_empty(folder, watch)


def beat(journal: Journal, watch: Path, *, resting: bool = False) -> None:
    """Give a sign of life to whoever else looks into the work folders. Raises OSError.

    resting: the last one of a run that ended well.
    """
    for folder in _folders(watch / WORK_FOLDER):
        known = read(folder)
        if known is None or (known[0].host, known[0].state) != (journal.owner.host, journal.owner.state):
            continue
        if (journal.owner, resting) == known:
            os.utime(folder / RECORD)
        else:
            note(journal.owner, folder, resting=resting)


def _works(journal: Journal) -> set[str]:
    """The real paths of all originals in work, and of the folders that are theirs alone."""
    jobs = journal.jobs()
    works = {os.path.realpath(job.work) for job in jobs}
    return works | {os.path.realpath(job.work.parent) for job in jobs if job.id in job.work.parts}


def _is_ours(path: Path, ours: Container[str]) -> bool:
    """Whether a file is a job's original, or one of the companions in the folder of that job."""
    return os.path.realpath(path) in ours or os.path.realpath(path.parent) in ours


def _folders(top: Path) -> list[Path]:
    try:
        with os.scandir(top) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []


def _files(folder: Path) -> Iterator[Path]:
    """Every regular file below that may have been claimed; systems strew others. Raises OSError."""
    for top, _, names in os.walk(folder, onerror=_raise):
        for name in sorted(names):
            path = Path(top, name)
            strewn = name.startswith(".") or name.casefold() in _STREWN or path == folder / RECORD
            if not strewn and path.is_file() and not path.is_symlink():
                yield path


def _inner_folders(folder: Path) -> Iterator[Path]:
    for top, names, _ in os.walk(folder, onerror=_raise):
        yield from (Path(top, name) for name in names)


def _raise(error: OSError) -> None:
    raise error


def _elsewhere(folder: Path, me: Owner, files: Iterable[Path]) -> str | None:
    """Who else may come back to a work folder, in words; None: somebody is at it; "": nobody ever will."""
    known = read(folder)
    if known is None:
        # Just being written, or deleted by a person who wants the photos back.
        return None if is_there(folder / RECORD) and _age(folder) < _DEAD else ""
    owner, resting = known
    if (owner.host, owner.state) == (me.host, me.state):
        return ""  # ours, and our journal does not know it
    if owner.is_here:
        return None if _is_owned_here(owner, me, folder, files) else ""
    if resting:
        name = owner.host.partition(":")[0]
        return (
            f"the machine {name}, which ended well and may come back; if it never will, delete "
            f"{folder / RECORD} and they come back here"
        )
    return None if _age(folder) < _DEAD else ""


def _is_owned_here(owner: Owner, me: Owner, folder: Path, files: Iterable[Path]) -> bool:
    """Whether another state folder of this machine still answers for these photos."""
    state = Path(owner.state)
    if is_locked(state):
        return True
    if owner.config == me.config or not _leads_to(owner):
        return False  # the same configuration names another state folder now, or none does
    rows = _rows(state)
    return rows is None or any(path.relative_to(folder).parts[0] in rows for path in files)


def _leads_to(owner: Owner) -> bool:
    """Whether the owner's configuration is there and still names its state folder."""
    from mattebox.daemon.config.load import load_config  # noqa: PLC0415 - only where two owners meet

    # A pipe that a share holds under this name would hold the loop for ever.
    if not owner.config or identity(owner.config) is None:
        return False
    try:
        return os.path.realpath(load_config(Path(owner.config)).state) == owner.state
    except ConfigError:
        return True  # nobody can say while it has mistakes


def _rows(state: Path) -> Container[str] | None:
    """The jobs of another journal that have not ended; None where it cannot be read, empty without one."""
    path = state / "journal.db"
    if not is_there(path):
        return ()
    marks = ",".join("?" * len(ENDED))
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            # Only question marks are put together here.
            query = f"SELECT id FROM jobs WHERE state NOT IN ({marks})"  # noqa: S608
            return {row[0] for row in database.execute(query, ENDED)}
    except sqlite3.Error:
        return None


def _age(folder: Path) -> float:
    """Seconds since the owner's last sign, by the clock of the folder's own file system."""
    now = time.time()
    with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=folder) as probe:
        now = os.fstat(probe.fileno()).st_mtime
    return now - (folder / RECORD).stat().st_mtime
