"""The owner of a work folder: which journal on which machine the photos in it belong to, and its pulse.

Claimed originals lie in WATCHED/.mattebox/OWNER/JOB/..., one OWNER for each state folder: several machines
and several configurations may watch one folder. OWNER/owner.json says who it is; its time of change is
the owner's last sign of life.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Final, Self

from filelock import FileLock, Timeout

from mattebox.daemon.journal.identity import identity, is_there
from mattebox.daemon.journal.plan import WORK_FOLDER

RECORD: Final = "owner.json"
_STAGED: Final = f".{RECORD}.part"


@dataclass(frozen=True, slots=True)
class Owner:
    """A state folder on a machine, and the configuration that it is for."""

    host: str
    state: str
    config: str

    @classmethod
    def of(cls, state: Path, config: Path | None) -> Self:
        """The owner that works with a state folder on this machine."""
        real = os.path.realpath
        return cls(this_host(), real(state), "" if config is None else real(config))

    @property
    def key(self) -> str:
        """The name of its folder: 10 hexadecimal digits."""
        return hashlib.sha256(os.fsencode(f"{self.host}\0{self.state}")).hexdigest()[:10]

    @property
    def is_here(self) -> bool:
        """Whether its state folder is one of this machine."""
        return self.host == this_host()

    def folder(self, watch: Path) -> Path:
        """Where its claimed originals of a watched folder wait."""
        return watch / WORK_FOLDER / self.key


@cache
def this_host() -> str:
    """A name for this machine that its disk and its network agree on."""
    with contextlib.suppress(OSError):
        return f"{platform.node()}:{Path('/etc/machine-id').read_text(encoding='ascii').strip()}"
    return platform.node()


def is_locked(state: Path) -> bool:
    """Whether a daemon of this machine works with a state folder. Raises OSError where that is not told."""
    if not is_there(state / "lock"):
        return False
    lock = FileLock(state / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def make_known(owner: Owner, watch: Path) -> None:
    """Make the owner's work folder and say in it whose it is. Raises OSError.

    Not with parents: a share that was unmounted just now is never made anew.
    """
    folder = owner.folder(watch)
    folder.parent.mkdir(exist_ok=True, mode=0o700)
    folder.mkdir(exist_ok=True, mode=0o700)
    if not os.path.lexists(folder / RECORD):
        note(owner, folder, resting=False)


def note(owner: Owner, folder: Path, *, resting: bool) -> None:
    """Write who owns a work folder. resting: it ended well and comes back. Raises OSError."""
    text = json.dumps({**asdict(owner), "resting": resting})
    # Whole or not at all: a half record would have another machine take what is here for nobody's.
    staged = folder / _STAGED
    with staged.open("w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(folder / RECORD)


def read(folder: Path) -> tuple[Owner, bool] | None:
    """Who owns a work folder, and whether it is resting; None where nothing readable says so."""
    try:
        if identity(folder / RECORD) is None:
            return None  # a pipe or a link on a share: reading it might never end
        found = json.loads((folder / RECORD).read_text(encoding="utf-8", errors="surrogateescape"))
        return Owner(str(found["host"]), str(found["state"]), str(found["config"])), bool(found["resting"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_empty(folder: Path, watch: Path) -> None:
    """Remove a job's work folder and those above it, as far as they are empty, up to the watched one."""
    with contextlib.suppress(OSError, ValueError):
        top = watch / WORK_FOLDER
        while folder != top:
            folder.relative_to(top)
            names = {path.name for path in folder.iterdir()}
            if RECORD in names and names <= {RECORD, _STAGED} and folder.parent == top:
                for name in names:
                    (folder / name).unlink()
            folder.rmdir()
            folder = folder.parent
        top.rmdir()
